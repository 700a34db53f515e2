/** Reads the WAL of a running server from its pg_wal, up to positions the server has flushed. */
import fs from 'node:fs'
import path from 'node:path'
import { WAL_SEGMENT_SIZE, WAL_TIMELINE } from '../../src/postgres/constants.ts'
import { Lsn } from '../../src/postgres/lsn.ts'
import type { WalRecord } from '../../src/wal/record.ts'
import { formatSegmentName, segmentStart } from '../../src/wal/segment.ts'
import { WalStreamReader } from '../../src/wal/wal-stream-reader.ts'

const CHUNK_SIZE = 1024 * 1024

export class WalTail {
  readonly #walDir: string
  readonly #reader: WalStreamReader

  constructor(dataDir: string) {
    const control = readControl(dataDir)
    this.#walDir = path.join(dataDir, 'pg_wal')
    this.#reader = new WalStreamReader({ startLsn: control.checkpointLsn, systemIdentifier: control.systemIdentifier })
  }

  /** Gives every record that ends at or below `untilLsn` to `consume`. */
  read(untilLsn: Lsn, consume: (record: WalRecord) => void): void {
    while (this.#reader.receivedLsn < untilLsn) {
      const from = this.#reader.receivedLsn
      const segment = segmentStart(from)
      const length = Math.min(CHUNK_SIZE, untilLsn - from, segment + WAL_SEGMENT_SIZE - from)
      // The reader borrows the chunk: each gets its own buffer.
      const chunk = new Uint8Array(length)
      const descriptor = fs.openSync(path.join(this.#walDir, formatSegmentName(WAL_TIMELINE, segment)), 'r')
      try {
        const bytesRead = fs.readSync(descriptor, chunk, 0, length, from - segment)
        if (bytesRead !== length) throw new Error(`short read of WAL at ${Lsn.format(from)}`)
      } finally {
        fs.closeSync(descriptor)
      }
      this.#reader.push(from, chunk)
      for (let record = this.#reader.next(); record !== undefined; record = this.#reader.next()) consume(record)
    }
  }
}

/** The two fields of pg_control that say where and of whom the WAL is. */
export function readControl(dataDir: string): { systemIdentifier: bigint; checkpointLsn: Lsn } {
  const bytes = fs.readFileSync(path.join(dataDir, 'global/pg_control'))
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  return { systemIdentifier: view.getBigUint64(0, true), checkpointLsn: Lsn.read(view, 32) }
}
