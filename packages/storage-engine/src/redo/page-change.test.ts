import { describe, expect, test } from 'vitest'
import { isStorageError } from '../base/errors.ts'
import { PAGE_SIZE } from '../postgres/constants.ts'
import { Lsn } from '../postgres/lsn.ts'
import { Fork } from '../postgres/relation.ts'
import type { WalRecord } from '../wal/record.ts'
import { createDecodedRecord, decodeRecord, ImageInfo } from '../wal/record-decoder.ts'
import { encodeRecord } from '../wal/record-encoder.ts'
import { RmgrId } from '../wal/rmgr-table.ts'
import { SLOTS_PER_FSM_PAGE } from './free-space-map.ts'
import { readU32 } from './little-endian.ts'
import { initPage, pageLsn, setPageLower, setPageLsn } from './page.ts'
import {
  applyPageChanges,
  encodeBlockChange,
  encodeFreeSpaceTruncation,
  encodeMultixactMembers,
  encodeMultixactOffsets,
  encodePageImage,
  encodeTransactionStatus,
  encodeVisibilityClear,
  encodeVisibilityTruncation,
  encodeZeroPage,
  type PageAddress,
  type SlruAddress,
  TransactionStatus,
} from './page-change.ts'
import { transactionStatus } from './slru-page.ts'
import { HEAP_BLOCKS_PER_VM_PAGE } from './visibility-map.ts'

const BLOCK: PageAddress = { kind: 'block', spcOid: 1663, dbOid: 5, relNumber: 16384, fork: Fork.main, blockNumber: 3 }
const LSN = (n: number): Lsn => Lsn.of(n * 0x100)

/** Values oldest first, one LSN after the other. */
function rebuild(address: PageAddress, values: readonly Uint8Array[]): Uint8Array {
  const page = new Uint8Array(PAGE_SIZE).fill(0xab)
  const lsns = values.map((_, i) => LSN(i + 1)).reverse()
  applyPageChanges(page, address, { values: [...values].reverse(), lsns, complete: true })
  return page
}

function vmAddress(blockNumber: number): PageAddress {
  return { kind: 'block', spcOid: 1663, dbOid: 5, relNumber: 16384, fork: Fork.vm, blockNumber }
}

function slru(name: SlruAddress['slru'], pageNumber: number): PageAddress {
  return { kind: 'slru', slru: name, pageNumber }
}

describe('images', () => {
  test('a page with a hole of zeros is stored without it and comes back whole', () => {
    const page = new Uint8Array(PAGE_SIZE)
    initPage(page, 16)
    setPageLsn(page, LSN(9))
    setPageLower(page, 40)
    page.fill(7, 24, 40)
    page.fill(9, PAGE_SIZE - 16)
    const value = encodePageImage(page)
    expect(value.length).toBe(5 + 40 + 16)
    expect(rebuild(BLOCK, [value])).toEqual(page)
  })

  test('data between pd_lower and pd_upper, as in the visibility map, is kept', () => {
    const page = new Uint8Array(PAGE_SIZE)
    initPage(page, 0)
    page[5000] = 3
    expect(rebuild(BLOCK, [encodePageImage(page)])).toEqual(page)
  })

  test('a page of zeros is one byte', () => {
    expect(encodePageImage(new Uint8Array(PAGE_SIZE))).toEqual(encodeZeroPage())
    expect(encodeZeroPage().length).toBe(1)
    expect(rebuild(BLOCK, [encodeZeroPage()]).every((byte) => byte === 0)).toBe(true)
  })

  test('any bytes survive, also those of pages without a header', () => {
    for (let seed = 1; seed < 40; seed++) {
      const page = Uint8Array.from({ length: PAGE_SIZE }, (_, i) => (i % 11 < seed % 13 ? 0 : (i * seed) & 255))
      expect(rebuild(slru('clog', 0), [encodePageImage(page)])).toEqual(page)
    }
  })
})

