import { assert } from '../../base/assert.ts'
import { CorruptionError, errorText, isStorageError, StorageError } from '../../base/errors.ts'
import type { Timer } from '../../io/clock.ts'
import type { TimelineId } from '../../postgres/ids.ts'
import { Lsn } from '../../postgres/lsn.ts'
import { KEY_BYTES } from '../key.ts'
import type { SegmentPages } from '../layer/columnar-segments.ts'
import type { LayerDescriptor } from '../layer/layer-descriptor.ts'
import { layerOfLocalPages, localPagesOf } from '../layer/local-pages.ts'
import { OpenLayer } from '../layer/open-layer.ts'
import type { TimelineIndex } from '../remote/index-file.ts'
import { retryForever } from '../remote/retry-forever.ts'
import { mergeLevel0 } from '../upkeep/compaction.ts'
import { LayerBuilds } from '../upkeep/flush.ts'
import { collectGarbage, type GcHorizon } from '../upkeep/gc.ts'
import { makeImages } from '../upkeep/image-making.ts'
import { type ScrubReport, scrubTimeline } from '../upkeep/scrub.ts'
import { IndexPublisher } from './index-publisher.ts'
import { type HeldSegments, LayerReads, type MissingSegment, type ReadLink } from './read-layers.ts'
import type { StorageContext } from './storage-context.ts'
import { type FrozenLayer, type StorageVersion, type VersionGuard, VersionHistory } from './storage-version.ts'
import { TimelineFiles } from './timeline-files.ts'
import type { TimelineStorage, ValueChain, ValueSemantics } from './timeline-storage.ts'

/**
 * TimelineStorage over layers:
 *
 *   put -> open layer -> frozen layers -> level-0 deltas -> level-1 deltas and images      newest to oldest
 *          memory        memory, file     object storage, cached in local files            then the ancestor
 *
 * A read works on one immutable version of all that, so upkeep may change it meanwhile. A layer set changes only by one
 * write of the index file; what the change leaves behind is removed when no read can see it any more.
 */
export class LayeredTimelineStorage implements TimelineStorage {
  readonly timelineId: TimelineId
  readonly startLsn: Lsn
  readonly ancestor: { readonly storage: LayeredTimelineStorage; readonly lsn: Lsn } | undefined
  /** LSNs that GC must leave readable because a branch starts there: branch id -> LSN. */
  readonly branchPoints = new Map<TimelineId, Lsn>()

  readonly #context: StorageContext
  readonly #files: TimelineFiles
  readonly #publisher: IndexPublisher
  readonly #builds: LayerBuilds
  readonly #history: VersionHistory
  readonly #abort: AbortController
  readonly #semantics: ValueSemantics

  #lastRecordLsn: Lsn
  #frozenLsn: Lsn
  #putLsnMax: Lsn = Lsn.zero
  /** Versions in the open layer at or below the last record. */
  #advancedVersions = 0
  #flushing: Promise<void> | undefined
  #background: Promise<void> = Promise.resolve()
  #backgroundIsQueued = false
  /** Then ingest does not wait for it. */
  #isUpkeepFailing = false
  #upkeepFailure: string | undefined
  #upkeepRetryTimer: Timer | undefined
  #ageTimer: Timer | undefined
  #isFreezeWanted = false
  #failure: unknown
  #waiters: (() => void)[] = []

  constructor(options: {
    context: StorageContext
    index: TimelineIndex
    /** Of this index and older ones, as the publisher takes them. */
    indexKeys: readonly string[]
    ancestor: LayeredTimelineStorage | undefined
    semanticsOf: (storage: TimelineStorage) => ValueSemantics
  }) {
    const { context, index, ancestor } = options
    this.#context = context
    this.timelineId = index.timelineId
    this.startLsn = index.startLsn
    assert((ancestor === undefined) === (index.ancestor === undefined), 'a branch is opened with its ancestor')
    this.ancestor = ancestor && index.ancestor ? { storage: ancestor, lsn: index.ancestor.lsn } : undefined
    this.#visitBranchPoints((storage, lsn) => storage.branchPoints.set(this.timelineId, lsn))
    this.#files = new TimelineFiles(context.directory, context.projectId, index.timelineId)
    this.#publisher = new IndexPublisher(context, index, options.indexKeys)
    this.#builds = new LayerBuilds(context, this.#files)
    this.#abort = new AbortController()
    this.#lastRecordLsn = index.consistentLsn
    this.#frozenLsn = index.consistentLsn
    this.#history = new VersionHistory({ open: this.#newOpenLayer(), frozen: [], map: this.#publisher.map })
    this.#semantics = options.semanticsOf(this)
  }

