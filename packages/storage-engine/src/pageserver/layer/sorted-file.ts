/**
 * The container of delta and page-image layers: values in sorted order, compressed in blocks, with an index that is
 * itself in blocks. docs/formats/delta-layer.md and page-image-layer.md give the tables; all numbers little-endian but
 * sort keys, which compare bytewise.
 *
 *   header | (data block | index block)* | tail block | footer
 *
 *   header   64 bytes: 0 magic[8]  8 u32 version  12 u32 sort key bytes  16 timeline id[16]  32 zero[28]  60 u32 crc32c(0..60)
 *   block    u32 crc32c of the rest | u32 raw length, top bit = zstd | payload
 *   row      sort key | u32 data block number | u32 offset in the block | u32 value length, top bit = flag
 *   tail     a block; see encodeTail
 *   footer   32 bytes: 0 u32 tail offset  4 u32 tail length  8 u32 version  12 zero[8]  20 magic[8]  28 u32 crc32c(0..28)
 *
 * Each byte of the file is under one checksum, so a flipped bit anywhere is found when that part is read.
 */
import { crc32c } from '../../base/crc32c.ts'
import { CorruptionError, isStorageError } from '../../base/errors.ts'
import { decompress } from '../../base/zstd.ts'
import { KEY_BYTES } from '../key.ts'

export const SORTED_FILE_VERSION = 1
export const HEADER_BYTES = 64
export const FOOTER_BYTES = 32
export const BLOCK_HEADER_BYTES = 8
export const ROW_LOCATION_BYTES = 12
export const COMPRESSED_BIT = 0x8000_0000
export const FLAG_BIT = 0x8000_0000

/** A data block is closed when the next value would take it beyond this; a larger value is a block of its own. */
export const DATA_BLOCK_BYTES = 32 * 1024
export const INDEX_BLOCK_ROWS = 512
/** Bytes that one block may unpack to. The longest value is one WAL record. */
export const BLOCK_BYTES_MAX = 64 * 1024 * 1024
/** Positions in the file are 32-bit. */
export const SORTED_FILE_BYTES_MAX = 2 ** 32 - 1

export interface SortedFileKind {
  /** Eight ASCII characters. */
  readonly magic: string
  readonly sortKeyBytes: number
  readonly name: string
}

/** What the tail says about the whole file. */
export interface SortedFileSummary {
  readonly rowCount: number
  readonly valueBytes: number
  readonly keyStart: Uint8Array
  /** Exclusive. */
  readonly keyEnd: Uint8Array
  readonly startLsn: number
  /** Exclusive. */
  readonly endLsn: number
  /** Most versions of one key that a read may have to fold within this file. */
  readonly chainLengthMax: number
}

export interface SortedFileTail {
  readonly summary: SortedFileSummary
  readonly blockCount: number
  readonly blockOffsets: Uint32Array
  readonly blockBytes: Uint32Array
  /** Block numbers of the index blocks, in sort order. */
  readonly indexBlocks: Uint32Array
  /** First sort key of each index block, packed. */
  readonly indexFirstKeys: Uint8Array
}

/** Unpacks one block frame. `position` is where it lies in the object, for the error. */
export function decodeBlock(frame: Uint8Array, objectName: string, position: number): Uint8Array {
  const where = { object: objectName, offsetBytes: position }
  if (frame.length < BLOCK_HEADER_BYTES) throw new CorruptionError('block is cut off', where)
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength)
  if (crc32c(frame, 4) !== view.getUint32(0, true)) throw new CorruptionError('block checksum mismatch', where)
  const lengthWord = view.getUint32(4, true)
  const rawBytes = lengthWord & 0x7fff_ffff
  if (rawBytes > BLOCK_BYTES_MAX) throw new CorruptionError('block is too large', { ...where, rawBytes })
  const payload = frame.subarray(BLOCK_HEADER_BYTES)
  if (lengthWord < COMPRESSED_BIT) {
    if (payload.length !== rawBytes) throw new CorruptionError('block has another length than it says', where)
    return payload
  }
  try {
    return decompress(payload, rawBytes)
  } catch (error) {
    if (isStorageError(error, 'corruption'))
      throw new CorruptionError('block does not decompress', where, { cause: error })
    throw error
  }
}

/**
 * Tail content: 0 u32 block count  4 u32 index block count  8 u64 row count  16 u64 value bytes  24 u64 start lsn
 * 32 u64 end lsn  40 u32 longest chain  44 key start[18]  62 key end[18]  80 block offsets u32[]  block bytes u32[]
 * index block numbers u32[]  first sort keys
 */
export function encodeTail(kind: SortedFileKind, tail: SortedFileTail): Uint8Array {
  const { blockCount, indexBlocks, indexFirstKeys, summary } = tail
  const bytes = new Uint8Array(80 + blockCount * 8 + indexBlocks.length * (4 + kind.sortKeyBytes))
  const view = new DataView(bytes.buffer)
  view.setUint32(0, blockCount, true)
  view.setUint32(4, indexBlocks.length, true)
  setU64(view, 8, summary.rowCount)
  setU64(view, 16, summary.valueBytes)
  setU64(view, 24, summary.startLsn)
  setU64(view, 32, summary.endLsn)
  view.setUint32(40, summary.chainLengthMax, true)
  bytes.set(summary.keyStart, 44)
  bytes.set(summary.keyEnd, 62)
  let at = 80
  for (let i = 0; i < blockCount; i++, at += 4) view.setUint32(at, tail.blockOffsets[i]!, true)
  for (let i = 0; i < blockCount; i++, at += 4) view.setUint32(at, tail.blockBytes[i]!, true)
  for (let i = 0; i < indexBlocks.length; i++, at += 4) view.setUint32(at, indexBlocks[i]!, true)
  bytes.set(indexFirstKeys.subarray(0, indexBlocks.length * kind.sortKeyBytes), at)
  return bytes
}