describe('visibility map', () => {
  const map = new Uint8Array(PAGE_SIZE)
  initPage(map, 0)
  map.fill(0xff, 24)

  test('a clear takes both bits or the frozen one of just that heap block, on the right map page', () => {
    const base = HEAP_BLOCKS_PER_VM_PAGE
    const clears = [
      { heapBlock: base + 5, bits: 3 },
      { heapBlock: base + 6, bits: 2 },
    ]
    const page = rebuild(vmAddress(1), [encodePageImage(map), encodeVisibilityClear(clears)])
    expect(page[24]).toBe(0xff)
    expect(page[25]).toBe(0b11_01_00_11)
    expect(pageLsn(page)).toBe(LSN(2))
  })

  test('a clear of a page that was never initialised leaves it all zeros', () => {
    const page = rebuild(vmAddress(0), [encodeZeroPage(), encodeVisibilityClear([{ heapBlock: 5, bits: 3 }])])
    expect(page.every((byte) => byte === 0)).toBe(true)
  })

  test('a truncation clears every bit from the new end of the heap on', () => {
    const page = rebuild(vmAddress(0), [encodePageImage(map), encodeVisibilityTruncation(9)])
    expect([...page.subarray(24, 28)]).toEqual([0xff, 0xff, 0b11, 0])
    expect(page.subarray(28).every((byte) => byte === 0)).toBe(true)
  })

  test('a heap block of another map page is corruption', () => {
    const clear = encodeVisibilityClear([{ heapBlock: HEAP_BLOCKS_PER_VM_PAGE, bits: 3 }])
    expect(() => rebuild(vmAddress(0), [encodePageImage(map), clear])).toThrow(/heap block not on this/)
  })
})

test('a free-space truncation zeroes the slots and what the tree said of them', () => {
  const page = new Uint8Array(PAGE_SIZE)
  initPage(page, 0)
  const leaves = 28 + 4095
  page[leaves + 10] = 200
  page[leaves + 4000] = 250
  page[28] = 250
  const address: PageAddress = {
    kind: 'block',
    spcOid: 1663,
    dbOid: 5,
    relNumber: 16384,
    fork: Fork.fsm,
    blockNumber: 2,
  }
  const cut = rebuild(address, [encodePageImage(page), encodeFreeSpaceTruncation(100)])
  expect(cut[leaves + 4000]).toBe(0)
  expect(cut[leaves + 10]).toBe(200)
  expect(cut[28]).toBe(200)
  const bad = encodeFreeSpaceTruncation(SLOTS_PER_FSM_PAGE + 1)
  expect(() => rebuild(address, [encodePageImage(page), bad])).toThrow(/slot not on/)
})

describe('pg_xact and pg_multixact', () => {
  test('a status is set for each xid and replaces the one before', () => {
    const page = rebuild(slru('clog', 1), [
      encodeZeroPage(),
      encodeTransactionStatus(TransactionStatus.aborted, 0n, [32768, 32773]),
      encodeTransactionStatus(TransactionStatus.committed, 5n, [32773, 65535]),
    ])
    expect([32768, 32769, 32773, 65535].map((xid) => transactionStatus(page, 1, xid))).toEqual([2, 0, 1, 1])
  })

  test('offsets are written at their multixact', () => {
    const page = rebuild(slru('multixact-offsets', 1), [
      encodeZeroPage(),
      encodeMultixactOffsets([
        [2048, 17],
        [2049, 20],
      ]),
    ])
    expect([readU32(page, 0), readU32(page, 4), readU32(page, 8)]).toEqual([17, 20, 0])
  })

  test('members go to their group: four status bytes, then four xids', () => {
    const members = Uint8Array.from([
      ...[100, 0, 0, 0, 1, 0, 0, 0],
      ...[101, 0, 0, 0, 5, 0, 0, 0],
      ...[102, 0, 0, 0, 3, 0, 0, 0],
    ])
    const page = rebuild(slru('multixact-members', 1), [
      encodeZeroPage(),
      encodeMultixactMembers(1636 + 3, members, 0, 3),
    ])
    expect(page[3]).toBe(1)
    expect(readU32(page, 4 + 12)).toBe(100)
    expect([page[20], page[21]]).toEqual([5, 3])
    expect([readU32(page, 24), readU32(page, 28)]).toEqual([101, 102])
  })

  test('a value stored under another page is corruption', () => {
    const status = encodeTransactionStatus(TransactionStatus.committed, 0n, [40000])
    expect(() => rebuild(slru('clog', 0), [encodeZeroPage(), status])).toThrow(/entry not on this SLRU page/)
    expect(() => rebuild(slru('multixact-offsets', 1), [encodeZeroPage(), status])).toThrow(/another page/)
    expect(() => rebuild(BLOCK, [encodeZeroPage(), status])).toThrow(/another page/)
  })
})

