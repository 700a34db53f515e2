import { assert } from '../../base/assert.ts'
import { isStorageError, StorageError } from '../../base/errors.ts'
import type { TimelineId } from '../../postgres/ids.ts'
import { Lsn } from '../../postgres/lsn.ts'
import type { LayerDescriptor } from '../layer/layer-descriptor.ts'
import type { TimelineIndex } from '../remote/index-file.ts'
import { retryForever } from '../remote/retry-forever.ts'
import { BackgroundUpkeep } from '../upkeep/background-upkeep.ts'
import { mergeLevel0 } from '../upkeep/compaction.ts'
import { noteDamage } from '../upkeep/damage-notes.ts'
import { collectGarbage, type GcHorizon } from '../upkeep/gc.ts'
import { makeImages } from '../upkeep/image-making.ts'
import { type ScrubReport, scrubSuspects, scrubTimeline } from '../upkeep/scrub.ts'
import { adoptLocalFiles } from './adopt-local-files.ts'
import { IndexPublisher } from './index-publisher.ts'
import { LayerFlusher } from './layer-flusher.ts'
import { LineReader } from './line-reader.ts'
import type { ReadLink } from './read-layers.ts'
import type { StorageContext } from './storage-context.ts'
import { StorageProgress } from './storage-progress.ts'
import { type StorageVersion, type VersionGuard, VersionHistory } from './storage-version.ts'
import { TimelineFiles } from './timeline-files.ts'
import type { TimelineStorage, ValueChain, ValueSemantics } from './timeline-storage.ts'
import { newOpenLayer, TimelineWriter } from './timeline-writer.ts'

