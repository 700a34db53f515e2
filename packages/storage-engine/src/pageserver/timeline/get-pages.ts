import { CorruptionError, StorageError } from '../../base/errors.ts'
import { PAGE_SIZE } from '../../postgres/constants.ts'
import { Lsn } from '../../postgres/lsn.ts'
import { PageStatus } from '../../protocol/status-pages.ts'
import { KEY_BYTES, KeyScratch } from '../key.ts'
import { rebuildPageInto } from '../rebuild-page.ts'
import type { PageCache } from './page-cache.ts'
import type { RelationSizeReader } from './relation-size.ts'
import type { TimelineStorage, ValueChain } from './timeline-storage.ts'

/** A request for so many blocks at once is part of a scan, which asks for each page once: it would only empty the cache. */
const SCAN_BLOCKS_MIN = 16

interface OfFork {
  readonly spcOid: number
  readonly dbOid: number
  readonly relNumber: number
  readonly fork: number
}

export interface BlockRange extends OfFork {
  readonly firstBlock: number
  readonly blockCount: number
}

export interface BlockList extends OfFork {
  /** Ascending. */
  readonly blocks: readonly number[]
}

/** Positions are those in the range or the list. */
type Blocks = BlockRange | BlockList

/** Where pages go: the answer to a request, or a buffer. */
export interface PageTarget {
  /** PageStatus by position. */
  readonly statuses: Uint8Array
  /** Room for all pages. Those with status `page` are put here in order, without gaps. */
  readonly bytes: Uint8Array
}

export interface PagesAtLsn {
  /** PageStatus by position in the range. */
  readonly statuses: Uint8Array
  /** By position; there where the status is `page`. */
  readonly pages: (Uint8Array | undefined)[]
}

/**
 * Pages of one fork as of an LSN: size check, cache, collect, redo. Everything that is in memory or in local layers is
 * answered on the calling tick.
 */
export class PageReader {
  readonly #storage: TimelineStorage
  readonly #sizes: RelationSizeReader
  readonly #cache: PageCache
  readonly #key = new KeyScratch()

  constructor(storage: TimelineStorage, sizes: RelationSizeReader, cache: PageCache) {
    this.#storage = storage
    this.#sizes = sizes
    this.#cache = cache
  }

