/**
 * Pages of pg_xact and pg_multixact (src/backend/access/transam/clog.c, multixact.c, PG 18). They have no page header.
 *
 * pg_xact: 2 bits a transaction. Offsets: u32 each. Members: groups of 4 = 4 status bytes, then 4 xids u32; 409 groups.
 */
import { CorruptionError } from '../base/errors.ts'
import { PAGE_SIZE } from '../postgres/constants.ts'
import { writeU32 } from './little-endian.ts'

export const XIDS_PER_CLOG_PAGE = PAGE_SIZE * 4
export const MULTIXACTS_PER_OFFSETS_PAGE = PAGE_SIZE / 4
const MEMBERS_PER_GROUP = 4
const MEMBER_GROUP_SIZE = 20
/** MULTIXACT_MEMBERS_PER_PAGE. */
export const MEMBERS_PER_MEMBERS_PAGE = Math.floor(PAGE_SIZE / MEMBER_GROUP_SIZE) * MEMBERS_PER_GROUP

/** Page of pg_xact that holds an xid. */
export function clogPageOfXid(xid: number): number {
  return Math.floor(xid / XIDS_PER_CLOG_PAGE)
}

/** Page of pg_multixact/offsets that holds a multixact. */
export function offsetsPageOfMultixact(multixact: number): number {
  return Math.floor(multixact / MULTIXACTS_PER_OFFSETS_PAGE)
}

/** Page of pg_multixact/members that holds a member offset. */
export function membersPageOfOffset(offset: number): number {
  return Math.floor(offset / MEMBERS_PER_MEMBERS_PAGE)
}

export function setTransactionStatus(page: Uint8Array, pageNumber: number, xid: number, status: number): void {
  const index = checkedIndex(xid - pageNumber * XIDS_PER_CLOG_PAGE, XIDS_PER_CLOG_PAGE, pageNumber)
  const shift = (index & 3) * 2
  const at = index >> 2
  page[at] = (page[at]! & ~(3 << shift)) | ((status & 3) << shift)
}

/** Status bits of an xid: 0 in progress, 1 committed, 2 aborted, 3 sub-committed. */
export function transactionStatus(page: Uint8Array, pageNumber: number, xid: number): number {
  const index = checkedIndex(xid - pageNumber * XIDS_PER_CLOG_PAGE, XIDS_PER_CLOG_PAGE, pageNumber)
  return (page[index >> 2]! >> ((index & 3) * 2)) & 3
}

export function setMultixactOffset(page: Uint8Array, pageNumber: number, multixact: number, offset: number): void {
  const index = multixact - pageNumber * MULTIXACTS_PER_OFFSETS_PAGE
  writeU32(page, checkedIndex(index, MULTIXACTS_PER_OFFSETS_PAGE, pageNumber) * 4, offset)
}

export function setMultixactMember(
  page: Uint8Array,
  pageNumber: number,
  offset: number,
  xid: number,
  status: number,
): void {
  const index = checkedIndex(offset - pageNumber * MEMBERS_PER_MEMBERS_PAGE, MEMBERS_PER_MEMBERS_PAGE, pageNumber)
  const group = Math.floor(index / MEMBERS_PER_GROUP) * MEMBER_GROUP_SIZE
  const slot = index % MEMBERS_PER_GROUP
  page[group + slot] = status
  writeU32(page, group + MEMBERS_PER_GROUP + slot * 4, xid)
}

function checkedIndex(index: number, count: number, pageNumber: number): number {
  if (index < 0 || index >= count) throw new CorruptionError('entry not on this SLRU page', { pageNumber, index })
  return index
}
