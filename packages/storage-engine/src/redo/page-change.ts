/**
 * Values stored under the key of one page: either the whole page or one change on top of the next older value. One
 * kind byte, then little-endian fields:
 *
 *   1 image                   holeOffset u16, holeLength u16, the page without its hole (pd_lsn already set)
 *   2 WAL record              the whole record from its 24-byte header on; the block is found by relation, fork, number
 *   3 visibility clear        {heap block u32, bits u8} …
 *   4 transaction status      status u8, commit time i64 (microseconds since 2000), xids u32 …
 *   5 multixact offsets       {multixact u32, member offset u32} …
 *   6 multixact members       first member offset u32, {xid u32, status u8} …
 *   7 zero page
 *   8 visibility truncation   heap block count u32
 *   9 free-space truncation   first slot to clear u32
 *
 * The LSN of a value is the end LSN of the record it comes from, and becomes pd_lsn. A chain ends with a value marked
 * `willInit` in the store; when that is no image, it applies to a page of zeros.
 */
import { CorruptionError } from '../base/errors.ts'
import { PAGE_SIZE } from '../postgres/constants.ts'
import type { Lsn } from '../postgres/lsn.ts'
import { restoreBlockImage } from '../wal/block-image.ts'
import type { DecodedRecord, WalBlock, WalRecord } from '../wal/record.ts'
import { createDecodedRecord, decodeRecord } from '../wal/record-decoder.ts'

import { clearFreeSpaceTail } from './free-space-map.ts'
import { readU16, readU32, writeU16, writeU32 } from './little-endian.ts'
import { isNewPage, PAGE_HEADER_SIZE, pageLower, pageUpper, setPageLsn } from './page.ts'
import { changesBlock, redoBlock, redoesByImage } from './redo.ts'
import { setMultixactMember, setMultixactOffset, setTransactionStatus } from './slru-page.ts'
import { clearVisibilityBits, clearVisibilityTail } from './visibility-map.ts'

export const PageChangeKind = {
  image: 1,
  walRecord: 2,
  visibilityClear: 3,
  transactionStatus: 4,
  multixactOffsets: 5,
  multixactMembers: 6,
  zeroPage: 7,
  visibilityTruncation: 8,
  freeSpaceTruncation: 9,
} as const

/** Which page a chain belongs to. */
export type PageAddress = BlockAddress | SlruAddress

export interface BlockAddress {
  readonly kind: 'block'
  readonly spcOid: number
  readonly dbOid: number
  readonly relNumber: number
  readonly fork: number
  readonly blockNumber: number
}

export interface SlruAddress {
  readonly kind: 'slru'
  readonly slru: 'clog' | 'multixact-offsets' | 'multixact-members'
  readonly pageNumber: number
}

/** Values of one page key, newest first, the last one `willInit` (the shape of TimelineStorage's ValueChain). */
export interface PageChangeChain {
  readonly lsns: readonly Lsn[]
  readonly values: readonly Uint8Array[]
  readonly complete: boolean
}

/** One value for the store. */
export interface PageChange {
  readonly willInit: boolean
  readonly value: Uint8Array
}

/** Transaction status bits of pg_xact (src/include/access/clog.h). */
export const TransactionStatus = { committed: 1, aborted: 2 } as const

const IMAGE_HEADER_SIZE = 5
const decodedRecord = createDecodedRecord()
const imageScratch = new Uint8Array(PAGE_SIZE)
let recordScratch = new Uint8Array(64 * 1024)
const ZERO_PAGE = Uint8Array.of(PageChangeKind.zeroPage)

/**
 * Rebuilds a page into `page` (8192 bytes, any content) from a complete chain.
 * Throws CorruptionError for an incomplete chain or bytes that cannot be, `unsupported` for a record without redo.
 */
export function applyPageChanges(page: Uint8Array, address: PageAddress, chain: PageChangeChain): void {
  if (!chain.complete || chain.values.length === 0) {
    throw new CorruptionError('page without a complete history', { ...address, valueCount: chain.values.length })
  }
  if (page.length !== PAGE_SIZE) throw new CorruptionError('not a page-sized buffer', { length: page.length })
  // An image covers the page whole.
  if (chain.values.at(-1)![0] !== PageChangeKind.image) page.fill(0)
  for (let i = chain.values.length - 1; i >= 0; i--) applyPageChange(page, address, chain.values[i]!, chain.lsns[i]!)
}

