import { expect, test } from 'vitest'
import { StorageError } from '../base/errors.ts'
import { ProjectId, TimelineId } from '../postgres/ids.ts'
import { Lsn } from '../postgres/lsn.ts'
import { blocksAnswerBytes, type GetBlocksRequest, startBlocksAnswer } from './block-list-messages.ts'
import { encodePages, type GetPagesRequest, isSameRequest } from './block-run-messages.ts'
import {
  decodePageServiceRequest,
  decodePageServiceResponse,
  encodePageServiceError,
  encodePageServiceRequest,
  encodeWelcome,
  type PageServiceRequest,
} from './page-service-messages.ts'
import { encodeSizes } from './relation-size-messages.ts'
import {
  encodeRelationMapAnswer,
  encodeSlruPages,
  type RelationMapRequest,
  type SlruPagesRequest,
} from './small-file-messages.ts'
import { PageStatus } from './status-pages.ts'

const getPages: GetPagesRequest = {
  kind: 'get-pages',
  requestId: 7,
  lsn: Lsn.parse('12/ABCDEF01'),
  spcOid: 1663,
  dbOid: 5,
  relNumber: 16384,
  fork: 2,
  firstBlock: 0xfffffff0,
  blockCount: 3,
}
const getBlocks: GetBlocksRequest = {
  kind: 'get-blocks',
  requestId: 8,
  lsn: Lsn.parse('12/ABCDEF01'),
  spcOid: 1663,
  dbOid: 5,
  relNumber: 16384,
  fork: 0,
  blocks: [0, 7, 0xffff_fff0],
}
const requests: PageServiceRequest[] = [
  {
    kind: 'hello',
    version: 1,
    projectId: ProjectId.parse('0123456789abcdef'.repeat(2)),
    timelineId: TimelineId.parse('f'.repeat(32)),
  },
  getPages,
  {
    kind: 'relation-sizes',
    requestId: 9,
    lsn: Lsn.of(40),
    relations: [{ spcOid: 1664, dbOid: 0, relNumber: 1262, fork: 0 }],
  },
  { kind: 'relation-sizes', requestId: 10, lsn: Lsn.of(40), relations: [] },
  getBlocks,
  { kind: 'slru-pages', requestId: 11, lsn: Lsn.of(48), slru: 'multixact-members', firstPage: 70_000, pageCount: 3 },
  { kind: 'relation-map', requestId: 12, lsn: Lsn.of(56), spcOid: 1664, dbOid: 0 },
]

test('every request decodes to what was encoded', () => {
  for (const request of requests) expect(decodePageServiceRequest(encodePageServiceRequest(request))).toEqual(request)
})

test('answers with SLRU pages and relation maps decode to what was encoded, and not when cut short', () => {
  const [slru, map] = requests.slice(-2) as [SlruPagesRequest, RelationMapRequest]
  const page = new Uint8Array(8192).fill(7)
  const pages = [undefined, page, undefined]
  const slruAnswer = encodeSlruPages(slru, Uint8Array.of(1, 0, 2), pages)
  expect(decodePageServiceResponse(slruAnswer)).toEqual({
    kind: 'slru-pages',
    request: slru,
    statuses: Uint8Array.of(1, 0, 2),
    pages,
  })
  const bytes = new Uint8Array(524).fill(3)
  const mapAnswer = encodeRelationMapAnswer(map, bytes)
  expect(decodePageServiceResponse(mapAnswer)).toEqual({ kind: 'relation-map', request: map, bytes })
  const none = decodePageServiceResponse(encodeRelationMapAnswer(map, undefined))
  expect(none).toEqual({ kind: 'relation-map', request: map, bytes: undefined })
  for (const answer of [slruAnswer, mapAnswer]) {
    expect(() => decodePageServiceResponse(answer.subarray(0, answer.length - 1))).toThrow(StorageError)
    expect(() => decodePageServiceResponse(Uint8Array.of(...answer, 0))).toThrow(StorageError)
  }
})

test('an answer repeats every field of its request and carries only the pages that have bytes', () => {
  const page = new Uint8Array(8192).fill(9)
  const statuses = Uint8Array.of(PageStatus.zero, PageStatus.page, PageStatus.beyondEnd)
  const answer = decodePageServiceResponse(encodePages(getPages, statuses, [undefined, page, undefined]))
  if (answer.kind !== 'pages') throw new Error(answer.kind)
  expect(isSameRequest(answer.request, getPages)).toBe(true)
  expect([...answer.statuses]).toEqual([...statuses])
  expect(answer.pages[1]).toEqual(page)
  expect(answer.pages[0]).toBeUndefined()
})

test('an answer for scattered blocks repeats them, and lists that do not ascend or are too long are refused', () => {
  const payload = new Uint8Array(blocksAnswerBytes(3, 1))
  const { statuses, bytes } = startBlocksAnswer(payload, getBlocks)
  statuses.set([PageStatus.zero, PageStatus.page, PageStatus.beyondEnd])
  bytes.fill(9)
  const page = new Uint8Array(8192).fill(9)
  expect(decodePageServiceResponse(payload)).toEqual({
    kind: 'blocks',
    request: getBlocks,
    statuses,
    pages: [undefined, page, undefined],
  })
  expect(() => decodePageServiceResponse(payload.subarray(0, payload.length - 1))).toThrow(StorageError)
  expect(() => decodePageServiceResponse(Uint8Array.of(...payload, 0))).toThrow(StorageError)
  for (const blocks of [[], [1, 1], [2, 1], [0xffff_ffff], Array.from({ length: 33 }, (_, i) => i)]) {
    const encoded = encodePageServiceRequest({ ...getBlocks, blocks })
    expect(() => decodePageServiceRequest(encoded), blocks.join()).toThrow(StorageError)
  }
})

test('sizes, welcome and errors decode to what was encoded', () => {
  const sizes = requests[2]!
  if (sizes.kind !== 'relation-sizes') throw new Error(sizes.kind)
  expect(decodePageServiceResponse(encodeSizes(sizes, [undefined]))).toEqual({
    kind: 'sizes',
    request: sizes,
    blockCounts: [undefined],
  })
  expect(decodePageServiceResponse(encodeSizes(sizes, [0]))).toMatchObject({ blockCounts: [0] })
  const welcome = { version: 1, systemIdentifier: 7_310_000_000_000_000_001n, lastRecordLsn: Lsn.of(99) }
  expect(decodePageServiceResponse(encodeWelcome(welcome))).toEqual({ kind: 'welcome', ...welcome })
  const error = encodePageServiceError('not-found', 'no such timeline', encodePageServiceRequest(getPages))
  expect(decodePageServiceResponse(error)).toEqual({
    kind: 'error',
    code: 'not-found',
    message: 'no such timeline',
    request: getPages,
  })
})

test('a cut or overlong message is an error, never a guess', () => {
  for (const request of requests) {
    const payload = encodePageServiceRequest(request)
    for (let length = 0; length < payload.length; length++) {
      expect(() => decodePageServiceRequest(payload.subarray(0, length))).toThrow(StorageError)
    }
    expect(() => decodePageServiceRequest(Buffer.concat([payload, Buffer.of(0)]))).toThrow(StorageError)
  }
})
