/**
 * Writes src/redo/redo-cases.json: for every record type and block of it the smallest case that stock Postgres made in
 * a run of the oracle. Run it with `npx tsx differential/redo-oracle/write-cases.ts` when record types are added.
 */
import fs from 'node:fs'
import { crc32c } from '../../src/base/crc32c.ts'
import { Lsn } from '../../src/postgres/lsn.ts'
import { encodePageImage } from '../../src/redo/page-change.ts'
import { maskPage, type PageMask, pageMaskOf } from '../../src/redo/page-mask.ts'
import { redoesByImage } from '../../src/redo/redo.ts'
import type { StoredRedoCase } from '../../src/redo/redo-cases.ts'
import { encodeRecord } from '../../src/wal/record-encoder.ts'
import { RmgrId } from '../../src/wal/rmgr-table.ts'
import { recordTypeNames } from './record-coverage.ts'
import type { ComparedBlock } from './redo-oracle.ts'
import { runRedoOracle } from './run-oracle.ts'

const smallest = new Map<string, StoredRedoCase>()

function consider({ walRecord, record, block, before, after }: ComparedBlock): void {
  if (redoesByImage(record.rmid)) return
  // One block of a record full of images is as good as all of them.
  if (record.rmid === RmgrId.xlog && record.blockCount > 1) return
  const stored = lazyCase({ walRecord, record, block, before, after })
  for (const type of recordTypeNames(record)) {
    const name = `${type} block ${block.id}`
    const known = smallest.get(name)
    const made = stored()
    if (known === undefined || size(made) < size(known)) smallest.set(name, { ...made, name })
  }
}

function lazyCase({ walRecord, record, block, before, after }: ComparedBlock): () => StoredRedoCase {
  let made: StoredRedoCase | undefined
  return () => {
    made ??= {
      name: '',
      endLsn: Lsn.format(walRecord.endLsn),
      blockId: block.id,
      record: base64(recordWithoutCheckImages(walRecord.prevLsn, record)),
      before: block.willInit || block.applyImage ? '' : base64(encodePageImage(before)),
      afterCrc: maskedCrc(after, pageMaskOf(record.rmid, block.fork), block.blockNumber),
    }
    return made
  }
}

function recordWithoutCheckImages(prevLsn: Lsn, record: ComparedBlock['record']): Uint8Array {
  return encodeRecord({
    ...{ rmid: record.rmid, info: record.info, xid: record.xid, prevLsn, mainData: record.mainData },
    blocks: record.blocks.slice(0, record.blockCount).map((block) => ({
      id: block.id,
      spcOid: block.spcOid,
      dbOid: block.dbOid,
      relNumber: block.relNumber,
      fork: block.fork,
      blockNumber: block.blockNumber,
      willInit: block.willInit,
      ...(block.hasData ? { data: block.data } : {}),
      ...(block.applyImage
        ? {
            image: {
              bytes: block.image,
              info: block.imageInfo,
              holeOffset: block.holeOffset,
              holeLength: block.holeLength,
            },
          }
        : {}),
    })),
  })
}

function size(stored: StoredRedoCase): number {
  return stored.record.length + stored.before.length
}

function maskedCrc(page: Uint8Array, mask: PageMask, blockNumber: number): number {
  const masked = page.slice()
  maskPage(masked, mask, blockNumber)
  return crc32c(masked)
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}

const { oracle } = await runRedoOracle({ dataChecksums: false, fullPageWrites: false, scale: 0.03, observer: consider })
if (oracle.differenceCount > 0) throw new Error(oracle.differences.join('\n'))
const cases = [...smallest.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
fs.writeFileSync(new URL('../../src/redo/redo-cases.json', import.meta.url), `${JSON.stringify(cases, null, 2)}\n`)
