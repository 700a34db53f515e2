/**
 * Redo of resource manager Heap (heap_redo in src/backend/access/heap/heapam_xlog.c, record layouts in
 * src/include/access/heapam_xlog.h, PG 18), one block at a time.
 *
 * Visibility-map bits that these records clear are not done here: the record does not name the VM page. Ingest derives
 * them from the flags (visibility-clears.ts).
 */
import { CorruptionError } from '../../base/errors.ts'
import type { Lsn } from '../../postgres/lsn.ts'
import type { DecodedRecord, WalBlock } from '../../wal/record.ts'
import { readU16, readU32, writeU32 } from '../little-endian.ts'
import { clearPageFlag, initPage, PD_ALL_VISIBLE, setPageLsn } from '../page.ts'
import { copyBytes, reserveHeapItem } from '../page-items.ts'
import { recordBytes, unsupportedRecord } from '../record-checks.ts'
import {
  checkedHoff,
  clearCommandId,
  HEAP_TUPLE_HEADER_SIZE,
  HEAP_TUPLE_SIZE_MAX,
  heapTupleAt,
  heapTupleLength,
  infomask,
  isXmaxLockedOnly,
  setCtid,
  setHotUpdated,
  setPrunable,
  setXmax,
  setXmaxInfobits,
  setXmin,
} from './heap-tuple.ts'

export const XLOG_HEAP_OPMASK = 0x70
export const XLOG_HEAP_INIT_PAGE = 0x80
export const XLOG_HEAP_INSERT = 0x00
export const XLOG_HEAP_DELETE = 0x10
export const XLOG_HEAP_UPDATE = 0x20
export const XLOG_HEAP_TRUNCATE = 0x30
export const XLOG_HEAP_HOT_UPDATE = 0x40
export const XLOG_HEAP_CONFIRM = 0x50
export const XLOG_HEAP_LOCK = 0x60
export const XLOG_HEAP_INPLACE = 0x70

/** XLH_INSERT_, XLH_DELETE_ and XLH_UPDATE_OLD_ALL_VISIBLE_CLEARED are the same bit. */
export const XLH_ALL_VISIBLE_CLEARED = 0x01
export const XLH_UPDATE_NEW_ALL_VISIBLE_CLEARED = 0x02
const XLH_UPDATE_PREFIX_FROM_OLD = 0x20
const XLH_UPDATE_SUFFIX_FROM_OLD = 0x40
const XLH_DELETE_IS_SUPER = 0x08
const XLH_DELETE_IS_PARTITION_MOVE = 0x10

/** MovedPartitionsBlockNumber, MovedPartitionsOffsetNumber (src/include/storage/itemptr.h). */
const MOVED_PARTITIONS_BLOCK = 0xffffffff
const MOVED_PARTITIONS_OFFSET = 0xfffd

/** SizeOfHeapHeader: t_infomask2 u16, t_infomask u16, t_hoff u8. */
const HEAP_HEADER_SIZE = 5

export function redoHeap(page: Uint8Array, record: DecodedRecord, block: WalBlock, endLsn: Lsn): void {
  switch (record.opcode & XLOG_HEAP_OPMASK) {
    case XLOG_HEAP_INSERT:
      redoInsert(page, record, block)
      break
    case XLOG_HEAP_DELETE:
      redoDelete(page, record, block)
      break
    case XLOG_HEAP_UPDATE:
      redoUpdate(page, record, block, false)
      break
    case XLOG_HEAP_HOT_UPDATE:
      redoUpdate(page, record, block, true)
      break
    case XLOG_HEAP_CONFIRM: {
      const offsetNumber = readU16(recordBytes(record, 2), 0)
      setCtid(page, heapTupleAt(page, offsetNumber), block.blockNumber, offsetNumber)
      break
    }
    case XLOG_HEAP_LOCK:
      redoLock(page, record, block)
      break
    case XLOG_HEAP_INPLACE:
      redoInplace(page, record, block)
      break
    default:
      // TRUNCATE is for logical decoding only and has no blocks.
      throw unsupportedRecord(record, block, endLsn)
  }
  setPageLsn(page, endLsn)
}

