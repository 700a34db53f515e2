/**
 * What Postgres leaves out when it compares a replayed page with the page the primary had (rm_mask functions:
 * src/backend/access/common/bufmask.c; heap_mask, btree_mask, seq_mask, gin_mask, gist_mask, spg_mask, brin_mask,
 * hash_mask, generic_mask, PG 18). For comparison only; the masked page is no page any more.
 *
 * The visibility map differs from Postgres on purpose: heap_mask would blank all of it, since it lies between pd_lower
 * and pd_upper. Here all its bits count.
 */
import { PAGE_SIZE } from '../postgres/constants.ts'
import { Fork } from '../postgres/relation.ts'
import { RmgrId } from '../wal/rmgr-table.ts'
import { readU16, writeU16 } from './little-endian.ts'
import {
  align8,
  clearPageFlag,
  isNewPage,
  LP_NORMAL,
  LP_UNUSED,
  linePointer,
  lpFlags,
  lpLength,
  lpOffset,
  maxOffsetNumber,
  PAGE_HEADER_SIZE,
  PD_ALL_VISIBLE,
  PD_HAS_FREE_LINES,
  PD_PAGE_FULL,
  pageLower,
  pageSpecial,
  pageUpper,
  setLinePointer,
  setPagePruneXid,
} from './page.ts'

/** Whose rules a page follows. */
export type PageMask =
  | 'heap'
  | 'btree'
  | 'sequence'
  | 'hash'
  | 'gin'
  | 'gist'
  | 'spgist'
  | 'brin'
  | 'generic'
  | 'visibility-map'
  | 'header-only'

const HEAP_XACT_MASK = 0xfff0
const HEAP_XMIN_FROZEN = 0x0300
const HEAP_XMAX_COMMITTED_OR_INVALID = 0x0c00
const SPECULATIVE_TOKEN_OFFSET = 0xfffe

const BTP_LEAF = 0x0001
const BTP_SPLIT_END_OR_HAS_GARBAGE = 0x0060
const GIN_DELETED = 0x0004
const GIST_LEAF = 0x0001
const GIST_FOLLOW_RIGHT = 0x0008
const GIST_HAS_GARBAGE = 0x0010
const BRIN_META = 0xf091
const BRIN_REGULAR = 0xf093
const BRIN_EVACUATE_PAGE = 0x0001
const HASH_PAGE_TYPE = 0x000f
const HASH_OVERFLOW_OR_BUCKET = 0x0003
const HASH_HAS_DEAD_TUPLES = 0x0080

/** The rules for pages of a fork that were last changed by a record of this resource manager. */
export function pageMaskOf(rmid: number, fork: number): PageMask {
  if (fork === Fork.vm) return 'visibility-map'
  switch (rmid) {
    case RmgrId.heap:
    case RmgrId.heap2:
      return 'heap'
    case RmgrId.btree:
      return 'btree'
    case RmgrId.sequence:
      return 'sequence'
    case RmgrId.hash:
      return 'hash'
    case RmgrId.gin:
      return 'gin'
    case RmgrId.gist:
      return 'gist'
    case RmgrId.spgist:
      return 'spgist'
    case RmgrId.brin:
      return 'brin'
    case RmgrId.generic:
      return 'generic'
    default:
      return 'header-only'
  }
}

/** Blanks in place what may differ. A page that was never initialised is left as it is. */
export function maskPage(page: Uint8Array, mask: PageMask, blockNumber: number): void {
  if (isNewPage(page)) return
  // pd_lsn and pd_checksum
  page.fill(0, 0, 10)
  switch (mask) {
    case 'heap':
      maskHints(page)
      maskHole(page)
      maskHeapTuples(page, blockNumber)
      return
    case 'btree':
      maskHints(page)
      maskHole(page)
      maskBtreeSpecial(page)
      return
    case 'sequence':
    case 'generic':
      maskHole(page)
      return
    case 'hash':
      maskHints(page)
      maskHole(page)
      maskHashSpecial(page)
      return
    case 'gin':
      maskHints(page)
      if (readU16(page, pageSpecial(page) + 6) & GIN_DELETED) maskContent(page)
      else if (pageLower(page) > PAGE_HEADER_SIZE) maskHole(page)
      return
    case 'gist':
      maskHints(page)
      maskHole(page)
      maskGistSpecial(page)
      return
    case 'spgist':
      maskHints(page)
      if (pageLower(page) >= PAGE_HEADER_SIZE) maskHole(page)
      return
    case 'brin':
      maskHints(page)
      maskBrin(page)
      return
    case 'visibility-map':
    case 'header-only':
      return
    default:
      mask satisfies never
  }
}

