/**
 * The form of a heap page that a columnar layer gives back: the free space between pd_lower and pd_upper is zero, as in
 * Postgres's own full-page images, and pd_checksum, where the page has one, fits that content.
 */
import { PAGE_SIZE } from '../postgres/constants.ts'
import { writePageChecksum } from '../postgres/page-checksum.ts'
import {
  hasPlausiblePageHeader,
  isNewPage,
  readPageChecksum,
  readPageLower,
  readPageUpper,
} from '../postgres/page-header.ts'

/** Brings `page` into canonical form in place. A page whose header is not plausible stays as it is. */
export function canonicalizePage(page: Uint8Array, blockNumber: number): void {
  if (isNewPage(page) || !hasPlausiblePageHeader(page)) return
  page.fill(0, readPageLower(page), readPageUpper(page))
  if (readPageChecksum(page) !== 0) writePageChecksum(page, blockNumber)
}

export function isZeroPage(page: Uint8Array): boolean {
  for (let i = 0; i < PAGE_SIZE; i++) if (page[i] !== 0) return false
  return true
}