  /** Empties the scratch folder and takes over the local layer files that the index names; removes all others. */
  async openLocalFiles(): Promise<void> {
    const { disk } = this.#context.env
    await disk.removeTree(this.#files.scratchDirectory)
    await disk.makeDirectory(this.#files.scratchDirectory)
    await disk.makeDirectory(this.#files.layersDirectory)
    const named = new Map(this.index.layers.map((layer) => [layer.name, layer]))
    for (const name of await disk.list(this.#files.layersDirectory)) {
      const path = this.#files.path(name)
      const owner = named.get(layerOfLocalPages(name) ?? '')
      if (owner) {
        const pages = await disk.stat(path)
        if (pages) this.#context.layerFiles.adopt(localPagesOf(owner, pages.sizeBytes), path)
        continue
      }
      const layer = named.get(name)
      const stat = layer && (await disk.stat(path))
      if (layer && stat?.sizeBytes === layer.sizeBytes) this.#context.layerFiles.adopt(layer, path)
      else await disk.remove(path)
    }
  }

  get lastRecordLsn(): Lsn {
    return this.#lastRecordLsn
  }

  get remoteConsistentLsn(): Lsn {
    return this.index.consistentLsn
  }

  /** Of the whole line: what lies before the branch point is read from the ancestor, whose history may begin later. */
  get gcCutoffLsn(): Lsn {
    const own = this.index.gcCutoffLsn
    if (!this.ancestor) return own
    return Lsn.max2(own, Lsn.min(this.ancestor.lsn, this.ancestor.storage.gcCutoffLsn))
  }

  /** Why compaction or image making failed the last time that it began by itself; undefined: it did not. */
  get upkeepFailure(): string | undefined {
    return this.#upkeepFailure
  }

  get index(): TimelineIndex {
    return this.#publisher.index
  }

  get attributes(): Readonly<Record<string, string>> {
    return this.index.attributes
  }

  get files(): TimelineFiles {
    return this.#files
  }

  get publisher(): IndexPublisher {
    return this.#publisher
  }

  get semantics(): ValueSemantics {
    return this.#semantics
  }

  /** Layers of this timeline, newest first, and whether each has a local copy. */
  layers(): { descriptor: LayerDescriptor; isLocal: boolean }[] {
    return this.#publisher.map.layers.map((descriptor) => ({
      descriptor,
      isLocal: this.#context.layerFiles.isLocal(descriptor.name),
    }))
  }

  /** Memory of values and indexes not yet in layers. */
  get openBytes(): number {
    const { open, frozen } = this.#history.current
    return frozen.reduce((sum, { layer }) => sum + layer.memoryBytes, open.memoryBytes)
  }

  put(key: Uint8Array, lsn: Lsn, willInit: boolean, value: Uint8Array): void {
    assert(key.length === KEY_BYTES, 'key has the wrong length')
    assert(lsn > this.#lastRecordLsn, 'a value at or below the last record')
    this.#history.current.open.put(key, lsn, willInit, value)
    if (lsn > this.#putLsnMax) this.#putLsnMax = lsn
  }

  advance(lsn: Lsn): void {
    assert(lsn >= this.#lastRecordLsn, 'last record lsn goes back')
    assert(lsn >= this.#putLsnMax, 'a value lies beyond the last record')
    this.#lastRecordLsn = lsn
    const { settings } = this.#context
    const { open } = this.#history.current
    this.#advancedVersions = open.index.versionCount
    if (
      this.#isFreezeWanted ||
      open.valueBytes + open.index.memoryBytes / 2 >= settings.openLayerBytesMax ||
      lsn - this.#frozenLsn >= settings.openLayerWalBytesMax
    ) {
      this.#freeze()
    } else if (!this.#ageTimer && lsn > this.#frozenLsn) {
      this.#ageTimer = this.#context.env.clock.setTimer(settings.openLayerAgeMsMax, () => {
        this.#ageTimer = undefined
        this.#freezeSoon()
      })
    }
  }

  rollback(): void {
    if (this.#putLsnMax <= this.#lastRecordLsn) return
    this.#history.current.open.rollback(this.#advancedVersions)
    this.#putLsnMax = this.#lastRecordLsn
    if (this.#isFreezeWanted) this.#freeze()
  }

  async ready(): Promise<void> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure
      this.#requireOpen()
      const { open, frozen, map } = this.#history.current
      const { settings, openLayerPool } = this.#context
      if (open.mustSpill) await open.spill()
      const isPoolFull = openLayerPool.isFull
      // In the middle of a record, merges that wait for a flush, which waits for its end, are not waited for.
      const isMidRecord = this.#putLsnMax > this.#lastRecordLsn
      const mustMerge = settings.automaticUpkeep && !isMidRecord && map.level0Count >= settings.level0LayersIngestMax
      if (mustMerge) this.#startBackgroundUpkeep()
      const mustWait = frozen.length > settings.frozenLayersMax || (isPoolFull && frozen.length > 0)
      if (mustWait || (mustMerge && !this.#isUpkeepFailing)) {
        await new Promise<void>((resolve) => this.#waiters.push(resolve))
        continue
      }
      // The memory is in other hands: other timelines, or reads under way. Nobody's flush can be waited for.
      if (isPoolFull && open.canSpill && (await open.spillOldest())) continue
      return
    }
  }

  collectNow(packedKeys: Uint8Array, keyCount: number, lsn: Lsn, isScan = false): ValueChain[] | undefined {
    this.#requireReadable(lsn)
    const { layerFiles, columnarSegments } = this.#context
    const reads = new LayerReads(layerFiles, columnarSegments, this.#currentLinks(), new Map(), isScan)
    try {
      const chains = reads.collect(packedKeys, keyCount, lsn)
      return reads.isComplete ? chains : undefined
    } catch (error) {
      // A damaged local copy: collect fetches the layer again.
      if (error instanceof CorruptionError && this.#localLayerOf(error) !== undefined) return undefined
      throw error
    }
  }

  async collect(packedKeys: Uint8Array, keyCount: number, lsn: Lsn): Promise<ValueChain[]> {
    return this.#read(lsn, (reads) => reads.collect(packedKeys, keyCount, lsn))
  }

  async scan(
    start: Uint8Array,
    end: Uint8Array,
    lsn: Lsn,
  ): Promise<{ key: Uint8Array; lsn: Lsn; value: Uint8Array }[]> {
    return this.#read(lsn, (reads) => {
      const keys = reads.keys(start, end, lsn)
      const packed = new Uint8Array(keys.length * KEY_BYTES)
      keys.forEach((key, i) => {
        packed.set(key, i * KEY_BYTES)
      })
      const found: { key: Uint8Array; lsn: Lsn; value: Uint8Array }[] = []
      reads.collect(packed, keys.length, lsn).forEach((chain, i) => {
        const isTombstone = chain.values.length === 1 && chain.complete && chain.values[0]!.length === 0
        if (!chain.complete || isTombstone) return
        found.push({ key: keys[i]!, lsn: chain.lsns.at(-1)!, value: chain.values.at(-1)! })
      })
      return found
    })
  }

  /** As the interface says; versions that GC removed are not in the answer. */
  async history(key: Uint8Array, fromLsn: Lsn, toLsn: Lsn): Promise<{ lsn: Lsn; value: Uint8Array }[]> {
    const versions = await this.#read(toLsn, (reads) => reads.history(key, fromLsn, toLsn))
    return versions.reverse()
  }

  /** Also waits for values that are put but not yet advanced over. */
  async flush(): Promise<void> {
    const target = this.#lastRecordLsn
    this.#freezeSoon()
    while (this.remoteConsistentLsn < target) {
      if (this.#failure !== undefined) throw this.#failure
      this.#requireOpen()
      await new Promise<void>((resolve) => this.#waiters.push(resolve))
    }
  }

  /**
   * Resolves when all that this branch reads from its ancestors is in layers: for work that reads layer files alone.
   * Rejects with `unavailable` while an ancestor is not ingested up to the branch point.
   */
  async flushAncestors(): Promise<void> {
    if (!this.ancestor) return
    const { storage, lsn } = this.ancestor
    if (storage.remoteConsistentLsn < lsn) await storage.flush()
    if (storage.remoteConsistentLsn < lsn) {
      const fields = { timelineId: storage.timelineId, lsn: Lsn.format(lsn) }
      throw new StorageError('unavailable', 'parent is not ingested up to the branch point', fields)
    }
    await storage.flushAncestors()
  }

  /** Merges level-0 layers, however few. */
  async compact(): Promise<void> {
    await this.#context.heavyWorkLock.run(() => mergeLevel0(this.#context, this, { level0LayersMin: 2 }))
  }

  /** Makes images wherever deltas lie above the newest image. */
  async makeImages(): Promise<void> {
    await this.#context.heavyWorkLock.run(async () => {
      await makeImages(this.#context, this, { isForced: true })
    })
  }

  /** Makes images in place of those that are known to be damaged. */
  async repairImages(): Promise<void> {
    const { damaged } = this.#context.columnarSegments
    if (!this.index.layers.some(({ name }) => damaged.has(name))) return
    await this.#context.heavyWorkLock.run(async () => {
      await makeImages(this.#context, this, { isForced: false })
    })
  }

  /** Removes what neither a read at or above the horizon nor one at a retained LSN needs. Branch points are kept. */
  async collectGarbage(horizon: GcHorizon): Promise<void> {
    await this.#context.branchLock.run(() => collectGarbage(this.#context, this, horizon))
  }

  /** Verifies every layer against its checksums and removes objects that no index names. */
  scrub(): Promise<ScrubReport> {
    return scrubTimeline(this.#context, this)
  }

  async setAttributes(attributes: Readonly<Record<string, string>>): Promise<void> {
    await this.publish(() => ({ fields: { attributes } }))
  }

  /** Writes the index with a change and makes it the current version. `afterUse` runs when no read needs the old one. */
  publish(plan: Parameters<IndexPublisher['publish']>[0], afterUse?: () => void): Promise<boolean> {
    return this.#publisher.publish(plan, (_index, map) => {
      this.#history.swap({ ...this.#history.current, map }, afterUse)
    })
  }

  /** Resolves when no read is left that began before this call. */
  afterCurrentReads(): Promise<void> {
    return new Promise((resolve) => this.#history.swap({ ...this.#history.current }, resolve))
  }

  /** Makes sure that the index in object storage is the one of this process, here and in all ancestors. */
  async settleLine(): Promise<void> {
    await this.#publisher.settle()
    await this.ancestor?.storage.settleLine()
  }

  /** To be called when this branch is deleted. */
  forgetBranchPoint(): void {
    this.#visitBranchPoints((storage) => storage.branchPoints.delete(this.timelineId))
  }

  /** The timelines that a read at `lsn` needs to allow it: this one, and the ancestors whose own history it lies in. */
  lineAt(lsn: Lsn): LayeredTimelineStorage[] {
    const line: LayeredTimelineStorage[] = [this]
    for (let ancestor = this.ancestor; ancestor && lsn < ancestor.lsn; ancestor = ancestor.storage.ancestor) {
      line.push(ancestor.storage)
    }
    return line
  }

  /** Throws unless reads at `lsn` are allowed. */
  requireReadable(lsn: Lsn): void {
    this.#requireReadable(lsn)
  }

  /** True when no garbage collection, here or in the ancestors, has given up reads at `lsn`. */
  keepsHistoryAt(lsn: Lsn): boolean {
    return this.lineAt(lsn).every(({ index }) => lsn >= index.gcCutoffLsn || index.retainedLsns.includes(lsn))
  }

  layerNamesInUse(): ReadonlySet<string> {
    return new Set(this.#history.live.flatMap(({ map }) => map.layers.map(({ name }) => name)))
  }

  /**
   * Links of the line to the root, held against removal until `release`. Whoever holds them for long and reads layer
   * files alone says so: what is in memory would stay there as long.
   */
  acquireLinks(options: { readonly layersOnly?: boolean } = {}): { links: ReadLink[]; release: () => void } {
    const guards: VersionGuard[] = []
    const links = this.#links((storage) => {
      const guard = storage.#history.acquire(options)
      guards.push(guard)
      return guard.version
    })
    return {
      links,
      release: () => {
        for (const guard of guards) guard.release()
      },
    }
  }

  /** Stops upkeep. What is not flushed is ingested again after the next start. */
  async close(): Promise<void> {
    if (this.#abort.signal.aborted) return
    this.#abort.abort()
    this.#ageTimer?.cancel()
    this.#upkeepRetryTimer?.cancel()
    this.#wake()
    await this.#flushing?.catch(() => undefined)
    await this.#builds.settle()
    await this.#background
    await this.#history.close()
  }

  async #read<T>(lsn: Lsn, run: (reads: LayerReads) => T): Promise<T> {
    this.#requireReadable(lsn)
    const { links, release } = this.acquireLinks()
    const healed = new Set<string>()
    const pinned: string[] = []
    const held: HeldSegments = new Map()
    try {
      for (;;) {
        const reads = new LayerReads(this.#context.layerFiles, this.#context.columnarSegments, links, held)
        let result: T | undefined
        try {
          result = run(reads)
        } catch (error) {
          const name = error instanceof CorruptionError ? this.#localLayerOf(error) : undefined
          if (name === undefined || healed.has(name)) throw error
          healed.add(name)
          this.#context.env.log.error('damaged local layer, fetching it again', { error: errorText(error) })
          await this.#context.layerFiles.drop(name)
          continue
        }
        if (reads.isComplete) return result as T
        const { layerFiles } = this.#context
        const fetches = await Promise.allSettled([
          ...[...reads.missing.values()].map(async ({ descriptor, place }) => {
            const { name } = descriptor
            await layerFiles.pin(descriptor, place.objectKey(descriptor), place.path(name))
            pinned.push(name)
          }),
          ...[...reads.missingSegments.values()].map((missing) => this.#hold(held, missing)),
        ])
        for (const fetch of fetches) if (fetch.status === 'rejected') throw fetch.reason
        // What was in memory is gone if the timeline was closed or deleted meanwhile.
        this.#requireLineOpen()
      }
    } finally {
      for (const name of pinned) this.#context.layerFiles.unpin(name)
      release()
    }
  }

  /** A layer that turns out to be damaged is passed over by the next attempt, or is its error. */
  async #hold(held: HeldSegments, { descriptor, place, segment }: MissingSegment): Promise<void> {
    const { columnarSegments, localPages } = this.#context
    try {
      localPages.noteRebuild(descriptor, place)
      const pages = await columnarSegments.load(descriptor, place.objectKey(descriptor), segment)
      const ofLayer = held.get(descriptor.name) ?? new Map<number, SegmentPages>()
      held.set(descriptor.name, ofLayer.set(segment, pages))
    } catch (error) {
      if (!columnarSegments.damaged.has(descriptor.name)) throw error
    }
  }

  /** The ancestors that this branch reads at its branch point: more than one when it lies before its parent's own. */
  #visitBranchPoints(visit: (storage: LayeredTimelineStorage, lsn: Lsn) => void): void {
    if (!this.ancestor) return
    const { lsn } = this.ancestor
    for (const storage of this.ancestor.storage.lineAt(lsn)) visit(storage, lsn)
  }

  #localLayerOf(error: CorruptionError): string | undefined {
    const { object } = error.fields
    return typeof object === 'string' && this.#context.layerFiles.isLocal(object) ? object : undefined
  }

  #requireOpen(): void {
    if (this.#abort.signal.aborted) throw new StorageError('aborted', 'timeline is closed')
  }

  #requireLineOpen(): void {
    this.#requireOpen()
    if (this.ancestor) this.ancestor.storage.#requireLineOpen()
  }

  #requireReadable(lsn: Lsn): void {
    if (lsn > this.#lastRecordLsn) {
      throw new StorageError('unavailable', 'lsn is not ingested yet', {
        lsn: Lsn.format(lsn),
        lastRecordLsn: Lsn.format(this.#lastRecordLsn),
      })
    }
    const { gcCutoffLsn, retainedLsns } = this.index
    if (lsn < gcCutoffLsn && !retainedLsns.includes(lsn)) {
      throw new StorageError('not-found', 'lsn is older than the history kept', {
        lsn: Lsn.format(lsn),
        gcCutoffLsn: Lsn.format(gcCutoffLsn),
      })
    }
    if (this.ancestor && lsn < this.ancestor.lsn) this.ancestor.storage.#requireReadable(lsn)
  }

  #currentLinks(): ReadLink[] {
    return this.#links((storage) => storage.#history.current)
  }

  #links(versionOf: (storage: LayeredTimelineStorage) => StorageVersion): ReadLink[] {
    const links: ReadLink[] = []
    let lsnMax = Lsn.max
    for (let storage: LayeredTimelineStorage | undefined = this; storage; ) {
      storage.#requireOpen()
      links.push({
        place: storage.#files,
        version: versionOf(storage),
        lsnMax,
        lastRecordLsn: storage.#lastRecordLsn,
        startLsn: storage.startLsn,
        gcCutoffLsn: storage.index.gcCutoffLsn,
      })
      const ancestor: LayeredTimelineStorage['ancestor'] = storage.ancestor
      if (ancestor) lsnMax = ancestor.lsn
      storage = ancestor?.storage
    }
    return links
  }

