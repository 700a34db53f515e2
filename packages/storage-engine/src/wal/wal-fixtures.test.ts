import fs from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { blockLines, recordLine } from '../../fixtures/wal-listing.ts'
import { WAL_PAGE_SIZE } from '../postgres/constants.ts'
import { Lsn } from '../postgres/lsn.ts'
import { decodeMainData } from './main-data.ts'
import { createDecodedRecord, decodeRecord } from './record-decoder.ts'
import { placeRecord } from './record-encoder.ts'
import { WalPageInfo } from './wal-page-header.ts'
import { WalStreamReader } from './wal-stream-reader.ts'

/** fixtures/wal/*.wal are pieces of a stock server's WAL; the .json beside each is what pg_walinspect says is in it. */
interface Golden {
  startLsn: string
  endLsn: string
  systemIdentifier: string
  records: string[]
  blocks: string[]
}

const folder = path.join(import.meta.dirname, '../../fixtures/wal')
const names = fs.readdirSync(folder).flatMap((file) => (file.endsWith('.wal') ? [path.basename(file, '.wal')] : []))

test('there are fixtures', () => {
  expect(names.length).toBeGreaterThan(4)
})

test.each(names)('%s decodes as the server that wrote it says', (name) => {
  const golden = JSON.parse(fs.readFileSync(path.join(folder, `${name}.json`), 'utf8')) as Golden
  const bytes = fs.readFileSync(path.join(folder, `${name}.wal`))
  const identity = { systemIdentifier: BigInt(golden.systemIdentifier), timeline: 1 }
  const startLsn = Lsn.parse(golden.startLsn)
  const reader = new WalStreamReader({ startLsn, systemIdentifier: identity.systemIdentifier })
  reader.push(startLsn, bytes)
  const decoded = createDecodedRecord()
  const records: string[] = []
  const blocks: string[] = []
  for (;;) {
    const fromLsn = reader.endLsn
    const record = reader.next()
    if (record === undefined) break
    decodeRecord(record.bytes, decoded, record.startLsn)
    decodeMainData(decoded)
    records.push(recordLine(record, decoded))
    blocks.push(...blockLines(record, decoded))
    // Laid out again at the same place, the record gives the server's own bytes, page headers included.
    const placed = placeRecord(record.bytes, fromLsn, identity)
    const original = bytes.subarray(fromLsn - startLsn, placed.endLsn - startLsn)
    expect(placed.startLsn).toBe(record.startLsn)
    expect(Buffer.from(placed.bytes).equals(withoutBackupMarks(original, fromLsn))).toBe(true)
  }
  expect(records).toEqual(golden.records)
  expect(blocks).toEqual(golden.blocks)
  expect(Lsn.format(reader.endLsn)).toBe(golden.endLsn)
})

/** The server marks pages written while no backup ran (XLP_BKP_REMOVABLE); the mark means nothing to a reader. */
function withoutBackupMarks(bytes: Uint8Array, startLsn: Lsn): Buffer {
  const copy = Buffer.from(bytes)
  for (let at = (WAL_PAGE_SIZE - (startLsn % WAL_PAGE_SIZE)) % WAL_PAGE_SIZE; at < copy.length; at += WAL_PAGE_SIZE) {
    copy[at + 2]! &= ~WalPageInfo.backupRemovable
  }
  return copy
}