/**
 * TimelineStorage over layers:
 *
 *   put -> open layer -> frozen layers -> level-0 deltas -> level-1 deltas and images      newest to oldest
 *          memory        memory, file     object storage, cached in local files            then the ancestor
 *
 * A read works on one immutable version of all that, so upkeep may change it meanwhile. A layer set changes only by one
 * write of the index file; what the change leaves behind is removed when no read can see it any more.
 *
 * Each way through it has an owner: TimelineWriter the end that grows, LayerFlusher what is frozen, BackgroundUpkeep merges
 * and images, LineReader reads, IndexPublisher the index. What is here joins them, and knows the place among ancestors and
 * branches.
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
  readonly #history: VersionHistory
  readonly #progress = new StorageProgress()
  readonly #writer: TimelineWriter
  readonly #flusher: LayerFlusher
  readonly #upkeep: BackgroundUpkeep
  readonly #reader: LineReader
  readonly #semantics: ValueSemantics

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
    const files = new TimelineFiles(context.directory, context.projectId, index.timelineId)
    const publisher = new IndexPublisher(context, index, options.indexKeys)
    const history = new VersionHistory({ open: newOpenLayer(context, files), frozen: [], map: publisher.map })
    const progress = this.#progress
    this.#files = files
    this.#publisher = publisher
    this.#history = history
    const level0Count = () => publisher.map.level0Count
    const upkeep = new BackgroundUpkeep({ context, target: this, progress, level0Count })
    const onFlushed = () => {
      if (context.settings.automaticUpkeep) upkeep.start()
    }
    const flusher = new LayerFlusher({ context, files, history, publisher, progress, onFlushed })
    const { consistentLsn } = index
    this.#upkeep = upkeep
    this.#flusher = flusher
    this.#writer = new TimelineWriter({ context, files, history, flusher, upkeep, progress, consistentLsn })
    this.#reader = new LineReader(context, {
      requireReadable: (lsn) => this.requireReadable(lsn),
      requireOpen: () => this.#requireLineOpen(),
      currentLinks: () => this.#links((storage) => storage.#history.current),
      acquireLinks: () => this.acquireLinks(),
    })
    this.#semantics = options.semanticsOf(this)
  }

  /** To be called before anything else. */
  openLocalFiles(): Promise<void> {
    return adoptLocalFiles(this.#context, this.#files, this.index.layers)
  }

  get lastRecordLsn(): Lsn {
    return this.#writer.lastRecordLsn
  }

  /** Below what the index says until `settle` has ended. */
  get remoteConsistentLsn(): Lsn {
    return this.#publisher.settledLsn
  }

  /** Of the whole line: what lies before the branch point is read from the ancestor, whose history may begin later. */
  get gcCutoffLsn(): Lsn {
    const own = this.index.gcCutoffLsn
    if (!this.ancestor) return own
    return Lsn.max2(own, Lsn.min(this.ancestor.lsn, this.ancestor.storage.gcCutoffLsn))
  }

  /** Why compaction or image making failed the last time that it began by itself; undefined: it did not. */
  get upkeepFailure(): string | undefined {
    return this.#upkeep.failure
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
    this.#writer.put(key, lsn, willInit, value)
  }

  advance(lsn: Lsn): void {
    this.#writer.advance(lsn)
  }

  rollback(): void {
    this.#writer.rollback()
  }

  ready(): Promise<void> {
    return this.#writer.ready()
  }

  collectNow(packedKeys: Uint8Array, keyCount: number, lsn: Lsn, isScan = false): ValueChain[] | undefined {
    return this.#reader.collectNow(packedKeys, keyCount, lsn, isScan)
  }

  collect(packedKeys: Uint8Array, keyCount: number, lsn: Lsn): Promise<ValueChain[]> {
    return this.#reader.collect(packedKeys, keyCount, lsn)
  }

  scan(start: Uint8Array, end: Uint8Array, lsn: Lsn): Promise<{ key: Uint8Array; lsn: Lsn; value: Uint8Array }[]> {
    return this.#reader.scan(start, end, lsn)
  }

  /** As the interface says; versions that GC removed are not in the answer. */
  history(key: Uint8Array, fromLsn: Lsn, toLsn: Lsn): Promise<{ lsn: Lsn; value: Uint8Array }[]> {
    return this.#reader.history(key, fromLsn, toLsn)
  }

  /** Also waits for values that are put but not yet advanced over. */
  async flush(): Promise<void> {
    const target = this.lastRecordLsn
    this.#writer.freezeSoon()
    while (this.remoteConsistentLsn < target) {
      this.#progress.requireMoving()
      await this.#progress.next()
    }
  }

  /**
   * Resolves when all that this branch reads from its ancestors is in layers: for work that reads layer files alone.
   * Rejects with `unavailable` while an ancestor is not ingested up to the branch point.
   */
  async flushAncestors(): Promise<void> {
    if (!this.ancestor) return
    const { storage, lsn } = this.ancestor
    if (storage.index.consistentLsn < lsn) await storage.flush()
    if (storage.index.consistentLsn < lsn) {
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

  /** Keeps in the index what is known of damaged layers. Cheap when nothing is new. */
  noteDamage(): Promise<void> {
    return noteDamage(this.#context, this)
  }

  /** Verifies every layer against its checksums and removes objects that no index names. */
  scrub(): Promise<ScrubReport> {
    return scrubTimeline(this.#context, this)
  }

  scrubSuspects(): Promise<void> {
    return scrubSuspects(this.#context, this)
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

  /** Makes sure that the index in object storage is the one of this process: what it says counts for all who come later. */
  async settle(): Promise<void> {
    const retry = { ...this.#context.retry, signal: this.#progress.signal }
    try {
      await retryForever('settle index', retry, () => this.#publisher.settle())
    } catch (error) {
      if (!isStorageError(error, 'aborted')) this.#progress.fail(error)
      throw error
    } finally {
      this.#progress.moved()
    }
  }

  /** The same, tried once, here and in all ancestors. */
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
    const { lastRecordLsn } = this
    if (lsn > lastRecordLsn) {
      throw new StorageError('unavailable', 'lsn is not ingested yet', {
        lsn: Lsn.format(lsn),
        lastRecordLsn: Lsn.format(lastRecordLsn),
      })
    }
    const { gcCutoffLsn, retainedLsns } = this.index
    if (lsn < gcCutoffLsn && !retainedLsns.includes(lsn)) {
      throw new StorageError('not-found', 'lsn is older than the history kept', {
        lsn: Lsn.format(lsn),
        gcCutoffLsn: Lsn.format(gcCutoffLsn),
      })
    }
    if (this.ancestor && lsn < this.ancestor.lsn) this.ancestor.storage.requireReadable(lsn)
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
    if (this.#progress.isClosed) return
    this.#progress.close()
    this.#writer.close()
    await Promise.all([this.#flusher.close(), this.#upkeep.close()])
    await this.#history.close()
  }

  /** The ancestors that this branch reads at its branch point: more than one when it lies before its parent's own. */
  #visitBranchPoints(visit: (storage: LayeredTimelineStorage, lsn: Lsn) => void): void {
    if (!this.ancestor) return
    const { lsn } = this.ancestor
    for (const storage of this.ancestor.storage.lineAt(lsn)) visit(storage, lsn)
  }

  #requireLineOpen(): void {
    this.#progress.requireOpen()
    if (this.ancestor) this.ancestor.storage.#requireLineOpen()
  }

  #links(versionOf: (storage: LayeredTimelineStorage) => StorageVersion): ReadLink[] {
    const links: ReadLink[] = []
    let lsnMax = Lsn.max
    for (let storage: LayeredTimelineStorage | undefined = this; storage; ) {
      storage.#progress.requireOpen()
      links.push({
        place: storage.#files,
        version: versionOf(storage),
        lsnMax,
        lastRecordLsn: storage.lastRecordLsn,
        startLsn: storage.startLsn,
        gcCutoffLsn: storage.index.gcCutoffLsn,
      })
      const ancestor: LayeredTimelineStorage['ancestor'] = storage.ancestor
      if (ancestor) lsnMax = ancestor.lsn
      storage = ancestor?.storage
    }
    return links
  }
}
