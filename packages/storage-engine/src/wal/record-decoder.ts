import { CorruptionError, type ErrorFields } from '../base/errors.ts'
import { PAGE_SIZE } from '../postgres/constants.ts'
import { Lsn } from '../postgres/lsn.ts'
import type { DecodedRecord, WalBlock } from './record.ts'
import { RecordHeader } from './record-header.ts'

/**
 * Splits a record into block references and main data, as DecodeXLogRecord does (src/backend/access/transam/xlogreader.c,
 * PG 18), with the same checks.
 *
 *   header 24 | block headers, data headers | images and data of the blocks, in header order | main data
 *
 *   block header  id u8, fork_flags u8, data_len u16, [image_len u16, hole_offset u16, bimg_info u8, [hole_length u16]],
 *                 [tablespace u32, database u32, relNumber u32], block u32
 */
const BLOCK_ID_MAX = 32
const ID_TOP_LEVEL_XID = 252
const ID_ORIGIN = 253
const ID_DATA_LONG = 254
const ID_DATA_SHORT = 255

const FORK_MASK = 0x0f
const HAS_IMAGE = 0x10
const HAS_DATA = 0x20
const WILL_INIT = 0x40
const SAME_REL = 0x80
const FORK_MAX = 3

/** BKPIMAGE_* bits of `imageInfo`. */
export const ImageInfo = {
  hasHole: 0x01,
  apply: 0x02,
  pglz: 0x04,
  lz4: 0x08,
  zstd: 0x10,
  /** Any of the compression bits. */
  compressed: 0x1c,
} as const

const EMPTY = new Uint8Array(0)

/** An empty record to decode into; keep it and use it for one record after the other. */
export function createDecodedRecord(): DecodedRecord {
  return {
    xid: 0,
    info: 0,
    rmid: 0,
    opcode: 0,
    blocks: [],
    blockCount: 0,
    mainData: EMPTY,
    topLevelXid: 0,
    origin: 0,
  }
}

/**
 * Decodes a whole record (header included) that passed its CRC check. Byte arrays of the result borrow from `bytes`.
 * `startLsn` only goes into the text of errors. Throws CorruptionError when the parts do not add up.
 */
export function decodeRecord(bytes: Uint8Array, into: DecodedRecord, startLsn?: Lsn): DecodedRecord {
  const length = bytes.length
  if (length < RecordHeader.size || RecordHeader.totalLength(bytes) !== length) {
    throw corrupt('wal record is not as long as it says', startLsn, { length })
  }
  into.xid = u32(bytes, 4)
  into.info = bytes[RecordHeader.infoOffset]!
  into.rmid = bytes[RecordHeader.rmidOffset]!
  into.opcode = into.info & 0xf0
  into.blockCount = 0
  into.mainData = EMPTY
  into.topLevelXid = 0
  into.origin = 0

  let at: number = RecordHeader.size
  // Bytes of images and data announced by the headers so far: the headers end where only that much is left.
  let payloadBytes = 0
  let mainLength = 0
  let lastBlockId = -1
  let previousBlock: WalBlock | undefined

  while (length - at > payloadBytes) {
    const id = bytes[at]!
    if (id <= BLOCK_ID_MAX) {
      if (id <= lastBlockId) throw corrupt('wal record has block references out of order', startLsn, { id })
      lastBlockId = id
      const block = blockAt(into, into.blockCount)
      at = decodeBlockHeader(bytes, at, block, previousBlock, startLsn)
      payloadBytes += block.imageLength + block.dataLength
      previousBlock = block
      into.blockCount++
    } else if (id === ID_DATA_SHORT) {
      need(bytes, at, 2, startLsn)
      mainLength = bytes[at + 1]!
      at += 2
      payloadBytes += mainLength
      break
    } else if (id === ID_DATA_LONG) {
      need(bytes, at, 5, startLsn)
      mainLength = u32(bytes, at + 1)
      at += 5
      payloadBytes += mainLength
      break
    } else if (id === ID_ORIGIN) {
      need(bytes, at, 3, startLsn)
      into.origin = u16(bytes, at + 1)
      at += 3
    } else if (id === ID_TOP_LEVEL_XID) {
      need(bytes, at, 5, startLsn)
      into.topLevelXid = u32(bytes, at + 1)
      at += 5
    } else {
      throw corrupt('wal record has an unknown header item', startLsn, { id })
    }
  }
  if (length - at !== payloadBytes) {
    throw corrupt('wal record has a payload of another length than announced', startLsn, {
      announced: payloadBytes,
      present: length - at,
    })
  }

  for (let index = 0; index < into.blockCount; index++) {
    const block = into.blocks[index]! as PooledBlock
    block.image = block.imageLength === 0 ? EMPTY : bytes.subarray(at, at + block.imageLength)
    at += block.imageLength
    block.data = block.dataLength === 0 ? EMPTY : bytes.subarray(at, at + block.dataLength)
    at += block.dataLength
  }
  into.mainData = mainLength === 0 ? EMPTY : bytes.subarray(at, at + mainLength)
  return into
}

