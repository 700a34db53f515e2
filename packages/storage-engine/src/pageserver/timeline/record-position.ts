import { StorageError } from '../../base/errors.ts'
import { Lsn } from '../../postgres/lsn.ts'
import { findRecordBefore, type RecordPosition } from '../ingest/record-journal.ts'
import { encodeKey, KeyKind } from '../key.ts'
import type { TimelineStorage } from './timeline-storage.ts'

const JOURNAL_KEY = encodeKey({ kind: KeyKind.recordJournal })

/**
 * The last record that ends at or before `lsn`, from this timeline or its ancestors, and nextXid after it. Its end is the
 * greatest LSN not after `lsn` where a compute or a branch can start.
 */
export async function recordPositionAt(storage: TimelineStorage, lsn: Lsn): Promise<RecordPosition> {
  const [chain] = await storage.collect(JOURNAL_KEY, 1, lsn)
  const journal = chain?.values[0]
  const position = journal && findRecordBefore(journal, lsn)
  if (!position)
    throw new StorageError('invalid-input', 'lsn is before the history of the timeline', { lsn: Lsn.format(lsn) })
  return position
}
