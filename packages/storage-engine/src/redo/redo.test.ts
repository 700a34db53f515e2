import { describe, expect, test } from 'vitest'
import { crc32c } from '../base/crc32c.ts'
import { isStorageError } from '../base/errors.ts'
import { PAGE_SIZE } from '../postgres/constants.ts'
import { Lsn } from '../postgres/lsn.ts'
import { createDecodedRecord, decodeRecord, ImageInfo } from '../wal/record-decoder.ts'
import { encodeRecord, type RecordParts } from '../wal/record-encoder.ts'
import { RmgrId } from '../wal/rmgr-table.ts'
import { initPage, pageLsn } from './page.ts'
import { applyPageChanges, encodePageImage, PageChangeKind } from './page-change.ts'
import { maskPage, pageMaskOf } from './page-mask.ts'
import { redoBlock } from './redo.ts'
import storedCases from './redo-cases.json' with { type: 'json' }
import { decodeRedoCase, type RedoCase } from './redo-cases.ts'

const cases = storedCases.map(decodeRedoCase)
const RELATION = { spcOid: 1663, dbOid: 5, relNumber: 16384 }
const END_LSN = Lsn.of(0x1234560)

function blockOf(record: ReturnType<typeof createDecodedRecord>, id: number) {
  const block = record.blocks.slice(0, record.blockCount).find((candidate) => candidate.id === id)
  if (block === undefined) throw new Error(`no block ${id}`)
  return block
}

/** The page after redo, masked as Postgres would, and its pd_lsn before that. */
function redone({ record: bytes, blockId, before, endLsn }: RedoCase): { page: Uint8Array; lsn: Lsn } {
  const record = decodeRecord(bytes, createDecodedRecord())
  const block = blockOf(record, blockId)
  const page = before.slice()
  redoBlock(page, record, block, endLsn)
  const lsn = pageLsn(page)
  maskPage(page, pageMaskOf(record.rmid, block.fork), block.blockNumber)
  return { page, lsn }
}

describe('records that Postgres wrote', () => {
  test('there is a case for every resource manager with native redo', () => {
    const managers = new Set(cases.map((redoCase) => redoCase.name.split('/')[0]))
    expect([...managers].sort()).toEqual(['Btree', 'Heap', 'Heap2', 'Sequence', 'XLOG'])
    expect(cases.length).toBeGreaterThan(60)
  })

  test.each(cases.map((redoCase) => [redoCase.name, redoCase] as const))(
    'redo of %s gives Postgres’s page',
    (_, one) => {
      const { page, lsn } = redone(one)
      expect(crc32c(page)).toBe(one.afterCrc)
      // Only the heap page of VISIBLE keeps its pd_lsn, as without data checksums.
      expect(lsn).toBe(one.name === 'Heap2/VISIBLE block 1' ? pageLsn(one.before) : one.endLsn)
    },
  )

  test.each(cases.map((redoCase) => [redoCase.name, redoCase] as const))(
    'the stored chain of %s rebuilds it',
    (_, one) => {
      const record = decodeRecord(one.record, createDecodedRecord())
      const block = blockOf(record, one.blockId)
      const page = new Uint8Array(PAGE_SIZE).fill(0xee)
      const change = Uint8Array.from([PageChangeKind.walRecord, ...one.record])
      const values = block.willInit || block.applyImage ? [change] : [change, encodePageImage(one.before)]
      const lsns = [one.endLsn, pageLsn(one.before)].slice(0, values.length)
      applyPageChanges(page, { kind: 'block', ...block }, { values, lsns, complete: true })
      maskPage(page, pageMaskOf(record.rmid, block.fork), block.blockNumber)
      expect(crc32c(page)).toBe(one.afterCrc)
    },
  )

  test('an image that is only for checking is never used by native redo', () => {
    const wrong = new Uint8Array(PAGE_SIZE).fill(0x77)
    for (const one of cases) {
      const record = decodeRecord(one.record, createDecodedRecord())
      if (record.rmid === RmgrId.xlog) continue
      const block = blockOf(record, one.blockId)
      block.hasImage = true
      block.applyImage = false
      block.imageInfo = 0
      block.holeOffset = 0
      block.holeLength = 0
      block.image = wrong
      const page = one.before.slice()
      redoBlock(page, record, block, one.endLsn)
      maskPage(page, pageMaskOf(record.rmid, block.fork), block.blockNumber)
      expect([one.name, crc32c(page)]).toEqual([one.name, one.afterCrc])
    }
  })
})

