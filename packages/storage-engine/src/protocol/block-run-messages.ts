/**
 * Messages of the page service for blocks that lie side by side. They follow the rules of page-service-messages.ts.
 *
 *   get-pages   02 | u32 id | u64 lsn | u32 spc | u32 db | u32 rel | u32 first block | u8 fork | u8 count
 *   pages       82 | get-pages from its id on | u8 status * count | 8192 B for each status `page`
 */
import { CorruptionError } from '../base/errors.ts'
import { PAGE_SIZE } from '../postgres/constants.ts'
import { Lsn } from '../postgres/lsn.ts'
import { readLsn, requireFork, requireLength, viewOf } from './page-service-fields.ts'
import { PageStatus, readStatusesAndPages } from './status-pages.ts'

export const BlockRunTag = { getPages: 0x02, pages: 0x82 } as const

/** 128 x 8 KiB = 1 MiB of pages in one answer. */
export const PAGES_PER_REQUEST_MAX = 128
export const GET_PAGES_BYTES = 31
/** InvalidBlockNumber: no fork reaches it. */
const NO_BLOCK = 0xffffffff

/** Blocks [firstBlock, firstBlock + blockCount) of one fork as of `lsn`. */
export interface GetPagesRequest {
  readonly kind: 'get-pages'
  readonly requestId: number
  readonly lsn: Lsn
  readonly spcOid: number
  readonly dbOid: number
  readonly relNumber: number
  readonly fork: number
  readonly firstBlock: number
  readonly blockCount: number
}

export interface PagesResponse {
  readonly kind: 'pages'
  readonly request: GetPagesRequest
  readonly statuses: Uint8Array
  /** By position in the request; undefined unless the status is `page`. Borrowed from the payload. */
  readonly pages: readonly (Uint8Array | undefined)[]
}

export function encodeGetPages(request: GetPagesRequest): Uint8Array {
  const bytes = new Uint8Array(GET_PAGES_BYTES)
  writeGetPages(bytes, BlockRunTag.getPages, request)
  return bytes
}

export function decodeGetPages(payload: Uint8Array): GetPagesRequest {
  requireLength(payload, GET_PAGES_BYTES, GET_PAGES_BYTES)
  return readGetPages(payload)
}

/** Payload bytes of an answer of `pageCount` pages to a request for `blockCount` blocks. */
export function pagesAnswerBytes(blockCount: number, pageCount: number): number {
  return GET_PAGES_BYTES + blockCount + pageCount * PAGE_SIZE
}

/**
 * Starts an answer in `payload`, which has room for all pages asked for: the request is repeated, statuses and pages are
 * the caller's to fill in. The pages with status `page` lie in `bytes` in order, without gaps.
 */
export function startPagesAnswer(
  payload: Uint8Array,
  request: GetPagesRequest,
): { statuses: Uint8Array; bytes: Uint8Array } {
  writeGetPages(payload, BlockRunTag.pages, request)
  const pagesAt = GET_PAGES_BYTES + request.blockCount
  return { statuses: payload.subarray(GET_PAGES_BYTES, pagesAt), bytes: payload.subarray(pagesAt) }
}

/** A whole answer. `pages[i]` is needed where `statuses[i]` is `page`; it is copied. */
export function encodePages(
  request: GetPagesRequest,
  statuses: Uint8Array,
  pages: readonly (Uint8Array | undefined)[],
): Uint8Array {
  const present = pages.filter((page, i): page is Uint8Array => page !== undefined && statuses[i] === PageStatus.page)
  const payload = new Uint8Array(pagesAnswerBytes(request.blockCount, present.length))
  const target = startPagesAnswer(payload, request)
  target.statuses.set(statuses)
  present.forEach((page, i) => {
    target.bytes.set(page, i * PAGE_SIZE)
  })
  return payload
}

export function decodePages(payload: Uint8Array): PagesResponse {
  requireLength(payload, GET_PAGES_BYTES)
  const request = readGetPages(payload)
  return { kind: 'pages', request, ...readStatusesAndPages(payload, GET_PAGES_BYTES, request.blockCount) }
}

/** True when every field of the two is the same: what a client checks before it believes an answer. */
export function isSameRequest(a: GetPagesRequest, b: GetPagesRequest): boolean {
  return (
    a.requestId === b.requestId &&
    a.lsn === b.lsn &&
    a.relNumber === b.relNumber &&
    a.firstBlock === b.firstBlock &&
    a.blockCount === b.blockCount &&
    a.fork === b.fork &&
    a.dbOid === b.dbOid &&
    a.spcOid === b.spcOid
  )
}

function writeGetPages(bytes: Uint8Array, tag: number, request: GetPagesRequest): void {
  const view = viewOf(bytes)
  bytes[0] = tag
  view.setUint32(1, request.requestId, true)
  Lsn.write(view, 5, request.lsn)
  view.setUint32(13, request.spcOid, true)
  view.setUint32(17, request.dbOid, true)
  view.setUint32(21, request.relNumber, true)
  view.setUint32(25, request.firstBlock, true)
  bytes[29] = request.fork
  bytes[30] = request.blockCount
}

function readGetPages(payload: Uint8Array): GetPagesRequest {
  const view = viewOf(payload)
  const request: GetPagesRequest = {
    kind: 'get-pages',
    requestId: view.getUint32(1, true),
    lsn: readLsn(view, 5),
    spcOid: view.getUint32(13, true),
    dbOid: view.getUint32(17, true),
    relNumber: view.getUint32(21, true),
    firstBlock: view.getUint32(25, true),
    fork: payload[29]!,
    blockCount: payload[30]!,
  }
  requireFork(request.fork)
  if (request.blockCount < 1 || request.blockCount > PAGES_PER_REQUEST_MAX) {
    throw new CorruptionError('page count out of bounds', { blockCount: request.blockCount })
  }
  if (request.firstBlock + request.blockCount > NO_BLOCK) {
    throw new CorruptionError('block number out of bounds', { firstBlock: request.firstBlock })
  }
  return request
}