/** Applies one value on top of `page`; an image or zero page replaces it. */
export function applyPageChange(page: Uint8Array, address: PageAddress, value: Uint8Array, endLsn: Lsn): void {
  switch (value[0]) {
    case PageChangeKind.image:
      decodeImage(page, value)
      return
    case PageChangeKind.walRecord:
      applyRecord(page, address, value, endLsn)
      return
    case PageChangeKind.visibilityClear:
      if ((value.length - 1) % 5 !== 0) throw truncatedValue(value)
      for (let at = 1; at < value.length; at += 5) {
        clearVisibilityBits(page, blockOf(address, value).blockNumber, readU32(value, at), value[at + 4]! & 3)
      }
      if (!isNewPage(page)) setPageLsn(page, endLsn)
      return
    case PageChangeKind.transactionStatus:
      if (value.length < 14 || (value.length - 10) % 4 !== 0) throw truncatedValue(value)
      for (let at = 10; at < value.length; at += 4) {
        setTransactionStatus(page, slruOf(address, 'clog', value), readU32(value, at), value[1]!)
      }
      return
    case PageChangeKind.multixactOffsets:
      if ((value.length - 1) % 8 !== 0) throw truncatedValue(value)
      for (let at = 1; at < value.length; at += 8) {
        setMultixactOffset(
          page,
          slruOf(address, 'multixact-offsets', value),
          readU32(value, at),
          readU32(value, at + 4),
        )
      }
      return
    case PageChangeKind.multixactMembers: {
      if (value.length < 10 || (value.length - 5) % 5 !== 0) throw truncatedValue(value)
      const first = readU32(value, 1)
      for (let at = 5, i = 0; at < value.length; at += 5, i++) {
        const offset = (first + i) >>> 0
        setMultixactMember(
          page,
          slruOf(address, 'multixact-members', value),
          offset,
          readU32(value, at),
          value[at + 4]!,
        )
      }
      return
    }
    case PageChangeKind.zeroPage:
      page.fill(0)
      return
    case PageChangeKind.visibilityTruncation:
      if (value.length !== 5) throw truncatedValue(value)
      clearVisibilityTail(page, blockOf(address, value).blockNumber, readU32(value, 1))
      if (!isNewPage(page)) setPageLsn(page, endLsn)
      return
    case PageChangeKind.freeSpaceTruncation:
      if (value.length !== 5) throw truncatedValue(value)
      clearFreeSpaceTail(page, readU32(value, 1))
      return
    default:
      throw new CorruptionError('page value of unknown kind', { kind: value[0], length: value.length })
  }
}

/** A whole page as one `willInit` value. The hole between pd_lower and pd_upper is left out when it is all zeros or stale. */
export function encodePageImage(page: Uint8Array): Uint8Array {
  if (isZeroPage(page)) return ZERO_PAGE
  const lower = pageLower(page)
  const upper = pageUpper(page)
  // Only a hole of zeros may go: pages exist that keep data there without moving pd_lower (VM, FSM, old metapages).
  const hasHole = lower >= PAGE_HEADER_SIZE && upper > lower && upper <= PAGE_SIZE && isZero(page, lower, upper)
  const holeLength = hasHole ? upper - lower : 0
  const holeOffset = hasHole ? lower : 0
  const value = new Uint8Array(IMAGE_HEADER_SIZE + PAGE_SIZE - holeLength)
  value[0] = PageChangeKind.image
  writeU16(value, 1, holeOffset)
  writeU16(value, 3, holeLength)
  value.set(page.subarray(0, holeOffset), IMAGE_HEADER_SIZE)
  value.set(page.subarray(holeOffset + holeLength), IMAGE_HEADER_SIZE + holeOffset)
  return value
}

/**
 * The value of one block reference of a record, or undefined when the record leaves that page as it is (an
 * FPI_FOR_HINT without an image). Images to be restored, and the after-images of resource managers without own redo,
 * become image values; anything else is the record itself. The value is valid until the next call. Throws `unsupported` for a record that cannot be redone.
 */
export function encodeBlockChange(record: WalRecord, decoded: DecodedRecord, block: WalBlock): PageChange | undefined {
  if (!changesBlock(decoded, block, record.endLsn)) return undefined
  if (block.hasImage && (block.applyImage || redoesByImage(decoded.rmid))) {
    restoreBlockImage(block, imageScratch)
    if (!isNewPage(imageScratch)) setPageLsn(imageScratch, record.endLsn)
    return { willInit: true, value: encodePageImage(imageScratch) }
  }
  const length = 1 + record.bytes.length
  if (recordScratch.length < length) recordScratch = new Uint8Array(2 * length)
  recordScratch[0] = PageChangeKind.walRecord
  recordScratch.set(record.bytes, 1)
  return { willInit: block.willInit, value: recordScratch.subarray(0, length) }
}

/** Clears visibility bits of heap blocks that all lie on one page of the map; `entries` as visibilityClears gives them. */
export function encodeVisibilityClear(
  entries: readonly { readonly heapBlock: number; readonly bits: number }[],
): Uint8Array {
  const value = new Uint8Array(1 + entries.length * 5)
  value[0] = PageChangeKind.visibilityClear
  entries.forEach((entry, i) => {
    writeU32(value, 1 + i * 5, entry.heapBlock)
    value[5 + i * 5] = entry.bits
  })
  return value
}

