import { CorruptionError, type StorageErrorCode } from '../base/errors.ts'
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
  BlockRunTag,
  decodeGetPages,
  decodePages,
  encodeGetPages,
  type GetPagesRequest,
  PAGES_PER_REQUEST_MAX,
  type PagesResponse,
} from './block-run-messages.ts'
import { readHexId, writeHexId } from './byte-fields.ts'
import { errorCodeNumber, errorCodeOf } from './error-codes.ts'
import { readLsn, requireLength, viewOf } from './page-service-fields.ts'
import {
  decodeSizes,
  decodeSizesRequest,
  encodeSizesRequest,
  type RelationSizesRequest,
  RelationSizeTag,
  type SizesResponse,
} from './relation-size-messages.ts'
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

/**
 * Messages of the page service (docs/formats/page-service.md). Each is the payload of one frame (protocol/framing.ts).
 * Little-endian. The client says hello once, then sends requests without waiting; answers come in any order and repeat
 * the whole request, so that a client compares it field by field and drops the connection on any difference.
 *
 *   hello           01 | u32 magic | u16 version | 16 B project | 16 B timeline
 *   get-pages       02: block-run-messages.ts
 *   relation-sizes  03: relation-size-messages.ts
 *   slru-pages, relation-map   04, 05: small-file-messages.ts
 *   get-blocks      06: block-list-messages.ts
 *   welcome         81 | u16 version | u64 system identifier | u64 last record lsn
 *   error           8F | u8 code | u16 message length | message | whole payload of the refused request, or nothing
 *
 * An answer has the number of its request with the highest bit set.
 */
export const PAGE_SERVICE_VERSION = 1
const MAGIC = 0x42495254 // 'TRIB'

/** The largest payload either side may send: a full answer and its header. */
export const PAGE_SERVICE_PAYLOAD_BYTES_MAX = 64 + PAGES_PER_REQUEST_MAX * (PAGE_SIZE + 1)
const ERROR_MESSAGE_BYTES_MAX = 2048

export interface PageServiceHello {
  readonly kind: 'hello'
  readonly version: number
  readonly projectId: ProjectId
  readonly timelineId: TimelineId
}

export type PageServiceRequest =
  | PageServiceHello
  | GetPagesRequest
  | RelationSizesRequest
  | SlruPagesRequest
  | RelationMapRequest
  | GetBlocksRequest

export interface PageServiceWelcome {
  readonly kind: 'welcome'
  readonly version: number
  readonly systemIdentifier: bigint
  readonly lastRecordLsn: Lsn
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

const Tag = { hello: 0x01, welcome: 0x81, error: 0x8f } as const

export function encodePageServiceRequest(request: PageServiceRequest): Uint8Array {
  switch (request.kind) {
    case 'hello':
      return encodeHello(request)
    case 'get-pages':
      return encodeGetPages(request)
    case 'relation-sizes':
      return encodeSizesRequest(request)
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
    case BlockRunTag.getPages:
      return decodeGetPages(payload)
    case RelationSizeTag.request:
      return decodeSizesRequest(payload)
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

/** `requestPayload` is repeated whole; leave it out when no request is at fault. */
export function encodePageServiceError(
  code: StorageErrorCode,
  message: string,
  requestPayload?: Uint8Array,
): Uint8Array {
  const text = new TextEncoder().encode(message).subarray(0, ERROR_MESSAGE_BYTES_MAX)
  const bytes = new Uint8Array(4 + text.length + (requestPayload?.length ?? 0))
  bytes[0] = Tag.error
  bytes[1] = errorCodeNumber(code)
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
    case BlockRunTag.pages:
      return decodePages(payload)
    case RelationSizeTag.answer:
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

function encodeHello(hello: PageServiceHello): Uint8Array {
  const bytes = new Uint8Array(39)
  const view = viewOf(bytes)
  bytes[0] = Tag.hello
  view.setUint32(1, MAGIC, true)
  view.setUint16(5, hello.version, true)
  writeHexId(bytes, 7, hello.projectId)
  writeHexId(bytes, 23, hello.timelineId)
  return bytes
}

function decodeHello(payload: Uint8Array): PageServiceHello {
  requireLength(payload, 39, 39)
  const view = viewOf(payload)
  if (view.getUint32(1, true) !== MAGIC) throw new CorruptionError('not a page service client')
  return {
    kind: 'hello',
    version: view.getUint16(5, true),
    projectId: ProjectId.parse(readHexId(payload, 7)),
    timelineId: TimelineId.parse(readHexId(payload, 23)),
  }
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

function decodeError(payload: Uint8Array): PageServiceErrorResponse {
  requireLength(payload, 4)
  const code = errorCodeOf(payload[1]!)
  const end = 4 + viewOf(payload).getUint16(2, true)
  requireLength(payload, end)
  const request = payload.length > end ? decodePageServiceRequest(payload.subarray(end)) : undefined
  return { kind: 'error', code, message: new TextDecoder().decode(payload.subarray(4, end)), request }
}