export function decodeTail(
  kind: SortedFileKind,
  bytes: Uint8Array,
  objectName: string,
  position: number,
): SortedFileTail {
  const where = { object: objectName, offsetBytes: position }
  if (bytes.length < 80) throw new CorruptionError('layer tail is cut off', where)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const blockCount = view.getUint32(0, true)
  const indexBlockCount = view.getUint32(4, true)
  if (bytes.length !== 80 + blockCount * 8 + indexBlockCount * (4 + kind.sortKeyBytes)) {
    throw new CorruptionError('layer tail has the wrong length', where)
  }
  const summary: SortedFileSummary = {
    rowCount: getU64(view, 8),
    valueBytes: getU64(view, 16),
    startLsn: getU64(view, 24),
    endLsn: getU64(view, 32),
    chainLengthMax: view.getUint32(40, true),
    keyStart: bytes.slice(44, 44 + KEY_BYTES),
    keyEnd: bytes.slice(62, 62 + KEY_BYTES),
  }
  const words = (offset: number, count: number) => {
    const array = new Uint32Array(count)
    for (let i = 0; i < count; i++) array[i] = view.getUint32(offset + 4 * i, true)
    return array
  }
  const tail: SortedFileTail = {
    summary,
    blockCount,
    blockOffsets: words(80, blockCount),
    blockBytes: words(80 + 4 * blockCount, blockCount),
    indexBlocks: words(80 + 8 * blockCount, indexBlockCount),
    indexFirstKeys: bytes.slice(80 + 8 * blockCount + 4 * indexBlockCount),
  }
  for (const number of tail.indexBlocks) {
    if (number >= blockCount) throw new CorruptionError('layer tail names a block that is not there', where)
  }
  return tail
}

export function encodeHeader(kind: SortedFileKind, timelineId: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES)
  const view = new DataView(bytes.buffer)
  writeMagic(bytes, 0, kind)
  view.setUint32(8, SORTED_FILE_VERSION, true)
  view.setUint32(12, kind.sortKeyBytes, true)
  bytes.set(timelineId, 16)
  view.setUint32(60, crc32c(bytes, 0, 60), true)
  return bytes
}

/** Returns the timeline id. */
export function decodeHeader(kind: SortedFileKind, bytes: Uint8Array, objectName: string): Uint8Array {
  const where = { object: objectName, offsetBytes: 0 }
  if (bytes.length < HEADER_BYTES) throw new CorruptionError('layer header is cut off', where)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (!hasMagic(bytes, 0, kind)) throw new CorruptionError(`not a ${kind.name}`, where)
  if (crc32c(bytes, 0, 60) !== view.getUint32(60, true))
    throw new CorruptionError('layer header checksum mismatch', where)
  checkVersion(view.getUint32(8, true), where)
  if (view.getUint32(12, true) !== kind.sortKeyBytes) throw new CorruptionError('layer has foreign sort keys', where)
  return bytes.slice(16, 32)
}

export function encodeFooter(kind: SortedFileKind, tailOffset: number, tailBytes: number): Uint8Array {
  const bytes = new Uint8Array(FOOTER_BYTES)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, tailOffset, true)
  view.setUint32(4, tailBytes, true)
  view.setUint32(8, SORTED_FILE_VERSION, true)
  writeMagic(bytes, 20, kind)
  view.setUint32(28, crc32c(bytes, 0, 28), true)
  return bytes
}

export function decodeFooter(
  kind: SortedFileKind,
  bytes: Uint8Array,
  objectName: string,
  fileBytes: number,
): { tailOffset: number; tailBytes: number } {
  const where = { object: objectName, offsetBytes: fileBytes - FOOTER_BYTES }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (crc32c(bytes, 0, 28) !== view.getUint32(28, true))
    throw new CorruptionError('layer footer checksum mismatch', where)
  if (!hasMagic(bytes, 20, kind)) throw new CorruptionError(`not a ${kind.name}`, where)
  checkVersion(view.getUint32(8, true), where)
  const tailOffset = view.getUint32(0, true)
  const tailBytes = view.getUint32(4, true)
  if (tailOffset < HEADER_BYTES || tailOffset + tailBytes + FOOTER_BYTES !== fileBytes) {
    throw new CorruptionError('layer file has the wrong length', { ...where, fileBytes })
  }
  return { tailOffset, tailBytes }
}

function checkVersion(version: number, where: { object: string; offsetBytes: number }): void {
  if (version !== SORTED_FILE_VERSION) throw new CorruptionError('unknown layer format version', { ...where, version })
}

function writeMagic(bytes: Uint8Array, offset: number, kind: SortedFileKind): void {
  for (let i = 0; i < 8; i++) bytes[offset + i] = kind.magic.charCodeAt(i)
}

function hasMagic(bytes: Uint8Array, offset: number, kind: SortedFileKind): boolean {
  for (let i = 0; i < 8; i++) if (bytes[offset + i] !== kind.magic.charCodeAt(i)) return false
  return true
}

function setU64(view: DataView, offset: number, value: number): void {
  view.setUint32(offset, value % 0x1_0000_0000, true)
  view.setUint32(offset + 4, Math.floor(value / 0x1_0000_0000), true)
}

function getU64(view: DataView, offset: number): number {
  return view.getUint32(offset + 4, true) * 0x1_0000_0000 + view.getUint32(offset, true)
}
