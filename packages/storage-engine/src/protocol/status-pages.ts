/** What the answers with pages share: statuses, then the pages that there are (page-service-messages.ts). */
import { CorruptionError } from '../base/errors.ts'
import { PAGE_SIZE } from '../postgres/constants.ts'
import { requireLength } from './page-service-fields.ts'

/** `page`: bytes follow. `zero`: 8192 zero bytes. `beyond-end`: the fork at that LSN does not reach this block. */
export const PageStatus = { page: 0, zero: 1, beyondEnd: 2 } as const
export type PageStatus = (typeof PageStatus)[keyof typeof PageStatus]
const STATUS_MAX = 2

/** The rest of `payload` from `statusesAt` on: a status for each of `count` pages, then those whose status says `page`. Both borrow from it. */
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
    if (status !== PageStatus.page) {
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
