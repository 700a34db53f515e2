/**
 * Transaction ids (src/include/access/transam.h, src/backend/access/transam/transam.c, PG 18). A 32-bit xid wraps: compare
 * with `precedes`, never with `<`. A full xid carries the epoch in its high half and is a plain number.
 */
export const INVALID_XID = 0
export const BOOTSTRAP_XID = 1
export const FROZEN_XID = 2
export const FIRST_NORMAL_XID = 3
export const FIRST_MULTIXACT_ID = 1

const TWO_32 = 0x1_0000_0000

export function isNormalXid(xid: number): boolean {
  return xid >= FIRST_NORMAL_XID
}

/** TransactionIdPrecedes: modulo 2^32 for normal xids, plain comparison when either is special. */
export function xidPrecedes(a: number, b: number): boolean {
  if (a < FIRST_NORMAL_XID || b < FIRST_NORMAL_XID) return a < b
  return ((a - b) | 0) < 0
}

/** MultiXactIdPrecedes: modulo 2^32. */
export function multixactPrecedes(a: number, b: number): boolean {
  return ((a - b) | 0) < 0
}

export function fullXidOf(epoch: number, xid: number): number {
  return epoch * TWO_32 + xid
}

export function xidOfFullXid(fullXid: number): number {
  return fullXid % TWO_32
}

export function epochOfFullXid(fullXid: number): number {
  return Math.floor(fullXid / TWO_32)
}

/**
 * AdvanceNextFullTransactionIdPastXid: the next full xid after `xid` was seen in use. Special xids change nothing, and
 * neither does an xid before `nextFullXid`.
 */
export function advanceNextFullXid(nextFullXid: number, xid: number): number {
  if (!isNormalXid(xid)) return nextFullXid
  const ahead = (xid - xidOfFullXid(nextFullXid)) | 0
  if (ahead < 0) return nextFullXid
  const next = nextFullXid + ahead + 1
  // The special xids are never handed out: after the last xid of an epoch comes 3.
  const low = xidOfFullXid(next)
  return low < FIRST_NORMAL_XID ? next + FIRST_NORMAL_XID - low : next
}

/** The full xid of an xid that was handed out before `nextFullXid`: above its low half it belongs to the epoch before. */
export function fullXidBefore(nextFullXid: number, xid: number): number {
  const epoch = epochOfFullXid(nextFullXid)
  return fullXidOf(xid > xidOfFullXid(nextFullXid) && epoch > 0 ? epoch - 1 : epoch, xid)
}
