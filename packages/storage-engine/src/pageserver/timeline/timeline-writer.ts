import { assert } from '../../base/assert.ts'
import type { Timer } from '../../io/clock.ts'
import { Lsn } from '../../postgres/lsn.ts'
import { KEY_BYTES } from '../key.ts'
import { OpenLayer } from '../layer/open-layer.ts'
import type { BackgroundUpkeep } from '../upkeep/background-upkeep.ts'
import type { LayerFlusher } from './layer-flusher.ts'
import type { StorageContext } from './storage-context.ts'
import type { StorageProgress } from './storage-progress.ts'
import type { FrozenLayer, VersionHistory } from './storage-version.ts'
import type { TimelineFiles } from './timeline-files.ts'

export interface TimelineWriterOptions {
  readonly context: StorageContext
  readonly files: TimelineFiles
  readonly history: VersionHistory
  readonly flusher: LayerFlusher
  readonly upkeep: BackgroundUpkeep
  readonly progress: StorageProgress
  /** Everything at or below is in layers already. */
  readonly consistentLsn: Lsn
}

/**
 * The end of a timeline that grows: where it is, what of it is visible, when the open layer is frozen, and when ingest has
 * to wait. One caller writes.
 */
export class TimelineWriter {
  readonly #options: TimelineWriterOptions
  #lastRecordLsn: Lsn
  #frozenLsn: Lsn
  #putLsnMax: Lsn = Lsn.zero
  /** Versions in the open layer at or below the last record. */
  #advancedVersions = 0
  #ageTimer: Timer | undefined
  #isFreezeWanted = false

  constructor(options: TimelineWriterOptions) {
    this.#options = options
    this.#lastRecordLsn = options.consistentLsn
    this.#frozenLsn = options.consistentLsn
  }

  get lastRecordLsn(): Lsn {
    return this.#lastRecordLsn
  }

  put(key: Uint8Array, lsn: Lsn, willInit: boolean, value: Uint8Array): void {
    assert(key.length === KEY_BYTES, 'key has the wrong length')
    assert(lsn > this.#lastRecordLsn, 'a value at or below the last record')
    this.#options.history.current.open.put(key, lsn, willInit, value)
    if (lsn > this.#putLsnMax) this.#putLsnMax = lsn
  }

  advance(lsn: Lsn): void {
    assert(lsn >= this.#lastRecordLsn, 'last record lsn goes back')
    assert(lsn >= this.#putLsnMax, 'a value lies beyond the last record')
    this.#lastRecordLsn = lsn
    const { settings, env } = this.#options.context
    const { open } = this.#options.history.current
    this.#advancedVersions = open.index.versionCount
    if (
      this.#isFreezeWanted ||
      open.valueBytes + open.index.memoryBytes / 2 >= settings.openLayerBytesMax ||
      lsn - this.#frozenLsn >= settings.openLayerWalBytesMax
    ) {
      this.#freeze()
    } else if (!this.#ageTimer && lsn > this.#frozenLsn) {
      this.#ageTimer = env.clock.setTimer(settings.openLayerAgeMsMax, () => {
        this.#ageTimer = undefined
        this.freezeSoon()
      })
    }
  }

  rollback(): void {
    if (this.#putLsnMax <= this.#lastRecordLsn) return
    this.#options.history.current.open.rollback(this.#advancedVersions)
    this.#putLsnMax = this.#lastRecordLsn
    if (this.#isFreezeWanted) this.#freeze()
  }

  async ready(): Promise<void> {
    const { context, history, upkeep, progress } = this.#options
    const { settings, openLayerPool } = context
    for (;;) {
      progress.requireMoving()
      const { open, frozen, map } = history.current
      if (open.mustSpill) await open.spill()
      const isPoolFull = openLayerPool.isFull
      // In the middle of a record, merges that wait for a flush, which waits for its end, are not waited for.
      const isMidRecord = this.#putLsnMax > this.#lastRecordLsn
      const mustMerge = settings.automaticUpkeep && !isMidRecord && map.level0Count >= settings.level0LayersIngestMax
      if (mustMerge) upkeep.start()
      const mustWait = frozen.length > settings.frozenLayersMax || (isPoolFull && frozen.length > 0)
      if (mustWait || (mustMerge && !upkeep.isFailing)) {
        await progress.next()
        continue
      }
      // The memory is in other hands: other timelines, or reads under way. Nobody's flush can be waited for.
      if (isPoolFull && open.canSpill && (await open.spillOldest())) continue
      return
    }
  }

  /** Freezes at once, or at the next advance when values are put beyond the last record. */
  freezeSoon(): void {
    if (this.#putLsnMax > this.#lastRecordLsn) this.#isFreezeWanted = true
    else this.#freeze()
  }

  close(): void {
    this.#ageTimer?.cancel()
  }

  #freeze(): void {
    const { context, files, history, flusher, progress } = this.#options
    this.#isFreezeWanted = false
    this.#ageTimer?.cancel()
    this.#ageTimer = undefined
    if (this.#lastRecordLsn > this.#frozenLsn && !progress.isClosed) {
      const { open, frozen, map } = history.current
      const layer: FrozenLayer = { layer: open, afterLsn: this.#frozenLsn, lastLsn: this.#lastRecordLsn }
      this.#frozenLsn = this.#lastRecordLsn
      this.#advancedVersions = 0
      history.swap({ open: newOpenLayer(context, files), frozen: [layer, ...frozen], map })
    }
    flusher.start()
  }
}

export function newOpenLayer(context: StorageContext, files: TimelineFiles): OpenLayer {
  return new OpenLayer({
    pool: context.openLayerPool,
    disk: context.env.disk,
    path: files.newScratchPath('open'),
    residentBytesMax: context.settings.openLayerResidentBytesMax,
  })
}