  /** Returns the number of pages in `target`. Undefined when a layer has to be fetched first: then use `read`. */
  readNow(range: Blocks, lsn: Lsn, target: PageTarget): number | undefined {
    requireReadable(this.#storage, lsn)
    const forkBlocks = this.#sizes.now(range.spcOid, range.dbOid, range.relNumber, range.fork, lsn)
    if (forkBlocks === undefined) return undefined
    const blocks = blocksWithin(range, forkBlocks)
    const wanted: number[] = []
    const isScan = countOf(range) >= SCAN_BLOCKS_MIN
    for (let i = 0; i < blocks; i++) {
      if (isScan || !this.#cache.touch(this.#pageName(range, i), lsn)) wanted.push(i)
    }
    let chains: readonly ValueChain[] = []
    if (wanted.length > 0) {
      const found = this.#storage.collectNow(this.#packKeys(range, wanted), wanted.length, lsn, isScan)
      if (!found) return undefined
      chains = found
    }
    return this.#fill(range, blocks, wanted, chains, lsn, target)
  }

  async read(range: Blocks, lsn: Lsn, target: PageTarget): Promise<number> {
    const now = this.readNow(range, lsn, target)
    if (now !== undefined) return now
    const forkBlocks = await this.#sizes.at(range.spcOid, range.dbOid, range.relNumber, range.fork, lsn)
    // All of them: what is in the cache now may be gone when the layers are here.
    const blocks = blocksWithin(range, forkBlocks)
    const wanted = Array.from({ length: blocks }, (_, i) => i)
    const chains = await this.#storage.collect(this.#packKeys(range, wanted), blocks, lsn)
    return this.#fill(range, blocks, wanted, chains, lsn, target)
  }

  /** Positions from `blocks` on lie beyond the end of the fork. `wanted` ascends; the other pages were touched in the cache. */
  #fill(
    range: Blocks,
    blocks: number,
    wanted: readonly number[],
    chains: readonly ValueChain[],
    lsn: Lsn,
    { statuses, bytes }: PageTarget,
  ): number {
    let pageCount = 0
    let nextWanted = 0
    for (let i = 0; i < blocks; i++) {
      const at = pageCount * PAGE_SIZE
      const page = bytes.subarray(at, at + PAGE_SIZE)
      if (wanted[nextWanted] === i) {
        const chain = chains[nextWanted++]!
        rebuildPageInto(page, this.#blockKey(range, i), chain)
        if (countOf(range) < SCAN_BLOCKS_MIN) this.#cache.set(this.#pageName(range, i), chain.lsns[0]!, lsn, page)
      } else {
        this.#cache.copy(this.#pageName(range, i), bytes, at)
      }
      statuses[i] = isZeroPage(page) ? PageStatus.zero : PageStatus.page
      if (statuses[i] === PageStatus.page) pageCount++
    }
    statuses.fill(PageStatus.beyondEnd, blocks)
    return pageCount
  }

  #packKeys(range: Blocks, wanted: readonly number[]): Uint8Array {
    const keys = new Uint8Array(wanted.length * KEY_BYTES)
    for (let i = 0; i < wanted.length; i++) keys.set(this.#blockKey(range, wanted[i]!), i * KEY_BYTES)
    return keys
  }

  /** Valid until the next call. */
  #blockKey(range: Blocks, position: number): Uint8Array {
    const { spcOid, dbOid, relNumber, fork } = range
    return this.#key.relationBlock(spcOid, dbOid, relNumber, fork, blockAt(range, position))
  }

  /** The cache may be shared by many timelines. */
  #pageName(range: Blocks, position: number): string {
    const { spcOid, dbOid, relNumber, fork } = range
    return `${this.#storage.timelineId}/${spcOid}/${dbOid}/${relNumber}.${fork}/${blockAt(range, position)}`
  }
}

/** Pages in a buffer of their own, by position. */
export async function pagesAtLsn(reader: PageReader, range: BlockRange, lsn: Lsn): Promise<PagesAtLsn> {
  const { blockCount } = range
  const target = { statuses: new Uint8Array(blockCount), bytes: new Uint8Array(blockCount * PAGE_SIZE) }
  await reader.read(range, lsn, target)
  let at = 0
  const pages = Array.from(target.statuses, (status) => {
    if (status !== PageStatus.page) return undefined
    at += PAGE_SIZE
    return target.bytes.subarray(at - PAGE_SIZE, at)
  })
  return { statuses: target.statuses, pages }
}

function countOf(range: Blocks): number {
  return 'blocks' in range ? range.blocks.length : range.blockCount
}

function blockAt(range: Blocks, position: number): number {
  return 'blocks' in range ? range.blocks[position]! : range.firstBlock + position
}

/** How many of the first positions lie within the fork; none of the others does. */
function blocksWithin(range: Blocks, forkBlocks: number): number {
  if ('blocks' in range) {
    const beyond = range.blocks.findIndex((block) => block >= forkBlocks)
    return beyond < 0 ? range.blocks.length : beyond
  }
  return Math.min(range.blockCount, Math.max(0, forkBlocks - range.firstBlock))
}

/** Throws when the timeline cannot answer at `lsn`: not ingested yet, or older than its history. */
export function requireReadable(storage: TimelineStorage, lsn: Lsn): void {
  if (lsn > storage.lastRecordLsn) {
    const fields = { lsn: Lsn.format(lsn), lastRecordLsn: Lsn.format(storage.lastRecordLsn) }
    throw new StorageError('unavailable', 'lsn is not ingested yet', fields)
  }
}

function isZeroPage(page: Uint8Array): boolean {
  if (page.length !== PAGE_SIZE) throw new CorruptionError('page has the wrong length', { bytes: page.length })
  // A page in use has pd_upper and a version in its header: two looks settle nearly all.
  if (page[14] !== 0 || page[15] !== 0 || page[19] !== 0) return false
  for (let i = 0; i < PAGE_SIZE; i++) if (page[i] !== 0) return false
  return true
}
