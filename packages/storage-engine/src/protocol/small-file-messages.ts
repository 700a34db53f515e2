/**
 * Messages of the page service for what is no block of a relation: SLRU pages and relation maps, as of an LSN. They follow
 * the rules of page-service-messages.ts.
 *
 *   slru-pages          04 | u32 id | u64 lsn | u8 slru | u32 first page | u8 count
 *   relation-map        05 | u32 id | u64 lsn | u32 spc | u32 db
 *   slru pages answer   84 | slru-pages from its id on | u8 status * count | 8192 B for each status `page`
 *   relation map answer 85 | relation-map from its id on | u16 length (0: there is none) | bytes
 */
import { CorruptionError } from '../base/errors.ts'
import { PAGE_SIZE } from '../postgres/constants.ts'
import { Lsn } from '../postgres/lsn.ts'
import type { SlruKind } from '../postgres/slru.ts'
import { readLsn, requireLength, viewOf } from './page-service-fields.ts'
import { PageStatus, readStatusesAndPages } from './status-pages.ts'

export const SmallFileTag = { slruPages: 0x04, relationMap: 0x05, slruAnswer: 0x84, relationMapAnswer: 0x85 } as const

/** 128 x 8 KiB = 1 MiB of pages in one answer. */
export const SLRU_PAGES_PER_REQUEST_MAX = 128
const SLRUS: readonly SlruKind[] = ['clog', 'multixact-offsets', 'multixact-members']
const SLRU_REQUEST_BYTES = 19
const MAP_REQUEST_BYTES = 21

/** Pages [firstPage, firstPage + pageCount) of an SLRU, numbered through its segments. */
export interface SlruPagesRequest {
  readonly kind: 'slru-pages'
  readonly requestId: number
  readonly lsn: Lsn
  readonly slru: SlruKind
  readonly firstPage: number
  readonly pageCount: number
}

/** pg_filenode.map of a database; of `global` with database 0. */
export interface RelationMapRequest {
  readonly kind: 'relation-map'
  readonly requestId: number
  readonly lsn: Lsn
  readonly spcOid: number
  readonly dbOid: number
}

export interface SlruPagesResponse {
  readonly kind: 'slru-pages'
  readonly request: SlruPagesRequest
  /** PageStatus by position. */
  readonly statuses: Uint8Array
  /** By position; undefined unless the status is `page`. Borrowed from the payload. */
  readonly pages: readonly (Uint8Array | undefined)[]
}

export interface RelationMapResponse {
  readonly kind: 'relation-map'
  readonly request: RelationMapRequest
  /** Borrowed; undefined: there is none. */
  readonly bytes: Uint8Array | undefined
}

export function encodeSlruPagesRequest(request: SlruPagesRequest): Uint8Array {
  const bytes = new Uint8Array(SLRU_REQUEST_BYTES)
  writeSlruRequest(bytes, SmallFileTag.slruPages, request)
  return bytes
}

export function decodeSlruPagesRequest(payload: Uint8Array): SlruPagesRequest {
  requireLength(payload, SLRU_REQUEST_BYTES, SLRU_REQUEST_BYTES)
  return readSlruRequest(payload)
}

/** `pages[i]` is needed where `statuses[i]` is `page`; it is copied. */
export function encodeSlruPages(
  request: SlruPagesRequest,
  statuses: Uint8Array,
  pages: readonly (Uint8Array | undefined)[],
): Uint8Array {
  const pageCount = statuses.reduce((count, status) => count + (status === PageStatus.page ? 1 : 0), 0)
  const bytes = new Uint8Array(SLRU_REQUEST_BYTES + statuses.length + pageCount * PAGE_SIZE)
  writeSlruRequest(bytes, SmallFileTag.slruAnswer, request)
  bytes.set(statuses, SLRU_REQUEST_BYTES)
  let at = SLRU_REQUEST_BYTES + statuses.length
  statuses.forEach((status, i) => {
    if (status !== PageStatus.page) return
    bytes.set(pages[i]!, at)
    at += PAGE_SIZE
  })
  return bytes
}