function redoInsert(page: Uint8Array, record: DecodedRecord, block: WalBlock): void {
  const main = recordBytes(record, 3)
  const offsetNumber = readU16(main, 0)
  if (record.opcode & XLOG_HEAP_INIT_PAGE) initPage(page, 0)
  const data = block.data
  const bodyLength = data.length - HEAP_HEADER_SIZE
  if (bodyLength <= 0 || bodyLength > HEAP_TUPLE_SIZE_MAX - HEAP_TUPLE_HEADER_SIZE) {
    throw new CorruptionError('inserted tuple of impossible length', { bodyLength })
  }
  putTuple(page, record, block, offsetNumber, data, 0, HEAP_HEADER_SIZE, bodyLength)
  if (main[2]! & XLH_ALL_VISIBLE_CLEARED) clearPageFlag(page, PD_ALL_VISIBLE)
}

/**
 * Adds a tuple whose xl_heap_header stands at data[header) (infomask2 u16, infomask u16, hoff u8) and whose bytes from
 * byte 23 of the tuple on are data[body, body + bodyLength).
 */
export function putTuple(
  page: Uint8Array,
  record: DecodedRecord,
  block: WalBlock,
  offsetNumber: number,
  data: Uint8Array,
  header: number,
  body: number,
  bodyLength: number,
): void {
  const tuple = reserveHeapItem(page, offsetNumber, HEAP_TUPLE_HEADER_SIZE + bodyLength)
  writeTupleHeader(page, tuple, record, block, offsetNumber, data, header)
  copyBytes(data, body, page, tuple + HEAP_TUPLE_HEADER_SIZE, bodyLength)
}

function writeTupleHeader(
  page: Uint8Array,
  tuple: number,
  record: DecodedRecord,
  block: WalBlock,
  offsetNumber: number,
  data: Uint8Array,
  header: number,
): void {
  copyBytes(data, header, page, tuple + 18, HEAP_HEADER_SIZE)
  setXmin(page, tuple, record.xid)
  writeU32(page, tuple + 4, 0)
  clearCommandId(page, tuple)
  setCtid(page, tuple, block.blockNumber, offsetNumber)
}

function redoDelete(page: Uint8Array, record: DecodedRecord, block: WalBlock): void {
  const main = recordBytes(record, 8)
  const offsetNumber = readU16(main, 4)
  const flags = main[7]!
  const tuple = heapTupleAt(page, offsetNumber)
  setXmaxInfobits(page, tuple, main[6]!)
  setHotUpdated(page, tuple, false)
  if (flags & XLH_DELETE_IS_SUPER) setXmin(page, tuple, 0)
  else setXmax(page, tuple, readU32(main, 0))
  clearCommandId(page, tuple)
  setPrunable(page, record.xid)
  if (flags & XLH_ALL_VISIBLE_CLEARED) clearPageFlag(page, PD_ALL_VISIBLE)
  if (flags & XLH_DELETE_IS_PARTITION_MOVE) setCtid(page, tuple, MOVED_PARTITIONS_BLOCK, MOVED_PARTITIONS_OFFSET)
  else setCtid(page, tuple, block.blockNumber, offsetNumber)
}

/** Block 0 is the page of the new tuple, block 1 that of the old one when it is another page. */
function redoUpdate(page: Uint8Array, record: DecodedRecord, block: WalBlock, hot: boolean): void {
  const main = recordBytes(record, 14)
  const newBlock = record.blocks[0]!
  const samePage = record.blockCount === 1
  if (block.id === 1 || samePage) redoUpdateOld(page, record, newBlock, main, hot)
  if (block.id === 0) redoUpdateNew(page, record, block, main, samePage)
}

function redoUpdateOld(
  page: Uint8Array,
  record: DecodedRecord,
  newBlock: WalBlock,
  main: Uint8Array,
  hot: boolean,
): void {
  const flags = main[7]!
  const tuple = heapTupleAt(page, readU16(main, 4))
  setXmaxInfobits(page, tuple, main[6]!)
  setHotUpdated(page, tuple, hot)
  setXmax(page, tuple, readU32(main, 0))
  clearCommandId(page, tuple)
  setCtid(page, tuple, newBlock.blockNumber, readU16(main, 12))
  setPrunable(page, record.xid)
  if (flags & XLH_ALL_VISIBLE_CLEARED) clearPageFlag(page, PD_ALL_VISIBLE)
}

