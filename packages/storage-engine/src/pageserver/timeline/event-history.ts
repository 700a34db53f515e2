import { Lsn } from '../../postgres/lsn.ts'
import { decodeEventMarks, type EventMark } from '../ingest/event-marks.ts'
import { encodeKey, KeyKind } from '../key.ts'
import { lineEndAbove, type TimelineStorage } from './timeline-storage.ts'

const KEY = encodeKey({ kind: KeyKind.eventJournal })
/** A batch's value lies at its first mark: one that begins before the range may reach into it. */
const BATCH_BYTES_MAX = 4 * 1024 * 1024
const WINDOW_BYTES_FIRST = 64 * 1024 * 1024

/** The newest `limit` marks in [fromLsn, toLsn), oldest first, in windows that grow from the newest end. */
export async function eventsBetween(
  storage: TimelineStorage,
  range: { fromLsn: Lsn; toLsn: Lsn; limit: number },
): Promise<EventMark[]> {
  const { fromLsn, limit } = range
  const found: EventMark[] = []
  let highLsn = Lsn.min(range.toLsn, storage.lastRecordLsn)
  const lowestLsn = Math.max(0, fromLsn - BATCH_BYTES_MAX)
  for (let windowBytes = WINDOW_BYTES_FIRST; highLsn > lowestLsn; windowBytes *= 4) {
    if (highLsn < storage.gcCutoffLsn) break
    const lowLsn = Lsn.of(Math.max(lowestLsn, highLsn - windowBytes))
    const versions = await storage.history(KEY, lowLsn, highLsn)
    const marks = versions.flatMap(({ lsn, value }) => {
      const endLsn = lineEndAbove(storage, lsn)
      return value.length === 0 ? [] : decodeEventMarks(value).filter((mark) => mark.lsn <= endLsn)
    })
    found.unshift(...marks.filter(({ lsn }) => lsn >= fromLsn && lsn < range.toLsn))
    if (found.length >= limit) break
    highLsn = lowLsn
  }
  return found.slice(-limit)
}
