import type { SnapshotSource } from '../../catalog/snapshot-source.ts'
import type { Clock } from '../../io/clock.ts'
import { turnGiver } from '../../io/turn-giver.ts'
import type { Lsn } from '../../postgres/lsn.ts'
import { Fork } from '../../postgres/relation.ts'
import { type SlruKind, slruPageInSegment, slruSegment } from '../../postgres/slru.ts'
import type { RelationLocator } from '../../postgres/two-phase.ts'
import { KeyScratch, Slru } from '../key.ts'
import { rebuildPage } from '../rebuild-page.ts'
import { type BlockRange, PageReader, type PagesAtLsn, pagesAtLsn } from './get-pages.ts'
import { PageCache } from './page-cache.ts'
import { decodeCount, RelationSizeReader } from './relation-size.ts'
import type { TimelineStorage } from './timeline-storage.ts'

const SLRU_OF: Readonly<Record<SlruKind, Slru>> = {
  clog: Slru.xact,
  'multixact-offsets': Slru.multixactOffsets,
  'multixact-members': Slru.multixactMembers,
}

/** What a snapshot reads: a Timeline, or a storage alone. */
export interface SnapshotPages {
  readonly storage: TimelineStorage
  readonly sizes: RelationSizeReader
  getPages(range: BlockRange, lsn: Lsn): Promise<PagesAtLsn>
}

/** 512 x 8 KiB = 4 MiB: the pages of a catalog are read once, front to back. */
const OWN_CACHED_PAGES_MAX = 512

/** Pages of a storage, with a small cache of their own. */
export function pagesOfStorage(storage: TimelineStorage): SnapshotPages {
  const sizes = new RelationSizeReader(storage)
  const reader = new PageReader(storage, sizes, new PageCache(OWN_CACHED_PAGES_MAX))
  return { storage, sizes, getPages: (range, lsn) => pagesAtLsn(reader, range, lsn) }
}

/** A timeline at one LSN, which the caller has waited for. */
export class TimelineSnapshot implements SnapshotSource {
  readonly lsn: Lsn
  readonly giveWay: () => Promise<void>
  readonly #timeline: SnapshotPages
  readonly #key = new KeyScratch()

  constructor(timeline: SnapshotPages, lsn: Lsn, clock: Pick<Clock, 'monotonicMs' | 'yieldTurn'>) {
    this.#timeline = timeline
    this.giveWay = turnGiver(clock)
    this.lsn = lsn
  }

  async blockCount({ spcOid, dbOid, relNumber }: RelationLocator): Promise<number | undefined> {
    const count = await this.#timeline.sizes.at(spcOid, dbOid, relNumber, Fork.main, this.lsn)
    return count < 0 ? undefined : count
  }

  async readPages(
    { spcOid, dbOid, relNumber }: RelationLocator,
    firstBlock: number,
    blockCount: number,
  ): Promise<readonly (Uint8Array | undefined)[]> {
    const range = { spcOid, dbOid, relNumber, fork: Fork.main, firstBlock, blockCount }
    return (await this.#timeline.getPages(range, this.lsn)).pages
  }

  relationMap(spcOid: number, dbOid: number): Promise<Uint8Array | undefined> {
    return this.#newest(this.#key.relationMap(spcOid, dbOid).slice())
  }

  async slruPage(slru: SlruKind, page: number): Promise<Uint8Array | undefined> {
    const segment = slruSegment(page)
    // A truncated segment leaves its pages behind in the store.
    const size = await this.#newest(this.#key.slruSegment(SLRU_OF[slru], segment).slice())
    if (!size || slruPageInSegment(page) >= decodeCount(size)) return undefined
    const key = this.#key.slruPage(SLRU_OF[slru], segment, slruPageInSegment(page)).slice()
    const [chain] = await this.#timeline.storage.collect(key, 1, this.lsn)
    return chain && chain.values.length > 0 ? rebuildPage(key, chain) : undefined
  }

  async #newest(key: Uint8Array): Promise<Uint8Array | undefined> {
    const [chain] = await this.#timeline.storage.collect(key, 1, this.lsn)
    const value = chain?.values[0]
    return value && value.length > 0 ? value.slice() : undefined
  }
}