/**
 * Sets the status (TransactionStatus) of xids that all lie on one pg_xact page. `timeMicros` is the commit time in
 * microseconds since 2000-01-01, kept for the record of when; 0 if unknown.
 */
export function encodeTransactionStatus(status: number, timeMicros: bigint, xids: ArrayLike<number>): Uint8Array {
  const value = new Uint8Array(10 + xids.length * 4)
  value[0] = PageChangeKind.transactionStatus
  value[1] = status
  new DataView(value.buffer).setBigInt64(2, timeMicros, true)
  for (let i = 0; i < xids.length; i++) writeU32(value, 10 + i * 4, xids[i]!)
  return value
}

/** Sets entries of one multixact offsets page: pairs of multixact and its first member's offset. */
export function encodeMultixactOffsets(entries: readonly (readonly [multixact: number, offset: number])[]): Uint8Array {
  const value = new Uint8Array(1 + entries.length * 8)
  value[0] = PageChangeKind.multixactOffsets
  entries.forEach(([multixact, offset], i) => {
    writeU32(value, 1 + i * 8, multixact)
    writeU32(value, 5 + i * 8, offset)
  })
  return value
}

/**
 * Sets members [from, to) of a multixact whose member `from` has offset `firstOffset`; all must lie on one members page.
 * `members` holds {xid u32, status u32} as in the CREATE_ID record.
 */
export function encodeMultixactMembers(firstOffset: number, members: Uint8Array, from: number, to: number): Uint8Array {
  const value = new Uint8Array(5 + (to - from) * 5)
  value[0] = PageChangeKind.multixactMembers
  writeU32(value, 1, firstOffset)
  for (let i = from; i < to; i++) {
    writeU32(value, 5 + (i - from) * 5, readU32(members, i * 8))
    value[9 + (i - from) * 5] = members[i * 8 + 4]!
  }
  return value
}

/** A page of zeros, for any key; store it as `willInit`. */
export function encodeZeroPage(): Uint8Array {
  return ZERO_PAGE
}

/** The visibility-map page that is cut when the heap is truncated to `heapBlockCount` blocks. */
export function encodeVisibilityTruncation(heapBlockCount: number): Uint8Array {
  return u32Value(PageChangeKind.visibilityTruncation, heapBlockCount)
}

/** The free-space-map page that is cut when its relation is truncated; slots from `firstSlot` on become 0. */
export function encodeFreeSpaceTruncation(firstSlot: number): Uint8Array {
  return u32Value(PageChangeKind.freeSpaceTruncation, firstSlot)
}

function u32Value(kind: number, number: number): Uint8Array {
  const value = new Uint8Array(5)
  value[0] = kind
  writeU32(value, 1, number)
  return value
}

function decodeImage(page: Uint8Array, value: Uint8Array): void {
  const holeOffset = readU16(value, 1)
  const holeLength = readU16(value, 3)
  if (holeOffset + holeLength > PAGE_SIZE || value.length !== IMAGE_HEADER_SIZE + PAGE_SIZE - holeLength) {
    throw new CorruptionError('page image of wrong length', { holeOffset, holeLength, length: value.length })
  }
  page.set(value.subarray(IMAGE_HEADER_SIZE, IMAGE_HEADER_SIZE + holeOffset))
  page.fill(0, holeOffset, holeOffset + holeLength)
  page.set(value.subarray(IMAGE_HEADER_SIZE + holeOffset), holeOffset + holeLength)
}

function applyRecord(page: Uint8Array, address: PageAddress, value: Uint8Array, endLsn: Lsn): void {
  const target = blockOf(address, value)
  const record = decodeRecord(value.subarray(1), decodedRecord)
  for (let i = 0; i < record.blockCount; i++) {
    const block = record.blocks[i]!
    if (
      block.blockNumber === target.blockNumber &&
      block.relNumber === target.relNumber &&
      block.fork === target.fork &&
      block.dbOid === target.dbOid &&
      block.spcOid === target.spcOid
    ) {
      redoBlock(page, record, block, endLsn)
      return
    }
  }
  throw new CorruptionError('record does not name the page it is stored for', { ...target })
}

function blockOf(address: PageAddress, value: Uint8Array): BlockAddress {
  if (address.kind === 'block') return address
  throw new CorruptionError('relation change stored for an SLRU page', { ...address, valueKind: value[0] })
}

function slruOf(address: PageAddress, slru: SlruAddress['slru'], value: Uint8Array): number {
  if (address.kind === 'slru' && address.slru === slru) return address.pageNumber
  throw new CorruptionError('SLRU change stored for another page', { ...address, valueKind: value[0] })
}

function truncatedValue(value: Uint8Array): CorruptionError {
  return new CorruptionError('page value of wrong length', { valueKind: value[0], length: value.length })
}

function isZeroPage(page: Uint8Array): boolean {
  return isNewPage(page) && isZero(page, 0, PAGE_SIZE)
}

function isZero(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (bytes[i] !== 0) return false
  return true
}