function redoUpdateNew(
  page: Uint8Array,
  record: DecodedRecord,
  block: WalBlock,
  main: Uint8Array,
  samePage: boolean,
): void {
  const flags = main[7]!
  const newOffsetNumber = readU16(main, 12)
  if (!samePage && record.opcode & XLOG_HEAP_INIT_PAGE) initPage(page, 0)

  const data = block.data
  let at = 0
  let prefixLength = 0
  let suffixLength = 0
  if (flags & XLH_UPDATE_PREFIX_FROM_OLD) {
    prefixLength = readU16(data, at)
    at += 2
  }
  if (flags & XLH_UPDATE_SUFFIX_FROM_OLD) {
    suffixLength = readU16(data, at)
    at += 2
  }
  const header = at
  at += HEAP_HEADER_SIZE
  const bodyLength = data.length - at
  const length = HEAP_TUPLE_HEADER_SIZE + prefixLength + bodyLength + suffixLength
  if (bodyLength < 0 || length > HEAP_TUPLE_SIZE_MAX) {
    throw new CorruptionError('updated tuple of impossible length', { bodyLength, prefixLength, suffixLength })
  }
  if (prefixLength === 0 && suffixLength === 0) {
    putTuple(page, record, block, newOffsetNumber, data, header, at, bodyLength)
  } else {
    if (!samePage)
      throw new CorruptionError('prefix or suffix from a tuple on another page', { prefixLength, suffixLength })
    const oldOffsetNumber = readU16(main, 4)
    const old = heapTupleAt(page, oldOffsetNumber)
    const oldLength = heapTupleLength(page, oldOffsetNumber)
    const oldHoff = checkedHoff(page, old, oldLength)
    if (oldHoff + prefixLength > oldLength || suffixLength > oldLength) {
      throw new CorruptionError('prefix or suffix longer than the old tuple', { prefixLength, suffixLength, oldLength })
    }
    const tuple = reserveHeapItem(page, newOffsetNumber, length)
    writeTupleHeader(page, tuple, record, block, newOffsetNumber, data, header)
    let write = tuple + HEAP_TUPLE_HEADER_SIZE
    let rest = bodyLength
    if (prefixLength > 0) {
      // The null bitmap comes first, then the prefix, then the changed bytes.
      const bitmapLength = data[header + 4]! - HEAP_TUPLE_HEADER_SIZE
      if (bitmapLength < 0 || bitmapLength > bodyLength) {
        throw new CorruptionError('updated tuple with impossible t_hoff', { hoff: data[header + 4] })
      }
      copyBytes(data, at, page, write, bitmapLength)
      write += bitmapLength
      at += bitmapLength
      rest -= bitmapLength
      page.copyWithin(write, old + oldHoff, old + oldHoff + prefixLength)
      write += prefixLength
    }
    copyBytes(data, at, page, write, rest)
    write += rest
    page.copyWithin(write, old + oldLength - suffixLength, old + oldLength)
  }
  const newTuple = heapTupleAt(page, newOffsetNumber)
  setXmax(page, newTuple, readU32(main, 8))
  if (flags & XLH_UPDATE_NEW_ALL_VISIBLE_CLEARED) clearPageFlag(page, PD_ALL_VISIBLE)
}

function redoLock(page: Uint8Array, record: DecodedRecord, block: WalBlock): void {
  const main = recordBytes(record, 8)
  const offsetNumber = readU16(main, 4)
  const tuple = heapTupleAt(page, offsetNumber)
  setXmaxInfobits(page, tuple, main[6]!)
  if (isXmaxLockedOnly(infomask(page, tuple))) {
    setHotUpdated(page, tuple, false)
    setCtid(page, tuple, block.blockNumber, offsetNumber)
  }
  setXmax(page, tuple, readU32(main, 0))
  clearCommandId(page, tuple)
}

function redoInplace(page: Uint8Array, record: DecodedRecord, block: WalBlock): void {
  const offsetNumber = readU16(recordBytes(record, 2), 0)
  const tuple = heapTupleAt(page, offsetNumber)
  const length = heapTupleLength(page, offsetNumber)
  const hoff = checkedHoff(page, tuple, length)
  if (length - hoff !== block.data.length) {
    throw new CorruptionError('in-place update changes the tuple length', {
      length,
      hoff,
      dataLength: block.data.length,
    })
  }
  copyBytes(block.data, 0, page, tuple + hoff, block.data.length)
}