  #newOpenLayer(): OpenLayer {
    return new OpenLayer({
      pool: this.#context.openLayerPool,
      disk: this.#context.env.disk,
      path: this.#files.newScratchPath('open'),
      residentBytesMax: this.#context.settings.openLayerResidentBytesMax,
    })
  }

  /** Freezes at once, or at the next advance when values are put beyond the last record. */
  #freezeSoon(): void {
    if (this.#putLsnMax > this.#lastRecordLsn) this.#isFreezeWanted = true
    else this.#freeze()
  }

  #freeze(): void {
    this.#isFreezeWanted = false
    this.#ageTimer?.cancel()
    this.#ageTimer = undefined
    if (this.#lastRecordLsn > this.#frozenLsn && !this.#abort.signal.aborted) {
      const { open, frozen, map } = this.#history.current
      const layer: FrozenLayer = { layer: open, afterLsn: this.#frozenLsn, lastLsn: this.#lastRecordLsn }
      this.#frozenLsn = this.#lastRecordLsn
      this.#advancedVersions = 0
      this.#history.swap({ open: this.#newOpenLayer(), frozen: [layer, ...frozen], map })
      if (this.#flushing && this.#failure === undefined) this.#builds.begin(this.#history.current.frozen)
    }
    this.#startFlushing()
  }

  #startFlushing(): void {
    if (this.#flushing || this.#failure !== undefined || this.#history.current.frozen.length === 0) return
    this.#flushing = this.#flushFrozen()
      .catch((error: unknown) => {
        if (isStorageError(error, 'aborted')) return
        this.#failure = error
        this.#context.env.log.error('flush failed for good', { timelineId: this.timelineId, error: errorText(error) })
      })
      .finally(() => {
        this.#flushing = undefined
        this.#wake()
        if (!this.#abort.signal.aborted) this.#startFlushing()
      })
  }

  async #flushFrozen(): Promise<void> {
    for (;;) {
      const oldest = this.#history.current.frozen.at(-1)
      if (!oldest) return
      const retry = { ...this.#context.retry, signal: this.#abort.signal }
      await retryForever('flush', retry, async () => {
        this.#builds.begin(this.#history.current.frozen)
        const built = await this.#builds.built(oldest)
        await this.#publisher.publish(
          () => ({ added: built ? [built] : [], fields: { consistentLsn: oldest.lastLsn } }),
          (_index, map) => {
            const { open, frozen } = this.#history.current
            this.#history.swap({ open, frozen: frozen.slice(0, -1), map })
          },
        )
      })
      this.#builds.published(oldest)
      this.#wake()
      if (this.#context.settings.automaticUpkeep) this.#startBackgroundUpkeep()
    }
  }

  /** Merges come first, also while images are being made: ingest waits for them when they fall behind. */
  #startBackgroundUpkeep(): void {
    if (this.#backgroundIsQueued) return
    this.#backgroundIsQueued = true
    this.#background = this.#background.then(() =>
      this.#context.heavyWorkLock.run(async () => {
        this.#backgroundIsQueued = false
        if (this.#abort.signal.aborted) return
        try {
          const { level0LayersMax } = this.#context.settings
          await mergeLevel0(this.#context, this, { level0LayersMin: level0LayersMax })
          this.#isUpkeepFailing = false
          this.#wake()
          const mustYield = () => this.#publisher.map.level0Count >= level0LayersMax || this.#abort.signal.aborted
          if (!(await makeImages(this.#context, this, { isForced: false, mustYield }))) this.#startBackgroundUpkeep()
          this.#upkeepFailure = undefined
        } catch (error) {
          this.#isUpkeepFailing = true
          this.#upkeepFailure = errorText(error)
          this.#wake()
          if (isStorageError(error, 'aborted')) return
          if (isStorageError(error, 'fenced')) this.#failure = error
          this.#context.env.log.error('upkeep failed', { timelineId: this.timelineId, error: errorText(error) })
          if (isStorageError(error) && error.retryable) this.#retryUpkeepLater()
        }
      }),
    )
  }

  /** A timeline that nobody writes to any more has no next flush that would start it. */
  #retryUpkeepLater(): void {
    const { settings, env } = this.#context
    this.#upkeepRetryTimer?.cancel()
    if (this.#abort.signal.aborted) return
    this.#upkeepRetryTimer = env.clock.setTimer(settings.upkeepRetryMs, () => this.#startBackgroundUpkeep())
  }

  #wake(): void {
    const waiters = this.#waiters
    this.#waiters = []
    for (const wake of waiters) wake()
  }
}
