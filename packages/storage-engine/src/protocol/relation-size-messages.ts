/**
 * Messages of the page service for the sizes of relations. They follow the rules of page-service-messages.ts.
 *
 *   relation-sizes  03 | u32 id | u64 lsn | u16 n | (u32 spc | u32 db | u32 rel | u8 fork) * n
 *   sizes           83 | relation-sizes from its id on | u32 blocks * n (FFFFFFFF: no such fork)
 */
import { CorruptionError, StorageError } from '../base/errors.ts'
import { Lsn } from '../postgres/lsn.ts'
import { readLsn, requireFork, requireLength, viewOf } from './page-service-fields.ts'

export const RelationSizeTag = { request: 0x03, answer: 0x83 } as const

export const RELATIONS_PER_REQUEST_MAX = 4096
const HEAD_BYTES = 15
const RELATION_BYTES = 13
const NO_FORK = 0xffffffff

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

export interface SizesResponse {
  readonly kind: 'sizes'
  readonly request: RelationSizesRequest
  /** Blocks by position in the request; undefined: no such fork at that LSN. */
  readonly blockCounts: readonly (number | undefined)[]
}

export function encodeSizesRequest(request: RelationSizesRequest): Uint8Array {
  const bytes = new Uint8Array(requestBytes(request))
  writeRequest(bytes, RelationSizeTag.request, request)
  return bytes
}

export function decodeSizesRequest(payload: Uint8Array): RelationSizesRequest {
  const request = readRequest(payload)
  requireLength(payload, requestBytes(request), requestBytes(request))
  return request
}

export function encodeSizes(request: RelationSizesRequest, blockCounts: readonly (number | undefined)[]): Uint8Array {
  const head = requestBytes(request)
  const bytes = new Uint8Array(head + blockCounts.length * 4)
  writeRequest(bytes, RelationSizeTag.answer, request)
  const view = viewOf(bytes)
  blockCounts.forEach((count, i) => {
    view.setUint32(head + i * 4, count ?? NO_FORK, true)
  })
  return bytes
}

export function decodeSizes(payload: Uint8Array): SizesResponse {
  const request = readRequest(payload)
  const head = requestBytes(request)
  requireLength(payload, head + request.relations.length * 4, head + request.relations.length * 4)
  const view = viewOf(payload)
  const blockCounts = request.relations.map((_, i) => {
    const count = view.getUint32(head + i * 4, true)
    return count === NO_FORK ? undefined : count
  })
  return { kind: 'sizes', request, blockCounts }
}

function requestBytes(request: RelationSizesRequest): number {
  return HEAD_BYTES + request.relations.length * RELATION_BYTES
}

function writeRequest(bytes: Uint8Array, tag: number, request: RelationSizesRequest): void {
  if (request.relations.length > RELATIONS_PER_REQUEST_MAX) {
    throw new StorageError('invalid-input', 'too many relations in one request', { count: request.relations.length })
  }
  const view = viewOf(bytes)
  bytes[0] = tag
  view.setUint32(1, request.requestId, true)
  Lsn.write(view, 5, request.lsn)
  view.setUint16(13, request.relations.length, true)
  request.relations.forEach((relation, i) => {
    const at = HEAD_BYTES + i * RELATION_BYTES
    view.setUint32(at, relation.spcOid, true)
    view.setUint32(at + 4, relation.dbOid, true)
    view.setUint32(at + 8, relation.relNumber, true)
    bytes[at + 12] = relation.fork
  })
}

function readRequest(payload: Uint8Array): RelationSizesRequest {
  requireLength(payload, HEAD_BYTES)
  const view = viewOf(payload)
  const count = view.getUint16(13, true)
  if (count > RELATIONS_PER_REQUEST_MAX) throw new CorruptionError('relation count out of bounds', { count })
  requireLength(payload, HEAD_BYTES + count * RELATION_BYTES)
  const relations = Array.from({ length: count }, (_, i) => {
    const at = HEAD_BYTES + i * RELATION_BYTES
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
