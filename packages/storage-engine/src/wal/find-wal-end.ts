import { CorruptionError } from '../base/errors.ts'
import { WAL_TIMELINE } from '../postgres/constants.ts'
import { Lsn } from '../postgres/lsn.ts'
import { WalStreamReader } from './wal-stream-reader.ts'

/** Bytes asked for at a time. */
const READ_BYTES = 256 * 1024

export interface FindWalEndOptions {
  /** A record boundary at or before the end that is looked for. */
  readonly startLsn: Lsn
  /** Start of the record before `startLsn`, when known. */
  readonly prevLsn?: Lsn
  readonly systemIdentifier: bigint
  readonly timeline?: number
  /** Nothing from here on is read; default: until the source ends. */
  readonly limitLsn?: Lsn
  /** The WAL from `lsn` on, at most `lengthMax` bytes; undefined or empty where there is none. */
  readonly read: (lsn: Lsn, lengthMax: number) => Promise<Uint8Array | undefined> | Uint8Array | undefined
}

export interface WalEnd {
  /** End of the last whole, valid record: 8-aligned, a record boundary. */
  readonly endLsn: Lsn
  /** Start of that record; the `prevLsn` given when there was none. */
  readonly lastRecordLsn: Lsn | undefined
  readonly recordCount: number
  /** What stands at the end: nothing more to read, the zeros of an unwritten file, or damage. */
  readonly reason: 'source-ended' | 'invalid-record'
  readonly fault: CorruptionError | undefined
}

/**
 * Finds the end of valid WAL by reading records, the only way there is: whatever follows the last record (zeros, the torn
 * tail of a write, an older use of the file) fails the page address, previous link or CRC check. Never throws for bad
 * bytes. Damage in the middle looks like an end too: compare the result with what was acknowledged.
 */
export async function findWalEnd(options: FindWalEndOptions): Promise<WalEnd> {
  const reader = new WalStreamReader({
    startLsn: options.startLsn,
    systemIdentifier: options.systemIdentifier,
    timeline: options.timeline ?? WAL_TIMELINE,
    ...(options.prevLsn === undefined ? {} : { prevLsn: options.prevLsn }),
  })
  const limitLsn = options.limitLsn ?? Lsn.max
  let recordCount = 0
  let fault: CorruptionError | undefined
  for (;;) {
    const lsn = reader.receivedLsn
    const lengthMax = Math.min(READ_BYTES, limitLsn - lsn)
    const bytes = lengthMax > 0 ? await options.read(lsn, lengthMax) : undefined
    if (bytes === undefined || bytes.length === 0) break
    reader.push(lsn, bytes)
    try {
      while (reader.next() !== undefined) recordCount++
    } catch (error) {
      if (!(error instanceof CorruptionError)) throw error
      fault = error
      break
    }
  }
  return {
    endLsn: reader.endLsn,
    lastRecordLsn: reader.lastRecordLsn,
    recordCount,
    reason: fault === undefined ? 'source-ended' : 'invalid-record',
    fault,
  }
}