function maskHints(page: Uint8Array): void {
  setPagePruneXid(page, 0)
  clearPageFlag(page, PD_PAGE_FULL | PD_HAS_FREE_LINES | PD_ALL_VISIBLE)
}

function maskHole(page: Uint8Array): void {
  const lower = pageLower(page)
  const upper = pageUpper(page)
  if (lower >= PAGE_HEADER_SIZE && lower <= upper && upper <= PAGE_SIZE) page.fill(0, lower, upper)
}

function maskContent(page: Uint8Array): void {
  page.fill(0, PAGE_HEADER_SIZE)
  writeU16(page, 12, 0)
  writeU16(page, 14, 0)
}

function maskLineFlags(page: Uint8Array): void {
  const lineCount = maxOffsetNumber(page)
  for (let number = 1; number <= lineCount; number++) {
    const pointer = linePointer(page, number)
    setLinePointer(page, number, lpOffset(pointer), LP_UNUSED, lpLength(pointer))
  }
}

function maskHeapTuples(page: Uint8Array, blockNumber: number): void {
  const lineCount = maxOffsetNumber(page)
  for (let number = 1; number <= lineCount; number++) {
    const pointer = linePointer(page, number)
    const length = lpLength(pointer)
    if (length === 0) continue
    const tuple = lpOffset(pointer)
    if (lpFlags(pointer) === LP_NORMAL) {
      const infomask = readU16(page, tuple + 20)
      const frozen = (infomask & HEAP_XMIN_FROZEN) === HEAP_XMIN_FROZEN
      writeU16(page, tuple + 20, infomask & ~(frozen ? HEAP_XMAX_COMMITTED_OR_INVALID : HEAP_XACT_MASK))
      // t_cid: replay knows no command ids
      page.fill(0, tuple + 8, tuple + 12)
      if (readU16(page, tuple + 16) === SPECULATIVE_TOKEN_OFFSET) {
        writeU16(page, tuple + 12, blockNumber >>> 16)
        writeU16(page, tuple + 14, blockNumber)
        writeU16(page, tuple + 16, number)
      }
    }
    const padded = align8(length)
    if (padded > length) page.fill(0, tuple + length, tuple + padded)
  }
}

function maskBtreeSpecial(page: Uint8Array): void {
  const special = pageSpecial(page)
  const flags = readU16(page, special + 12)
  if (flags & BTP_LEAF) maskLineFlags(page)
  writeU16(page, special + 12, flags & ~BTP_SPLIT_END_OR_HAS_GARBAGE)
  writeU16(page, special + 14, 0)
}

function maskHashSpecial(page: Uint8Array): void {
  const special = pageSpecial(page)
  const flags = readU16(page, special + 12)
  if ((flags & HASH_PAGE_TYPE) === 0) maskContent(page)
  else if (flags & HASH_OVERFLOW_OR_BUCKET) {
    maskLineFlags(page)
    writeU16(page, special + 12, flags & ~HASH_HAS_DEAD_TUPLES)
  }
}

function maskGistSpecial(page: Uint8Array): void {
  const special = pageSpecial(page)
  // nsn
  page.fill(0, special, special + 8)
  const flags = readU16(page, special + 12)
  if (flags & GIST_LEAF) maskLineFlags(page)
  writeU16(page, special + 12, (flags | GIST_FOLLOW_RIGHT) & ~GIST_HAS_GARBAGE)
}

function maskBrin(page: Uint8Array): void {
  const special = pageSpecial(page)
  const type = readU16(page, special + 6)
  if (type === BRIN_REGULAR || (type === BRIN_META && pageLower(page) > PAGE_HEADER_SIZE)) maskHole(page)
  writeU16(page, special + 4, readU16(page, special + 4) & ~BRIN_EVACUATE_PAGE)
}
