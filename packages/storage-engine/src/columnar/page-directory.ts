/**
 * What a layer keeps of each heap page besides its rows. One segment covers the heap pages of one data page; it is a blob
 * in the Parquet file, zstd-compressed, with one entry for each page:
 *   u8 kind
 *   kind 0 "zero":    the page is all zero
 *   kind 1 "columns": 24 bytes page header, u16 rows, u16 line pointers that are not normal, of each: u16 index from 0,
 *                     u32 line pointer;  u16 patch length, patch: { u16 page offset, u8 length, bytes }...
 *   kind 2 "whole":   u16 rows (in the columns, for queries only), 8192 bytes
 *
 * The segment list is a blob too:
 *   u32 magic "TCD1", u32 count, of each: u32 first page (relative to the layer), u32 pages, i32 row group, i32 data page
 *   (both -1: no rows), u32 rows, f64 blob offset, u32 blob length, u32 uncompressed length
 */
import { CorruptionError } from '../base/errors.ts'
import { PAGE_SIZE } from '../postgres/constants.ts'
import { PAGE_HEADER_SIZE } from '../postgres/page-header.ts'
import { u16, u32, writeI32, writeU16 } from './little-endian.ts'

export type PageEntry =
  | { readonly kind: 'zero'; readonly rowCount: 0 }
  | {
      readonly kind: 'columns'
      readonly rowCount: number
      readonly header: Uint8Array
      /** Line pointers that are not normal: index from 0, and the line pointer. */
      readonly itemIndexes: readonly number[]
      readonly items: readonly number[]
      readonly patch: Uint8Array
    }
  | { readonly kind: 'whole'; readonly rowCount: number; readonly page: Uint8Array }

export function encodePageEntries(entries: readonly PageEntry[]): Uint8Array {
  const sizes = entries.map(entrySize)
  const bytes = new Uint8Array(sizes.reduce((sum, size) => sum + size, 0))
  let at = 0
  entries.forEach((entry, i) => {
    encodeEntry(entry, bytes, at)
    at += sizes[i]!
  })
  return bytes
}

function entrySize(entry: PageEntry): number {
  switch (entry.kind) {
    case 'zero':
      return 1
    case 'columns':
      return 1 + PAGE_HEADER_SIZE + 4 + entry.items.length * 6 + 2 + entry.patch.length
    case 'whole':
      return 3 + PAGE_SIZE
  }
}

function encodeEntry(entry: PageEntry, bytes: Uint8Array, start: number): void {
  if (entry.kind === 'zero') return
  if (entry.kind === 'whole') {
    bytes[start] = 2
    writeU16(bytes, start + 1, entry.rowCount)
    bytes.set(entry.page, start + 3)
    return
  }
  bytes[start] = 1
  bytes.set(entry.header, start + 1)
  let at = start + 1 + PAGE_HEADER_SIZE
  writeU16(bytes, at, entry.rowCount)
  writeU16(bytes, at + 2, entry.items.length)
  at += 4
  for (let i = 0; i < entry.items.length; i++) {
    writeU16(bytes, at, entry.itemIndexes[i]!)
    writeI32(bytes, at + 2, entry.items[i]!)
    at += 6
  }
  writeU16(bytes, at, entry.patch.length)
  bytes.set(entry.patch, at + 2)
}

/** Borrows from `bytes`. Throws CorruptionError unless they are exactly `count` entries. */
export function decodePageEntries(bytes: Uint8Array, count: number): PageEntry[] {
  const entries: PageEntry[] = []
  let at = 0
  const need = (length: number): number => {
    if (at + length > bytes.length) throw new CorruptionError('page directory ends too early', { at, length })
    at += length
    return at - length
  }
  for (let i = 0; i < count; i++) {
    const kind = bytes[need(1)]!
    if (kind === 0) entries.push({ kind: 'zero', rowCount: 0 })
    else if (kind === 1) {
      const header = bytes.subarray(need(PAGE_HEADER_SIZE), at)
      const rowCount = u16(bytes, need(2))
      const itemCount = u16(bytes, need(2))
      const itemIndexes: number[] = []
      const items: number[] = []
      for (let k = 0; k < itemCount; k++) {
        const index = u16(bytes, need(2))
        if (PAGE_HEADER_SIZE + index * 4 + 4 > PAGE_SIZE)
          throw new CorruptionError('page directory line pointer', { index })
        itemIndexes.push(index)
        items.push(u32(bytes, need(4)))
      }
      const patchLength = u16(bytes, need(2))
      entries.push({
        kind: 'columns',
        rowCount,
        header,
        itemIndexes,
        items,
        patch: bytes.subarray(need(patchLength), at),
      })
    } else if (kind === 2) {
      const rowCount = u16(bytes, need(2))
      entries.push({ kind: 'whole', rowCount, page: bytes.subarray(need(PAGE_SIZE), at) })
    } else throw new CorruptionError('page directory entry of an unknown kind', { kind })
  }
  if (at !== bytes.length) throw new CorruptionError('page directory has loose bytes', { at, sizeBytes: bytes.length })
  return entries
}

