/**
 * Messages of the page service for blocks that do not lie side by side: one request and one answer for many. They follow the
 * rules of page-service-messages.ts.
 *
 *   get-blocks      06 | u32 id | u64 lsn | u32 spc | u32 db | u32 rel | u8 fork | u8 count | u32 block * count
 *   blocks answer   86 | get-blocks from its id on | u8 status * count | 8192 B for each status `page`
 */
import { CorruptionError } from '../base/errors.ts'
import { PAGE_SIZE } from '../postgres/constants.ts'
import { Lsn } from '../postgres/lsn.ts'
import { readLsn, requireFork, requireLength, viewOf } from './page-service-fields.ts'
import { readStatusesAndPages } from './status-pages.ts'

export const BlockListTag = { getBlocks: 0x06, blocksAnswer: 0x86 } as const

/** As many as one turn of the server's thread takes a few milliseconds for; more than one scan step of its page reader. */
export const BLOCKS_PER_REQUEST_MAX = 32
const HEAD_BYTES = 27
const BLOCK_MAX = 0xffff_fffe

/** Blocks of one fork as of `lsn`, ascending. */
export interface GetBlocksRequest {
  readonly kind: 'get-blocks'
  readonly requestId: number
  readonly lsn: Lsn
  readonly spcOid: number
  readonly dbOid: number
  readonly relNumber: number
  readonly fork: number
  readonly blocks: readonly number[]
}

export interface BlocksResponse {
  readonly kind: 'blocks'
  readonly request: GetBlocksRequest
  /** PageStatus by position in the request. */
  readonly statuses: Uint8Array
  /** By position; undefined unless the status is `page`. Borrowed from the payload. */
  readonly pages: readonly (Uint8Array | undefined)[]
}

export function encodeGetBlocks(request: GetBlocksRequest): Uint8Array {
  const bytes = new Uint8Array(requestBytes(request.blocks.length))
  writeRequest(bytes, BlockListTag.getBlocks, request)
  return bytes
}

export function decodeGetBlocks(payload: Uint8Array): GetBlocksRequest {
  const request = readRequest(payload)
  requireLength(payload, requestBytes(request.blocks.length), requestBytes(request.blocks.length))
  return request
}

/** Payload bytes of an answer of `pageCount` pages to a request for `blockCount` blocks. */
export function blocksAnswerBytes(blockCount: number, pageCount: number): number {
  return requestBytes(blockCount) + blockCount + pageCount * PAGE_SIZE
}

/** As startPagesAnswer of block-run-messages.ts. */
export function startBlocksAnswer(
  payload: Uint8Array,
  request: GetBlocksRequest,
): { statuses: Uint8Array; bytes: Uint8Array } {
  writeRequest(payload, BlockListTag.blocksAnswer, request)
  const statusesAt = requestBytes(request.blocks.length)
  const pagesAt = statusesAt + request.blocks.length
  return { statuses: payload.subarray(statusesAt, pagesAt), bytes: payload.subarray(pagesAt) }
}

export function decodeBlocksAnswer(payload: Uint8Array): BlocksResponse {
  const request = readRequest(payload)
  return {
    kind: 'blocks',
    request,
    ...readStatusesAndPages(payload, requestBytes(request.blocks.length), request.blocks.length),
  }
}

function requestBytes(blockCount: number): number {
  return HEAD_BYTES + blockCount * 4
}

function writeRequest(bytes: Uint8Array, tag: number, request: GetBlocksRequest): void {
  const view = viewOf(bytes)
  bytes[0] = tag
  view.setUint32(1, request.requestId, true)
  Lsn.write(view, 5, request.lsn)
  view.setUint32(13, request.spcOid, true)
  view.setUint32(17, request.dbOid, true)
  view.setUint32(21, request.relNumber, true)
  bytes[25] = request.fork
  bytes[26] = request.blocks.length
  request.blocks.forEach((block, i) => {
    view.setUint32(HEAD_BYTES + i * 4, block, true)
  })
}

function readRequest(payload: Uint8Array): GetBlocksRequest {
  requireLength(payload, HEAD_BYTES)
  const view = viewOf(payload)
  const fork = payload[25]!
  const count = payload[26]!
  const lsn = readLsn(view, 5)
  requireFork(fork)
  if (count < 1 || count > BLOCKS_PER_REQUEST_MAX) throw new CorruptionError('block count out of bounds', { count })
  requireLength(payload, requestBytes(count))
  const blocks: number[] = []
  for (let i = 0; i < count; i++) {
    const block = view.getUint32(HEAD_BYTES + i * 4, true)
    if (block > BLOCK_MAX || (i > 0 && block <= blocks[i - 1]!)) {
      throw new CorruptionError('blocks do not ascend', { position: i, block })
    }
    blocks.push(block)
  }
  return {
    kind: 'get-blocks',
    requestId: view.getUint32(1, true),
    lsn,
    spcOid: view.getUint32(13, true),
    dbOid: view.getUint32(17, true),
    relNumber: view.getUint32(21, true),
    fork,
    blocks,
  }
}