describe('images', () => {
  const image = new Uint8Array(PAGE_SIZE)
  initPage(image, 16)
  image.fill(0x5a, 4000, 5000)

  function withImage(rmid: number, info: number, imageInfo: number): RecordParts {
    const block = { id: 0, ...RELATION, blockNumber: 7, image: { bytes: image, info: imageInfo } }
    return { rmid, info, prevLsn: Lsn.zero, blocks: [block], mainData: Uint8Array.of(1, 2, 3) }
  }

  function redo(parts: RecordParts, page = new Uint8Array(PAGE_SIZE)): Uint8Array {
    const record = decodeRecord(encodeRecord(parts), createDecodedRecord())
    redoBlock(page, record, record.blocks[0]!, END_LSN)
    return page
  }

  test.each(['hash', 'gin', 'gist', 'spgist', 'brin', 'generic'] as const)(
    '%s takes its image though it is for checking',
    (name) => {
      const page = redo(withImage(RmgrId[name], 0x10, 0))
      expect(pageLsn(page)).toBe(END_LSN)
      expect(Buffer.compare(page.subarray(8), image.subarray(8))).toBe(0)
    },
  )

  test('an image to be restored replaces the page whatever the record is', () => {
    const page = redo(withImage(RmgrId.heap, 0x00, ImageInfo.apply), new Uint8Array(PAGE_SIZE).fill(0xff))
    expect(pageLsn(page)).toBe(END_LSN)
    expect(Buffer.compare(page.subarray(8), image.subarray(8))).toBe(0)
  })

  test('an image of a page of zeros stays all zeros, pd_lsn too', () => {
    const block = {
      id: 0,
      ...RELATION,
      blockNumber: 7,
      image: { bytes: new Uint8Array(PAGE_SIZE), info: ImageInfo.apply },
    }
    const page = redo({ rmid: RmgrId.xlog, info: 0xb0, prevLsn: Lsn.zero, blocks: [block] }, image.slice())
    expect(page.every((byte) => byte === 0)).toBe(true)
  })

  test('a full-page image for hints without an image leaves the page alone', () => {
    const page = image.slice()
    redo({ rmid: RmgrId.xlog, info: 0xa0, prevLsn: Lsn.zero, blocks: [{ id: 0, ...RELATION, blockNumber: 7 }] }, page)
    expect(Buffer.compare(page, image)).toBe(0)
  })
})

describe('what cannot be redone', () => {
  const unknown: [string, number, number][] = [
    ['a resource manager of an extension', 130, 0x00],
    ['a GIN record without an image', RmgrId.gin, 0x20],
    ['a B-tree opcode that does not exist', RmgrId.btree, 0xf0],
    ['a reused B-tree page with a block', RmgrId.btree, 0xd0],
    ['a logical-decoding record with a block', RmgrId.heap2, 0x70],
    ['a full-page image record without an image', RmgrId.xlog, 0xb0],
    ['a block of a transaction record', RmgrId.xact, 0x00],
    ['a sequence opcode that does not exist', RmgrId.sequence, 0x10],
  ]

  test.each(unknown)('%s is refused, naming LSN, resource manager and opcode', (_, rmid, info) => {
    const parts = {
      rmid,
      info,
      prevLsn: Lsn.zero,
      blocks: [{ id: 0, ...RELATION, blockNumber: 7 }],
      mainData: new Uint8Array(40),
    }
    const record = decodeRecord(encodeRecord(parts), createDecodedRecord())
    const page = new Uint8Array(PAGE_SIZE)
    initPage(page, 16)
    const error = thrownBy(() => redoBlock(page, record, record.blocks[0]!, END_LSN))
    expect(isStorageError(error, 'unsupported')).toBe(true)
    expect(String(error)).toContain(`endLsn=0/1234560, rmid=${rmid}, opcode=0x${info.toString(16)}`)
  })

  test('a record that does not fit its page is corruption, naming LSN and page', () => {
    const heapCase = cases.find((one) => one.name === 'Heap/DELETE block 0')!
    const record = decodeRecord(heapCase.record, createDecodedRecord())
    const empty = new Uint8Array(PAGE_SIZE)
    initPage(empty, 0)
    const error = thrownBy(() => redoBlock(empty, record, record.blocks[0]!, heapCase.endLsn))
    expect(isStorageError(error, 'corruption')).toBe(true)
    expect(String(error)).toContain(`endLsn=${Lsn.format(heapCase.endLsn)}`)
    expect(String(error)).toContain('blockNumber=')
  })
})

function thrownBy(call: () => void): unknown {
  try {
    call()
  } catch (error) {
    return error
  }
  return undefined
}