describe('values of block references', () => {
  const image = new Uint8Array(PAGE_SIZE)
  initPage(image, 0)
  const block = { id: 0, spcOid: 1663, dbOid: 5, relNumber: 16384, blockNumber: 3 }

  function change(rmid: number, info: number, parts: object): ReturnType<typeof encodeBlockChange> {
    const bytes = encodeRecord({
      rmid,
      info,
      prevLsn: Lsn.zero,
      blocks: [{ ...block, ...parts }],
      mainData: new Uint8Array(8),
    })
    const record: WalRecord = { startLsn: LSN(4), endLsn: LSN(5), prevLsn: Lsn.zero, xid: 0, info, rmid, bytes }
    const decoded = decodeRecord(bytes, createDecodedRecord())
    return encodeBlockChange(record, decoded, decoded.blocks[0]!)
  }

  test('an image to restore becomes an image that starts a history, with pd_lsn at the record’s end', () => {
    const made = change(RmgrId.btree, 0x00, { image: { bytes: image, info: ImageInfo.apply } })
    expect(made?.willInit).toBe(true)
    expect(pageLsn(rebuild(BLOCK, [made!.value]))).toBe(LSN(5))
  })

  test('so does the image for checking of a resource manager without own redo', () => {
    expect(change(RmgrId.gist, 0x00, { image: { bytes: image, info: 0 } })?.willInit).toBe(true)
  })

  test('a native record is stored whole; it starts a history when it initialises its page', () => {
    const plain = change(RmgrId.heap, 0x10, {})
    expect([plain?.willInit, plain?.value[0]]).toEqual([false, 2])
    expect(change(RmgrId.sequence, 0x00, { willInit: true })?.willInit).toBe(true)
  })

  test('a hint record without an image changes nothing', () => {
    expect(change(RmgrId.xlog, 0xa0, {})).toBe(undefined)
  })

  test('a record that cannot be redone is refused when it is taken in, not when its page is read', () => {
    let error: unknown
    try {
      change(RmgrId.gin, 0x20, {})
    } catch (thrown) {
      error = thrown
    }
    expect(isStorageError(error, 'unsupported')).toBe(true)
  })
})

describe('damaged values', () => {
  test.each([
    ['an unknown kind', Uint8Array.of(99)],
    ['no bytes at all', new Uint8Array(0)],
    ['an image cut short', encodePageImage(new Uint8Array(PAGE_SIZE).fill(1)).subarray(0, 100)],
    ['a clear cut short', Uint8Array.of(3, 1, 0)],
    ['a record cut short', Uint8Array.of(2, 1, 2, 3)],
  ])('%s is corruption', (_, value) => {
    let error: unknown
    try {
      rebuild(BLOCK, [encodeZeroPage(), value])
    } catch (thrown) {
      error = thrown
    }
    expect(isStorageError(error, 'corruption')).toBe(true)
  })

  test('a chain without its beginning is corruption', () => {
    const chain = { values: [encodeZeroPage()], lsns: [LSN(1)], complete: false }
    expect(() => applyPageChanges(new Uint8Array(PAGE_SIZE), BLOCK, chain)).toThrow(/complete history/)
  })
})