/** Larger patches cost more than the page is worth: it is then kept whole. */
export const PATCH_BYTES_MAX = 2048

/** What turns `rebuilt` into `page`; undefined when it would be larger than PATCH_BYTES_MAX. */
export function makePatch(rebuilt: Uint8Array, page: Uint8Array): Uint8Array | undefined {
  let at = firstDifference(rebuilt, page, 0)
  if (at === PAGE_SIZE) return NO_PATCH
  const patch = new Uint8Array(PATCH_BYTES_MAX)
  let length = 0
  while (at < PAGE_SIZE) {
    let end = at + 1
    while (end < PAGE_SIZE && end - at < 255 && rebuilt[end] !== page[end]) end++
    if (length + 3 + end - at > PATCH_BYTES_MAX) return undefined
    writeU16(patch, length, at)
    patch[length + 2] = end - at
    patch.set(page.subarray(at, end), length + 3)
    length += 3 + end - at
    at = firstDifference(rebuilt, page, end)
  }
  return patch.slice(0, length)
}

export function applyPatch(patch: Uint8Array, page: Uint8Array): void {
  for (let at = 0; at < patch.length; ) {
    const offset = at + 3 <= patch.length ? u16(patch, at) : PAGE_SIZE
    const length = patch[at + 2] ?? 0
    if (offset + length > PAGE_SIZE || at + 3 + length > patch.length)
      throw new CorruptionError('page patch', { offset, length })
    page.set(patch.subarray(at + 3, at + 3 + length), offset)
    at += 3 + length
  }
}

export const NO_PATCH = new Uint8Array(0)

function firstDifference(a: Uint8Array, b: Uint8Array, from: number): number {
  let at = from
  while (at < PAGE_SIZE && a[at] === b[at]) at++
  return at
}

/** Rows of a segment follow those of the one before in the same row group. */
export interface SegmentRows {
  readonly rowGroup: number
  /** The data page that holds the first row; the last may be in the next one. */
  readonly dataPage: number
  /** Within the row group; not in the file. */
  readonly firstRow: number
  readonly rowCount: number
}

export interface DirectorySegment {
  /** Relative to the layer's first block. */
  readonly firstPage: number
  readonly pageCount: number
  /** Undefined: the pages have no rows. */
  readonly rows: SegmentRows | undefined
  readonly offset: number
  readonly length: number
  readonly uncompressedLength: number
}

const MAGIC = 0x31444354
const SEGMENT_SIZE = 36

export function encodeSegments(segments: readonly DirectorySegment[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(8 + segments.length * SEGMENT_SIZE))
  view.setUint32(0, MAGIC, true)
  view.setUint32(4, segments.length, true)
  segments.forEach((segment, i) => {
    const at = 8 + i * SEGMENT_SIZE
    view.setUint32(at, segment.firstPage, true)
    view.setUint32(at + 4, segment.pageCount, true)
    view.setInt32(at + 8, segment.rows?.rowGroup ?? -1, true)
    view.setInt32(at + 12, segment.rows?.dataPage ?? -1, true)
    view.setUint32(at + 16, segment.rows?.rowCount ?? 0, true)
    view.setFloat64(at + 20, segment.offset, true)
    view.setUint32(at + 28, segment.length, true)
    view.setUint32(at + 32, segment.uncompressedLength, true)
  })
  return new Uint8Array(view.buffer)
}

export function decodeSegments(bytes: Uint8Array): DirectorySegment[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (
    bytes.length < 8 ||
    view.getUint32(0, true) !== MAGIC ||
    view.getUint32(4, true) * SEGMENT_SIZE + 8 !== bytes.length
  ) {
    throw new CorruptionError('not a page directory', { sizeBytes: bytes.length })
  }
  let nextPage = 0
  let [group, nextRow] = [-1, 0]
  return Array.from({ length: view.getUint32(4, true) }, (_, i) => {
    const at = 8 + i * SEGMENT_SIZE
    const rowGroup = view.getInt32(at + 8, true)
    const rowCount = view.getUint32(at + 16, true)
    if (rowGroup >= 0 && rowGroup !== group) [group, nextRow] = [rowGroup, 0]
    const segment = {
      firstPage: view.getUint32(at, true),
      pageCount: view.getUint32(at + 4, true),
      rows:
        rowGroup < 0 ? undefined : { rowGroup, dataPage: view.getInt32(at + 12, true), firstRow: nextRow, rowCount },
      offset: view.getFloat64(at + 20, true),
      length: view.getUint32(at + 28, true),
      uncompressedLength: view.getUint32(at + 32, true),
    }
    if (segment.firstPage !== nextPage)
      throw new CorruptionError('page directory has a gap', { firstPage: segment.firstPage, nextPage })
    nextPage += segment.pageCount
    if (rowGroup >= 0) nextRow += rowCount
    return segment
  })
}
