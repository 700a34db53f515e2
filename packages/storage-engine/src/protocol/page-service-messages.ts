import { CorruptionError, StorageError, type StorageErrorCode } from '../base/errors.ts'
import { PAGE_SIZE } from '../postgres/constants.ts'
import { ProjectId, TimelineId } from '../postgres/ids.ts'
import { Lsn } from '../postgres/lsn.ts'
import {
  BlockListTag,
  type BlocksResponse,
  decodeBlocksAnswer,
  decodeGetBlocks,
  encodeGetBlocks,
  type GetBlocksRequest,
} from './block-list-messages.ts'
import {
  decodeRelationMapAnswer,
  decodeRelationMapRequest,
  decodeSlruPages,
  decodeSlruPagesRequest,
  encodeRelationMapRequest,
  encodeSlruPagesRequest,
  type RelationMapRequest,
  type RelationMapResponse,
  type SlruPagesRequest,
  type SlruPagesResponse,
  SmallFileTag,
} from './small-file-messages.ts'
import { readStatusesAndPages, requireLength } from './status-pages.ts'

/**
 * Messages of the page service (docs/formats/page-service.md). Each is the payload of one frame (protocol/framing.ts).
 * Little-endian. The client says hello once, then sends requests without waiting; answers come in any order and repeat
 * the whole request, so that a client compares it field by field and drops the connection on any difference.
 *
 *   hello           01 | u32 magic | u16 version | 16 B project | 16 B timeline
 *   get-pages       02 | u32 id | u64 lsn | u32 spc | u32 db | u32 rel | u32 first block | u8 fork | u8 count
 *   relation-sizes  03 | u32 id | u64 lsn | u16 n | (u32 spc | u32 db | u32 rel | u8 fork) * n
 *   slru-pages, relation-map   04, 05: small-file-messages.ts
 *   get-blocks      06: block-list-messages.ts
 *   welcome         81 | u16 version | u64 system identifier | u64 last record lsn
 *   pages           82 | get-pages from its id on | u8 status * count | 8192 B for each status `page`
 *   sizes           83 | relation-sizes from its id on | u32 blocks * n (FFFFFFFF: no such fork)
 *   error           8F | u8 code | u16 message length | message | whole payload of the refused request, or nothing
 */
export const PAGE_SERVICE_VERSION = 1
const MAGIC = 0x42495254 // 'TRIB'

/** 128 x 8 KiB = 1 MiB of pages in one answer. */
export const PAGES_PER_REQUEST_MAX = 128
export const RELATIONS_PER_REQUEST_MAX = 4096
/** The largest payload either side may send: a full answer and its header. */
export const PAGE_SERVICE_PAYLOAD_BYTES_MAX = 64 + PAGES_PER_REQUEST_MAX * (PAGE_SIZE + 1)
const ERROR_MESSAGE_BYTES_MAX = 2048
const NO_FORK = 0xffffffff

export interface PageServiceHello {
  readonly kind: 'hello'
  readonly version: number
  readonly projectId: ProjectId
  readonly timelineId: TimelineId
}

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

export interface RelationForkName {
  readonly spcOid: number
  readonly dbOid: number
  readonly relNumber: number
  readonly fork: number
}

export interface RelationSizesRequest {
  readonly kind: 'relation-sizes'
  readonly requestId: number
  readonly lsn: Lsn
  readonly relations: readonly RelationForkName[]
}

export type PageServiceRequest =
  | PageServiceHello
  | GetPagesRequest
  | RelationSizesRequest
  | SlruPagesRequest
  | RelationMapRequest
  | GetBlocksRequest

/** `page`: bytes follow. `zero`: 8192 zero bytes. `beyond-end`: the fork at that LSN does not reach this block. */
export const PageStatus = { page: 0, zero: 1, beyondEnd: 2 } as const
export type PageStatus = (typeof PageStatus)[keyof typeof PageStatus]

