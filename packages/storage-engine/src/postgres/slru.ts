import { SLRU_PAGES_PER_SEGMENT } from './constants.ts'

/**
 * Where things stand in the SLRUs: pg_xact (src/backend/access/transam/clog.c) and pg_multixact (multixact.c, PG 18).
 * Pages have no header; a segment file holds 32 pages and is named by its number, 4 (or more) upper-case hex digits.
 */
export type SlruKind = 'clog' | 'multixact-offsets' | 'multixact-members'

/** Folder of an SLRU below the data directory. */
export const SLRU_DIRECTORY: Readonly<Record<SlruKind, string>> = {
  clog: 'pg_xact',
  'multixact-offsets': 'pg_multixact/offsets',
  'multixact-members': 'pg_multixact/members',
}

/** 2 bits a transaction. */
export const XidStatus = { inProgress: 0, committed: 1, aborted: 2, subCommitted: 3 } as const

export const CLOG_XIDS_PER_PAGE = 32768
export const MULTIXACT_OFFSETS_PER_PAGE = 2048
/** 409 groups of 4 members, 20 bytes each; 12 bytes of the page stay unused. */
export const MULTIXACT_MEMBERS_PER_PAGE = 1636
const MEMBERS_PER_GROUP = 4
const MEMBER_GROUP_SIZE = 20

export function clogPage(xid: number): number {
  return Math.floor(xid / CLOG_XIDS_PER_PAGE)
}

export function clogByte(xid: number): number {
  return (xid % CLOG_XIDS_PER_PAGE) >>> 2
}

export function clogShift(xid: number): number {
  return (xid & 3) * 2
}

export function readClogStatus(page: Uint8Array, xid: number): number {
  return (page[clogByte(xid)]! >>> clogShift(xid)) & 3
}

export function writeClogStatus(page: Uint8Array, xid: number, status: number): void {
  const byte = clogByte(xid)
  const shift = clogShift(xid)
  page[byte] = (page[byte]! & ~(3 << shift)) | (status << shift)
}

export function multixactOffsetPage(multixact: number): number {
  return Math.floor(multixact / MULTIXACT_OFFSETS_PER_PAGE)
}

/** Byte of the u32 offset within its page. */
export function multixactOffsetByte(multixact: number): number {
  return (multixact % MULTIXACT_OFFSETS_PER_PAGE) * 4
}

export function multixactMemberPage(memberOffset: number): number {
  return Math.floor(memberOffset / MULTIXACT_MEMBERS_PER_PAGE)
}

/** Byte of the member's status within its page. */
export function multixactMemberStatusByte(memberOffset: number): number {
  const inPage = memberOffset % MULTIXACT_MEMBERS_PER_PAGE
  return Math.floor(inPage / MEMBERS_PER_GROUP) * MEMBER_GROUP_SIZE + (inPage % MEMBERS_PER_GROUP)
}

/** Byte of the member's u32 xid within its page. */
export function multixactMemberXidByte(memberOffset: number): number {
  const inPage = memberOffset % MULTIXACT_MEMBERS_PER_PAGE
  return (
    Math.floor(inPage / MEMBERS_PER_GROUP) * MEMBER_GROUP_SIZE + MEMBERS_PER_GROUP + 4 * (inPage % MEMBERS_PER_GROUP)
  )
}

export function slruSegment(page: number): number {
  return Math.floor(page / SLRU_PAGES_PER_SEGMENT)
}

export function slruPageInSegment(page: number): number {
  return page % SLRU_PAGES_PER_SEGMENT
}

/** Such as 0000 or 00A7. */
export function formatSlruSegmentName(segment: number): string {
  return segment.toString(16).toUpperCase().padStart(4, '0')
}

/** The segment number, or undefined when the name is not one of a segment. */
export function parseSlruSegmentName(name: string): number | undefined {
  return /^[0-9A-F]{4,6}$/.test(name) ? Number.parseInt(name, 16) : undefined
}
