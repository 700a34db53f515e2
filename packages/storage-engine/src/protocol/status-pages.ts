/** What the answers of the page service share: statuses, then the pages that there are (page-service-messages.ts). */
import { CorruptionError } from '../base/errors.ts'
import { PAGE_SIZE } from '../postgres/constants.ts'

export const STATUS_PAGE = 0
const STATUS_MAX = 2

/** The rest of `payload` from `at` on: a status for each of `count` pages, then those whose status says `page`. Both borrow from it. */
export function readStatusesAndPages(
  payload: Uint8Array,
  statusesAt: number,
  count: number,
): { statuses: Uint8Array; pages: (Uint8Array | undefined)[] } {
  let at = statusesAt + count
  requireLength(payload, at)
  const statuses = payload.subarray(statusesAt, at)
  const pages: (Uint8Array | undefined)[] = []
  for (const status of statuses) {
    if (status > STATUS_MAX) throw new CorruptionError('unknown page status', { status })
    if (status !== STATUS_PAGE) {
      pages.push(undefined)
      continue
    }
    requireLength(payload, at + PAGE_SIZE)
    pages.push(payload.subarray(at, at + PAGE_SIZE))
    at += PAGE_SIZE
  }
  requireLength(payload, at, at)
  return { statuses, pages }
}

/** Throws CorruptionError when the payload does not have so many bytes. */
export function requireLength(payload: Uint8Array, atLeast: number, atMost = Number.POSITIVE_INFINITY): void {
  if (payload.length < atLeast || payload.length > atMost) {
    throw new CorruptionError('page service message has the wrong length', { bytes: payload.length, expected: atLeast })
  }
}
