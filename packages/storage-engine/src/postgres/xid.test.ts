import { expect, test } from 'vitest'
import { advanceNextFullXid, fullXidBefore, fullXidOf, multixactPrecedes, xidPrecedes } from './xid.ts'

const LAST_XID = 0xffff_ffff

test('xids are compared modulo 2^32, special ones come first', () => {
  expect(xidPrecedes(3, 4)).toBe(true)
  expect(xidPrecedes(4, 4)).toBe(false)
  expect(xidPrecedes(LAST_XID, 3)).toBe(true)
  expect(xidPrecedes(3, LAST_XID)).toBe(false)
  expect(xidPrecedes(2, LAST_XID)).toBe(true)
  expect(xidPrecedes(2_000_000_000, 4_000_000_000)).toBe(true)
  expect(xidPrecedes(1_000_000_000, 4_000_000_000)).toBe(false)
  expect(multixactPrecedes(LAST_XID, 1)).toBe(true)
})

test('the next full xid moves past what was seen, over the end of an epoch, and never back', () => {
  expect(advanceNextFullXid(1000, 1000)).toBe(1001)
  expect(advanceNextFullXid(1000, 1500)).toBe(1501)
  expect(advanceNextFullXid(1000, 999)).toBe(1000)
  expect(advanceNextFullXid(1000, 0)).toBe(1000)
  expect(advanceNextFullXid(1000, 2)).toBe(1000)
  expect(advanceNextFullXid(fullXidOf(7, LAST_XID - 5), LAST_XID)).toBe(fullXidOf(8, 3))
  expect(advanceNextFullXid(fullXidOf(7, LAST_XID - 5), 10)).toBe(fullXidOf(8, 11))
  expect(advanceNextFullXid(fullXidOf(8, 5), LAST_XID)).toBe(fullXidOf(8, 5))
})

test('an xid above the next one belongs to the epoch before', () => {
  expect(fullXidBefore(fullXidOf(8, 100), 50)).toBe(fullXidOf(8, 50))
  expect(fullXidBefore(fullXidOf(8, 100), LAST_XID)).toBe(fullXidOf(7, LAST_XID))
  expect(fullXidBefore(100, 200)).toBe(200)
})