export interface PageServiceWelcome {
  readonly kind: 'welcome'
  readonly version: number
  readonly systemIdentifier: bigint
  readonly lastRecordLsn: Lsn
}

export interface PagesResponse {
  readonly kind: 'pages'
  readonly request: GetPagesRequest
  readonly statuses: Uint8Array
  /** By position in the request; undefined unless the status is `page`. Borrowed from the payload. */
  readonly pages: readonly (Uint8Array | undefined)[]
}

export interface SizesResponse {
  readonly kind: 'sizes'
  readonly request: RelationSizesRequest
  /** Blocks by position in the request; undefined: no such fork at that LSN. */
  readonly blockCounts: readonly (number | undefined)[]
}

/** The refused request, or undefined when the hello or the connection itself is at fault (the server then closes). */
export interface PageServiceErrorResponse {
  readonly kind: 'error'
  readonly code: StorageErrorCode
  readonly message: string
  readonly request: PageServiceRequest | undefined
}

export type PageServiceResponse =
  | PageServiceWelcome
  | PagesResponse
  | SizesResponse
  | SlruPagesResponse
  | RelationMapResponse
  | BlocksResponse
  | PageServiceErrorResponse

const Tag = {
  hello: 0x01,
  getPages: 0x02,
  sizesRequest: 0x03,
  welcome: 0x81,
  pages: 0x82,
  sizes: 0x83,
  error: 0x8f,
} as const
/** Frame type of an answer with pages. */
export const PAGES_TYPE = Tag.pages
/** Frame type of a get-pages request. */
export const GET_PAGES_TYPE = Tag.getPages
export const GET_PAGES_BYTES = 31
const SIZES_REQUEST_HEAD_BYTES = 15
const RELATION_BYTES = 13

const ERROR_CODES: readonly StorageErrorCode[] = [
  'unavailable',
  'fenced',
  'corruption',
  'invalid-input',
  'not-found',
  'conflict',
  'exhausted',
  'unsupported',
  'aborted',
]

export function encodePageServiceRequest(request: PageServiceRequest): Uint8Array {
  switch (request.kind) {
    case 'hello':
      return encodeHello(request)
    case 'get-pages': {
      const bytes = new Uint8Array(GET_PAGES_BYTES)
      writeGetPages(bytes, Tag.getPages, request)
      return bytes
    }
    case 'relation-sizes': {
      const bytes = new Uint8Array(SIZES_REQUEST_HEAD_BYTES + request.relations.length * RELATION_BYTES)
      writeSizesRequest(bytes, Tag.sizesRequest, request)
      return bytes
    }
    case 'slru-pages':
      return encodeSlruPagesRequest(request)
    case 'relation-map':
      return encodeRelationMapRequest(request)
    case 'get-blocks':
      return encodeGetBlocks(request)
    default:
      return request satisfies never
  }
}

/** Throws CorruptionError for anything that is not one whole, bounded request. */
export function decodePageServiceRequest(payload: Uint8Array): PageServiceRequest {
  switch (payload[0]) {
    case Tag.hello:
      return decodeHello(payload)
    case Tag.getPages:
      requireLength(payload, GET_PAGES_BYTES, GET_PAGES_BYTES)
      return readGetPages(payload)
    case Tag.sizesRequest: {
      const request = readSizesRequest(payload)
      requireLength(payload, sizesRequestBytes(request), sizesRequestBytes(request))
      return request
    }
    case SmallFileTag.slruPages:
      return decodeSlruPagesRequest(payload)
    case SmallFileTag.relationMap:
      return decodeRelationMapRequest(payload)
    case BlockListTag.getBlocks:
      return decodeGetBlocks(payload)
    default:
      throw new CorruptionError('unknown page service request', { tag: payload[0] })
  }
}