export function decodeSlruPages(payload: Uint8Array): SlruPagesResponse {
  requireLength(payload, SLRU_REQUEST_BYTES)
  const request = readSlruRequest(payload)
  return { kind: 'slru-pages', request, ...readStatusesAndPages(payload, SLRU_REQUEST_BYTES, request.pageCount) }
}

export function encodeRelationMapRequest(request: RelationMapRequest): Uint8Array {
  const bytes = new Uint8Array(MAP_REQUEST_BYTES)
  writeMapRequest(bytes, SmallFileTag.relationMap, request)
  return bytes
}

export function decodeRelationMapRequest(payload: Uint8Array): RelationMapRequest {
  requireLength(payload, MAP_REQUEST_BYTES, MAP_REQUEST_BYTES)
  return readMapRequest(payload)
}

export function encodeRelationMapAnswer(request: RelationMapRequest, map: Uint8Array | undefined): Uint8Array {
  const bytes = new Uint8Array(MAP_REQUEST_BYTES + 2 + (map?.length ?? 0))
  writeMapRequest(bytes, SmallFileTag.relationMapAnswer, request)
  viewOf(bytes).setUint16(MAP_REQUEST_BYTES, map?.length ?? 0, true)
  if (map) bytes.set(map, MAP_REQUEST_BYTES + 2)
  return bytes
}

export function decodeRelationMapAnswer(payload: Uint8Array): RelationMapResponse {
  requireLength(payload, MAP_REQUEST_BYTES + 2)
  const request = readMapRequest(payload)
  const length = viewOf(payload).getUint16(MAP_REQUEST_BYTES, true)
  const end = MAP_REQUEST_BYTES + 2 + length
  requireLength(payload, end, end)
  return { kind: 'relation-map', request, bytes: length === 0 ? undefined : payload.subarray(end - length, end) }
}

function writeSlruRequest(bytes: Uint8Array, tag: number, request: SlruPagesRequest): void {
  const view = viewOf(bytes)
  bytes[0] = tag
  view.setUint32(1, request.requestId, true)
  Lsn.write(view, 5, request.lsn)
  bytes[13] = SLRUS.indexOf(request.slru)
  view.setUint32(14, request.firstPage, true)
  bytes[18] = request.pageCount
}

function readSlruRequest(payload: Uint8Array): SlruPagesRequest {
  const view = viewOf(payload)
  const slru = SLRUS[payload[13]!]
  const firstPage = view.getUint32(14, true)
  const pageCount = payload[18]!
  if (slru === undefined) throw new CorruptionError('no such slru', { slru: payload[13]! })
  if (pageCount < 1 || pageCount > SLRU_PAGES_PER_REQUEST_MAX || firstPage + pageCount > 0xffff_ffff) {
    throw new CorruptionError('slru page range out of bounds', { firstPage, pageCount })
  }
  return { kind: 'slru-pages', requestId: view.getUint32(1, true), lsn: readLsn(view, 5), slru, firstPage, pageCount }
}

function writeMapRequest(bytes: Uint8Array, tag: number, request: RelationMapRequest): void {
  const view = viewOf(bytes)
  bytes[0] = tag
  view.setUint32(1, request.requestId, true)
  Lsn.write(view, 5, request.lsn)
  view.setUint32(13, request.spcOid, true)
  view.setUint32(17, request.dbOid, true)
}

function readMapRequest(payload: Uint8Array): RelationMapRequest {
  const view = viewOf(payload)
  return {
    kind: 'relation-map',
    requestId: view.getUint32(1, true),
    lsn: readLsn(view, 5),
    spcOid: view.getUint32(13, true),
    dbOid: view.getUint32(17, true),
  }
}
