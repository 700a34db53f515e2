/**
 * Hint bits that a page of the PageServer can have from the start. Postgres sets them as it reads and does not log them,
 * so that a page made from WAL has none: a new compute looks each row's transaction up once more, and each row so found
 * makes its page dirty again, to be written out before its buffer is of use for another.
 *
 * PD_ALL_VISIBLE says that every transaction, running or to come, sees all rows of the page (bufpage.h, PG 18). So the
 * inserting transaction of each has committed, whatever the row's lockers do; only heap pages carry the flag.
 *
 * HeapTupleHeaderData (htup_details.h): 20 u16 t_infomask, of it HEAP_XMIN_COMMITTED 0x0100, HEAP_XMIN_INVALID 0x0200,
 * both together: frozen. Line pointer (itemid.h): offset (15 bits), flags (2 bits), length (15 bits).
 */
import { PAGE_SIZE } from './constants.ts'
import { PAGE_HEADER_SIZE, PageFlag, readPageFlags, readPageLower } from './page-header.ts'

/** The high byte of t_infomask; little-endian. */
const INFOMASK_HIGH_OFFSET = 21
const HEAP_XMIN_COMMITTED_HIGH = 0x01
/** HEAP_XMIN_COMMITTED, HEAP_XMIN_INVALID, and HEAP_MOVED: rows moved before Postgres 9.0, whose xmin means something else. */
const DECIDED_HIGH = 0x01 | 0x02 | 0xc0
const LP_NORMAL = 1
const TUPLE_HEADER_BYTES = 23

/** Marks the inserters of an all-visible heap page as committed, in place. Any other page stays as it is. */
export function hintCommittedInserters(page: Uint8Array): void {
  if ((readPageFlags(page) & PageFlag.allVisible) === 0) return
  const lower = Math.min(readPageLower(page), PAGE_SIZE)
  for (let at = PAGE_HEADER_SIZE; at + 4 <= lower; at += 4) {
    const offset = page[at]! | ((page[at + 1]! & 0x7f) << 8)
    const flags = (page[at + 1]! >> 7) | ((page[at + 2]! & 1) << 1)
    if (flags !== LP_NORMAL || offset < lower || offset + TUPLE_HEADER_BYTES > PAGE_SIZE) continue
    const high = page[offset + INFOMASK_HIGH_OFFSET]!
    if ((high & DECIDED_HIGH) === 0) page[offset + INFOMASK_HIGH_OFFSET] = high | HEAP_XMIN_COMMITTED_HIGH
  }
}