/** The block with this id, or undefined: ids may have gaps. */
export function findBlock(record: DecodedRecord, id: number): WalBlock | undefined {
  for (let index = 0; index < record.blockCount; index++) {
    const block = record.blocks[index]!
    if (block.id === id) return block
  }
  return undefined
}

/** A block of the pool, with the lengths that the second pass needs. */
interface PooledBlock extends WalBlock {
  imageLength: number
  dataLength: number
}

function blockAt(record: DecodedRecord, index: number): PooledBlock {
  const existing = record.blocks[index]
  if (existing !== undefined) return existing as PooledBlock
  const block: PooledBlock = {
    id: 0,
    spcOid: 0,
    dbOid: 0,
    relNumber: 0,
    fork: 0,
    blockNumber: 0,
    willInit: false,
    hasImage: false,
    applyImage: false,
    imageInfo: 0,
    holeOffset: 0,
    holeLength: 0,
    image: EMPTY,
    hasData: false,
    data: EMPTY,
    imageLength: 0,
    dataLength: 0,
  }
  record.blocks.push(block)
  return block
}

/** Returns the offset after the header. */
function decodeBlockHeader(
  bytes: Uint8Array,
  start: number,
  block: PooledBlock,
  previous: WalBlock | undefined,
  startLsn: Lsn | undefined,
): number {
  need(bytes, start, 4, startLsn)
  const flags = bytes[start + 1]!
  block.id = bytes[start]!
  block.fork = flags & FORK_MASK
  block.willInit = (flags & WILL_INIT) !== 0
  block.hasImage = (flags & HAS_IMAGE) !== 0
  block.hasData = (flags & HAS_DATA) !== 0
  block.dataLength = u16(bytes, start + 2)
  if (block.fork > FORK_MAX) throw corrupt('wal record names an unknown fork', startLsn, { fork: block.fork })
  if (block.hasData !== block.dataLength > 0) {
    throw corrupt('wal record contradicts itself about block data', startLsn, { dataLength: block.dataLength })
  }
  let at = start + 4

  if (block.hasImage) {
    at = decodeImageHeader(bytes, at, block, startLsn)
  } else {
    block.imageLength = 0
    block.imageInfo = 0
    block.applyImage = false
    block.holeOffset = 0
    block.holeLength = 0
  }

  if ((flags & SAME_REL) === 0) {
    need(bytes, at, 16, startLsn)
    block.spcOid = u32(bytes, at)
    block.dbOid = u32(bytes, at + 4)
    block.relNumber = u32(bytes, at + 8)
    at += 12
  } else {
    if (previous === undefined) throw corrupt('wal record refers to a relation it has not named', startLsn)
    need(bytes, at, 4, startLsn)
    block.spcOid = previous.spcOid
    block.dbOid = previous.dbOid
    block.relNumber = previous.relNumber
  }
  block.blockNumber = u32(bytes, at)
  return at + 4
}

function decodeImageHeader(bytes: Uint8Array, start: number, block: PooledBlock, startLsn: Lsn | undefined): number {
  need(bytes, start, 5, startLsn)
  const imageLength = u16(bytes, start)
  const holeOffset = u16(bytes, start + 2)
  const info = bytes[start + 4]!
  const hasHole = (info & ImageInfo.hasHole) !== 0
  const compressed = (info & ImageInfo.compressed) !== 0
  let at = start + 5
  let holeLength = 0
  if (!compressed) {
    holeLength = PAGE_SIZE - imageLength
  } else if (hasHole) {
    need(bytes, at, 2, startLsn)
    holeLength = u16(bytes, at)
    at += 2
  }

  const consistent = hasHole
    ? holeOffset > 0 && holeLength > 0 && holeOffset + holeLength <= PAGE_SIZE && imageLength < PAGE_SIZE
    : holeOffset === 0 && holeLength === 0
  if (!consistent || imageLength === 0 || (compressed && imageLength >= PAGE_SIZE)) {
    throw corrupt('wal record has an impossible page image', startLsn, { imageLength, holeOffset, holeLength, info })
  }
  block.imageLength = imageLength
  block.imageInfo = info
  block.applyImage = (info & ImageInfo.apply) !== 0
  block.holeOffset = holeOffset
  block.holeLength = holeLength
  return at
}

function need(bytes: Uint8Array, at: number, byteCount: number, startLsn: Lsn | undefined): void {
  if (bytes.length - at < byteCount) throw corrupt('wal record ends within its headers', startLsn)
}

function u16(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8)
}

function u32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
}

function corrupt(message: string, startLsn: Lsn | undefined, fields: ErrorFields = {}): CorruptionError {
  return new CorruptionError(message, { lsn: startLsn === undefined ? undefined : Lsn.format(startLsn), ...fields })
}