export function encodeWelcome(welcome: Omit<PageServiceWelcome, 'kind'>): Uint8Array {
  const bytes = new Uint8Array(19)
  const view = viewOf(bytes)
  bytes[0] = Tag.welcome
  view.setUint16(1, welcome.version, true)
  view.setBigUint64(3, welcome.systemIdentifier, true)
  Lsn.write(view, 11, welcome.lastRecordLsn)
  return bytes
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
  writeGetPages(payload, Tag.pages, request)
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

export function encodeSizes(request: RelationSizesRequest, blockCounts: readonly (number | undefined)[]): Uint8Array {
  const head = sizesRequestBytes(request)
  const bytes = new Uint8Array(head + blockCounts.length * 4)
  writeSizesRequest(bytes, Tag.sizes, request)
  const view = viewOf(bytes)
  blockCounts.forEach((count, i) => {
    view.setUint32(head + i * 4, count ?? NO_FORK, true)
  })
  return bytes
}

/** `requestPayload` is repeated whole; leave it out when no request is at fault. */
export function encodePageServiceError(
  code: StorageErrorCode,
  message: string,
  requestPayload?: Uint8Array,
): Uint8Array {
  const text = new TextEncoder().encode(message).subarray(0, ERROR_MESSAGE_BYTES_MAX)
  const bytes = new Uint8Array(4 + text.length + (requestPayload?.length ?? 0))
  bytes[0] = Tag.error
  bytes[1] = ERROR_CODES.indexOf(code)
  viewOf(bytes).setUint16(2, text.length, true)
  bytes.set(text, 4)
  if (requestPayload) bytes.set(requestPayload, 4 + text.length)
  return bytes
}

/** Pages in the result borrow from `payload`. Throws CorruptionError for anything that is not one whole response. */
export function decodePageServiceResponse(payload: Uint8Array): PageServiceResponse {
  switch (payload[0]) {
    case Tag.welcome:
      return decodeWelcome(payload)
    case Tag.pages:
      return decodePages(payload)
    case Tag.sizes:
      return decodeSizes(payload)
    case SmallFileTag.slruAnswer:
      return decodeSlruPages(payload)
    case SmallFileTag.relationMapAnswer:
      return decodeRelationMapAnswer(payload)
    case BlockListTag.blocksAnswer:
      return decodeBlocksAnswer(payload)
    case Tag.error:
      return decodeError(payload)
    default:
      throw new CorruptionError('unknown page service response', { tag: payload[0] })
  }
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

function encodeHello(hello: PageServiceHello): Uint8Array {
  const bytes = new Uint8Array(39)
  const view = viewOf(bytes)
  bytes[0] = Tag.hello
  view.setUint32(1, MAGIC, true)
  view.setUint16(5, hello.version, true)
  writeHex(bytes, 7, hello.projectId)
  writeHex(bytes, 23, hello.timelineId)
  return bytes
}

function decodeHello(payload: Uint8Array): PageServiceHello {
  requireLength(payload, 39, 39)
  const view = viewOf(payload)
  if (view.getUint32(1, true) !== MAGIC) throw new CorruptionError('not a page service client')
  return {
    kind: 'hello',
    version: view.getUint16(5, true),
    projectId: ProjectId.parse(readHex(payload, 7)),
    timelineId: TimelineId.parse(readHex(payload, 23)),
  }
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
  if (request.firstBlock + request.blockCount > NO_FORK) {
    throw new CorruptionError('block number out of bounds', { firstBlock: request.firstBlock })
  }
  return request
}

function sizesRequestBytes(request: RelationSizesRequest): number {
  return SIZES_REQUEST_HEAD_BYTES + request.relations.length * RELATION_BYTES
}

function writeSizesRequest(bytes: Uint8Array, tag: number, request: RelationSizesRequest): void {
  if (request.relations.length > RELATIONS_PER_REQUEST_MAX) {
    throw new StorageError('invalid-input', 'too many relations in one request', { count: request.relations.length })
  }
  const view = viewOf(bytes)
  bytes[0] = tag
  view.setUint32(1, request.requestId, true)
  Lsn.write(view, 5, request.lsn)
  view.setUint16(13, request.relations.length, true)
  request.relations.forEach((relation, i) => {
    const at = SIZES_REQUEST_HEAD_BYTES + i * RELATION_BYTES
    view.setUint32(at, relation.spcOid, true)
    view.setUint32(at + 4, relation.dbOid, true)
    view.setUint32(at + 8, relation.relNumber, true)
    bytes[at + 12] = relation.fork
  })
}

function readSizesRequest(payload: Uint8Array): RelationSizesRequest {
  requireLength(payload, SIZES_REQUEST_HEAD_BYTES)
  const view = viewOf(payload)
  const count = view.getUint16(13, true)
  if (count > RELATIONS_PER_REQUEST_MAX) throw new CorruptionError('relation count out of bounds', { count })
  requireLength(payload, SIZES_REQUEST_HEAD_BYTES + count * RELATION_BYTES)
  const relations = Array.from({ length: count }, (_, i) => {
    const at = SIZES_REQUEST_HEAD_BYTES + i * RELATION_BYTES
    const fork = payload[at + 12]!
    requireFork(fork)
    return {
      spcOid: view.getUint32(at, true),
      dbOid: view.getUint32(at + 4, true),
      relNumber: view.getUint32(at + 8, true),
      fork,
    }
  })
  return { kind: 'relation-sizes', requestId: view.getUint32(1, true), lsn: readLsn(view, 5), relations }
}

function decodeWelcome(payload: Uint8Array): PageServiceWelcome {
  requireLength(payload, 19, 19)
  const view = viewOf(payload)
  return {
    kind: 'welcome',
    version: view.getUint16(1, true),
    systemIdentifier: view.getBigUint64(3, true),
    lastRecordLsn: readLsn(view, 11),
  }
}

function decodePages(payload: Uint8Array): PagesResponse {
  requireLength(payload, GET_PAGES_BYTES)
  const request = readGetPages(payload)
  return { kind: 'pages', request, ...readStatusesAndPages(payload, GET_PAGES_BYTES, request.blockCount) }
}

function decodeSizes(payload: Uint8Array): SizesResponse {
  const request = readSizesRequest(payload)
  const head = sizesRequestBytes(request)
  requireLength(payload, head + request.relations.length * 4, head + request.relations.length * 4)
  const view = viewOf(payload)
  const blockCounts = request.relations.map((_, i) => {
    const count = view.getUint32(head + i * 4, true)
    return count === NO_FORK ? undefined : count
  })
  return { kind: 'sizes', request, blockCounts }
}

function decodeError(payload: Uint8Array): PageServiceErrorResponse {
  requireLength(payload, 4)
  const code = ERROR_CODES[payload[1]!]
  if (code === undefined) throw new CorruptionError('unknown error code', { code: payload[1] })
  const end = 4 + viewOf(payload).getUint16(2, true)
  requireLength(payload, end)
  const request = payload.length > end ? decodePageServiceRequest(payload.subarray(end)) : undefined
  return { kind: 'error', code, message: new TextDecoder().decode(payload.subarray(4, end)), request }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function readLsn(view: DataView, offset: number): Lsn {
  if (view.getUint32(offset + 4, true) >= 0x20_0000) throw new CorruptionError('lsn out of range', { offset })
  return Lsn.read(view, offset)
}

function requireFork(fork: number): void {
  if (fork > 3) throw new CorruptionError('no such fork', { fork })
}

function writeHex(bytes: Uint8Array, offset: number, hex: string): void {
  for (let i = 0; i < 16; i++) bytes[offset + i] = Number.parseInt(hex.slice(i * 2, i * 2 + 2), 16)
}

function readHex(bytes: Uint8Array, offset: number): string {
  let hex = ''
  for (let i = 0; i < 16; i++) hex += bytes[offset + i]!.toString(16).padStart(2, '0')
  return hex
}
