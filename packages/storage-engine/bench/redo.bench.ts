import { PAGE_SIZE } from '../src/postgres/constants.ts'
import { Lsn } from '../src/postgres/lsn.ts'
import { applyPageChanges, type PageAddress, PageChangeKind } from '../src/redo/page-change.ts'
import { redoBlock } from '../src/redo/redo.ts'
import storedCases from '../src/redo/redo-cases.json' with { type: 'json' }
import { decodeRedoCase, type RedoCase, type StoredRedoCase } from '../src/redo/redo-cases.ts'
import { createDecodedRecord, decodeRecord } from '../src/wal/record-decoder.ts'
import { encodeRecord } from '../src/wal/record-encoder.ts'
import { RmgrId } from '../src/wal/rmgr-table.ts'
import { type Bench, rounded } from './bench-report.ts'

const CHAIN_RECORDS = [1, 10, 100]

/**
 * Redo on one core: records a second by record type (decode, copy of the page before, redo), and the time to rebuild a
 * page from an image and chains of inserts, as a page read does.
 */
export const bench: Bench = async ({ say, isQuick }) => {
  const durationMs = isQuick ? 20 : 200
  const recordsPerSecond: Record<string, number> = {}
  for (const stored of storedCases as StoredRedoCase[]) {
    const one = decodeRedoCase(stored)
    recordsPerSecond[one.name] = rounded(callsPerSecond(durationMs, redoOnce(one)))
    say(`${one.name}: ${recordsPerSecond[one.name]} records/s`)
  }
  const figures: Record<string, number | Record<string, number>> = { recordsPerSecond }
  for (const count of CHAIN_RECORDS) {
    const rebuild = rebuildOnce(count)
    const micros = 1e6 / callsPerSecond(4 * durationMs, rebuild)
    figures[`rebuildMicros${count}`] = rounded(micros)
    say(`page with ${count} records: ${rounded(micros)} us`)
  }
  return { bench: 'redo', figures, ratios: {} }
}

function redoOnce(one: RedoCase): () => void {
  const page = new Uint8Array(PAGE_SIZE)
  const decoded = createDecodedRecord()
  return () => {
    page.set(one.before)
    decodeRecord(one.record, decoded)
    for (let i = 0; i < decoded.blockCount; i++) {
      const block = decoded.blocks[i]!
      if (block.id === one.blockId) redoBlock(page, decoded, block, one.endLsn)
    }
  }
}

/** A heap page of one initialising insert and `count` - 1 more. */
function rebuildOnce(count: number): () => void {
  const address: PageAddress = { kind: 'block', spcOid: 1663, dbOid: 5, relNumber: 16384, fork: 0, blockNumber: 0 }
  const values = Array.from({ length: count }, (_, i) => insertValue(i + 1)).reverse()
  const lsns = values.map((_, i) => Lsn.of(0x1000000 + (count - i) * 8))
  const page = new Uint8Array(PAGE_SIZE)
  return () => applyPageChanges(page, address, { values, lsns, complete: true })
}

function insertValue(offsetNumber: number): Uint8Array {
  const data = new Uint8Array(5 + 1 + 40)
  data.set([2, 0, 2, 8, 24])
  const record = encodeRecord({
    ...{ rmid: RmgrId.heap, info: offsetNumber === 1 ? 0x80 : 0, xid: 700 + offsetNumber, prevLsn: Lsn.zero },
    blocks: [{ id: 0, spcOid: 1663, dbOid: 5, relNumber: 16384, blockNumber: 0, willInit: offsetNumber === 1, data }],
    mainData: Uint8Array.of(offsetNumber, 0, 0),
  })
  return Uint8Array.of(PageChangeKind.walRecord, ...record)
}

function callsPerSecond(durationMs: number, call: () => void): number {
  for (let i = 0; i < 200; i++) call()
  const startedMs = performance.now()
  let calls = 0
  let elapsedMs = 0
  while (elapsedMs < durationMs) {
    for (let i = 0; i < 50; i++) call()
    calls += 50
    elapsedMs = performance.now() - startedMs
  }
  return (calls * 1000) / elapsedMs
}
