import { CorruptionError, StorageError } from '../../base/errors.ts'
import { PAGE_SIZE } from '../../postgres/constants.ts'
import { Lsn } from '../../postgres/lsn.ts'
import { PageStatus } from '../../protocol/page-service-messages.ts'
import { KEY_BYTES, KeyScratch } from '../key.ts'
import { rebuildPage } from '../rebuild-page.ts'
import type { PageCache } from './page-cache.ts'
import type { RelationSizeReader } from './relation-size.ts'
import type { TimelineStorage, ValueChain } from './timeline-storage.ts'

export interface BlockRange {
  readonly spcOid: number
  readonly dbOid: number
  readonly relNumber: number
  readonly fork: number
  readonly firstBlock: number
  readonly blockCount: number
}

export interface PagesAtLsn {
  /** PageStatus by position in the range. */
  readonly statuses: Uint8Array
  /** By position; there where the status is `page`. Kept by the page cache: not to be written to. */
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

  /** Undefined when a layer has to be fetched first: then use `get`. */
  getNow(range: BlockRange, lsn: Lsn): PagesAtLsn | undefined {
    requireReadable(this.#storage, lsn)
    const blockCount = this.#sizes.now(range.spcOid, range.dbOid, range.relNumber, range.fork, lsn)
    if (blockCount === undefined) return undefined
    const result = newResult(range.blockCount)
    const wanted = this.#takeCached(range, blockCount, lsn, result)
    if (wanted.length === 0) return result
    const keys = this.#packKeys(range, wanted)
    const chains = this.#storage.collectNow(keys, wanted.length, lsn)
    if (!chains) return undefined
    this.#rebuild(range, wanted, keys, chains, lsn, result)
    return result
  }

  async get(range: BlockRange, lsn: Lsn): Promise<PagesAtLsn> {
    const now = this.getNow(range, lsn)
    if (now) return now
    const blockCount = await this.#sizes.at(range.spcOid, range.dbOid, range.relNumber, range.fork, lsn)
    const result = newResult(range.blockCount)
    const wanted = this.#takeCached(range, blockCount, lsn, result)
    if (wanted.length === 0) return result
    const keys = this.#packKeys(range, wanted)
    const chains = await this.#storage.collect(keys, wanted.length, lsn)
    this.#rebuild(range, wanted, keys, chains, lsn, result)
    return result
  }

  /** Fills in what needs no store; returns the positions that do. */
  #takeCached(range: BlockRange, forkBlocks: number, lsn: Lsn, result: PagesAtLsn): number[] {
    const wanted: number[] = []
    for (let i = 0; i < range.blockCount; i++) {
      const block = range.firstBlock + i
      if (block >= forkBlocks) {
        result.statuses[i] = PageStatus.beyondEnd
        continue
      }
      const page = this.#cache.get(this.#pageName(range, block), lsn)
      if (page) setPage(result, i, page)
      else wanted.push(i)
    }
    return wanted
  }

  #packKeys(range: BlockRange, wanted: readonly number[]): Uint8Array {
    const keys = new Uint8Array(wanted.length * KEY_BYTES)
    wanted.forEach((position, i) => {
      const block = range.firstBlock + position
      keys.set(this.#key.relationBlock(range.spcOid, range.dbOid, range.relNumber, range.fork, block), i * KEY_BYTES)
    })
    return keys
  }

  /** The cache may be shared by many timelines. */
  #pageName(range: BlockRange, block: number): string {
    const { spcOid, dbOid, relNumber, fork } = range
    return `${this.#storage.timelineId}/${spcOid}/${dbOid}/${relNumber}.${fork}/${block}`
  }

  #rebuild(
    range: BlockRange,
    wanted: readonly number[],
    keys: Uint8Array,
    chains: readonly ValueChain[],
    lsn: Lsn,
    result: PagesAtLsn,
  ): void {
    wanted.forEach((position, i) => {
      const chain = chains[i]!
      const key = keys.subarray(i * KEY_BYTES, (i + 1) * KEY_BYTES)
      const page = rebuildPage(key, chain)
      this.#cache.set(this.#pageName(range, range.firstBlock + position), chain.lsns[0]!, lsn, page)
      setPage(result, position, page)
    })
  }
}

/** Throws when the timeline cannot answer at `lsn`: not ingested yet, or older than its history. */
export function requireReadable(storage: TimelineStorage, lsn: Lsn): void {
  if (lsn > storage.lastRecordLsn) {
    const fields = { lsn: Lsn.format(lsn), lastRecordLsn: Lsn.format(storage.lastRecordLsn) }
    throw new StorageError('unavailable', 'lsn is not ingested yet', fields)
  }
}

function newResult(blockCount: number): PagesAtLsn {
  return { statuses: new Uint8Array(blockCount), pages: new Array<Uint8Array | undefined>(blockCount).fill(undefined) }
}

function setPage(result: PagesAtLsn, position: number, page: Uint8Array): void {
  if (isZeroPage(page)) {
    result.statuses[position] = PageStatus.zero
    return
  }
  result.statuses[position] = PageStatus.page
  result.pages[position] = page
}

function isZeroPage(page: Uint8Array): boolean {
  if (page.length !== PAGE_SIZE) throw new CorruptionError('page has the wrong length', { bytes: page.length })
  // A page in use has pd_upper and a version in its header: two looks settle nearly all.
  if (page[14] !== 0 || page[15] !== 0 || page[19] !== 0) return false
  for (let i = 0; i < PAGE_SIZE; i++) if (page[i] !== 0) return false
  return true
}
