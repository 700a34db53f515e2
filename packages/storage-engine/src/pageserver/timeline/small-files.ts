import { PAGE_SIZE } from '../../postgres/constants.ts'
import { type SlruKind, slruPageInSegment, slruSegment } from '../../postgres/slru.ts'
import type { RelationMapRequest, SlruPagesRequest } from '../../protocol/small-file-messages.ts'
import { PageStatus } from '../../protocol/status-pages.ts'
import { KEY_BYTES, KeyScratch, Slru } from '../key.ts'
import { rebuildPage } from '../rebuild-page.ts'
import type { PagesAtLsn } from './get-pages.ts'
import { decodeCount } from './relation-size.ts'
import type { TimelineStorage } from './timeline-storage.ts'

const SLRU_OF: Readonly<Record<SlruKind, Slru>> = {
  clog: Slru.xact,
  'multixact-offsets': Slru.multixactOffsets,
  'multixact-members': Slru.multixactMembers,
}

/** Pages of an SLRU as of the request's LSN. Those that are truncated away or not yet made are beyond its end. */
export async function slruPagesAt(storage: TimelineStorage, request: SlruPagesRequest): Promise<PagesAtLsn> {
  const { lsn, firstPage, pageCount } = request
  const slru = SLRU_OF[request.slru]
  const key = new KeyScratch()
  const statuses = new Uint8Array(pageCount).fill(PageStatus.beyondEnd)
  const pages = new Array<Uint8Array | undefined>(pageCount).fill(undefined)
  const firstSegment = slruSegment(firstPage)
  const segmentCount = slruSegment(firstPage + pageCount - 1) - firstSegment + 1
  const segmentKeys = pack(
    Array.from({ length: segmentCount }, (_, i) => key.slruSegment(slru, firstSegment + i).slice()),
  )
  const pagesOfSegment = (await storage.collect(segmentKeys, segmentCount, lsn)).map(({ values }) =>
    values[0] && values[0].length > 0 ? decodeCount(values[0]) : 0,
  )
  const wanted: number[] = []
  for (let i = 0; i < pageCount; i++) {
    const page = firstPage + i
    if (slruPageInSegment(page) < pagesOfSegment[slruSegment(page) - firstSegment]!) wanted.push(i)
  }
  if (wanted.length === 0) return { statuses, pages }
  const pageKeys = wanted.map((i) =>
    key.slruPage(slru, slruSegment(firstPage + i), slruPageInSegment(firstPage + i)).slice(),
  )
  const chains = await storage.collect(pack(pageKeys), wanted.length, lsn)
  wanted.forEach((position, i) => {
    const page = chains[i]!.values.length === 0 ? new Uint8Array(PAGE_SIZE) : rebuildPage(pageKeys[i]!, chains[i]!)
    statuses[position] = PageStatus.page
    pages[position] = page
  })
  return { statuses, pages }
}

/** pg_filenode.map as of the request's LSN; undefined: the database does not exist. */
export async function relationMapAt(
  storage: TimelineStorage,
  request: RelationMapRequest,
): Promise<Uint8Array | undefined> {
  const key = new KeyScratch().relationMap(request.spcOid, request.dbOid)
  const [chain] = await storage.collect(key, 1, request.lsn)
  const value = chain?.values[0]
  return value && value.length > 0 ? value.slice() : undefined
}

function pack(keys: readonly Uint8Array[]): Uint8Array {
  const packed = new Uint8Array(keys.length * KEY_BYTES)
  for (const [i, key] of keys.entries()) packed.set(key, i * KEY_BYTES)
  return packed
}
