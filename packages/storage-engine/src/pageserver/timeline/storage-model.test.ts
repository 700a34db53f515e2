/**
 * The layered store against the model: random puts, flushes, merges, images, garbage collection, branches, restarts and
 * crashes, with an object store that fails now and then. After each step reads at permitted LSNs must agree.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { isStorageError, StorageError } from '../../base/errors.ts'
import type { Clock } from '../../io/clock.ts'
import type { Disk } from '../../io/disk.ts'
import { silentLog } from '../../io/log.ts'
import { noMetrics } from '../../io/metrics.ts'
import { nodeDisk } from '../../io/node-disk.ts'
import { nodeRandom } from '../../io/node-random.ts'
import type { Random } from '../../io/random.ts'
import { openMemoryObjectStore } from '../../object-store/memory-object-store.ts'
import type { ObjectStore } from '../../object-store/object-store.ts'
import { makeUnreliable } from '../../object-store/unreliable-object-store.ts'
import { ProjectId, TimelineId } from '../../postgres/ids.ts'
import { Lsn } from '../../postgres/lsn.ts'
import { encodeKey, formatKey, KEY_BYTES } from '../key.ts'
import { openInlineUpkeepWorkers } from '../upkeep/inline-workers.ts'
import { MemoryTimelineStorage } from './memory-timeline-storage.ts'
import { openProjectStorage, type ProjectStorage } from './project-storage.ts'
import type { TimelineStorage, ValueChain } from './timeline-storage.ts'

const SEED_COUNT = 30
const STEPS_PER_SEED = 80

const projectId = ProjectId.parse('0123456789abcdef0123456789abcdef')
const root = await mkdtemp(join(tmpdir(), 'tributary-layers-model-'))
afterAll(() => rm(root, { recursive: true, force: true }))

/** Timers never fire and sleeps end at once: only the test decides when something happens. */
const stillClock: Clock = {
  nowMs: () => 0,
  monotonicMs: () => 0,
  yieldTurn: () => Promise.resolve(),
  setTimer: () => ({ cancel() {} }),
  sleep: (_delayMs, options) =>
    options?.signal?.aborted ? Promise.reject(new StorageError('aborted', 'sleep')) : Promise.resolve(),
}

/** mulberry32 */
function seededRandom(seed: number): Random {
  let state = seed >>> 0
  const uint32 = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return (t ^ (t >>> 14)) >>> 0
  }
  return {
    uint32,
    below: (bound) => uint32() % bound,
    bytes: (length) => Uint8Array.from({ length }, () => uint32() & 255),
  }
}

interface Write {
  readonly key: Uint8Array
  readonly lsn: Lsn
  readonly willInit: boolean
  readonly value: Uint8Array
}

interface ModelTimeline {
  readonly id: TimelineId
  readonly model: MemoryTimelineStorage
  readonly ancestor: { readonly timeline: ModelTimeline; readonly lsn: Lsn } | undefined
  /** The WAL, as it were: what is ingested again after a restart. */
  readonly writes: Write[]
  lastLsn: Lsn
}

/** Counts down calls; from zero on every call fails, as if the process had died there. */
class Fuse {
  remaining = Number.POSITIVE_INFINITY

  burn(): void {
    if (this.remaining <= 0) throw new Error('the process has crashed')
    this.remaining--
  }
}

function fused<T extends object>(inner: T, fuse: Fuse): T {
  return new Proxy(inner, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name)
      if (typeof member !== 'function') return member
      return (...args: unknown[]) => {
        fuse.burn()
        return Reflect.apply(member, target, args)
      }
    },
  })
}

class World {
  readonly random: Random
  readonly store: ObjectStore
  readonly timelines: ModelTimeline[] = []
  readonly directory: string
  project!: ProjectStorage
  fuse = new Fuse()
  retained = new Map<TimelineId, Lsn[]>()
  crashCount = 0
  readCount = 0

  constructor(seed: number) {
    this.random = seededRandom(seed)
    this.directory = join(root, `seed-${seed}`)
    const memory = openMemoryObjectStore({ disk: nodeDisk })
    this.store = makeUnreliable(memory, seededRandom(seed + 1), { failBeforePercent: 3, failAfterPercent: 3 })
  }

  async open(): Promise<void> {
    this.fuse = new Fuse()
    const disk: Disk = fused(nodeDisk, this.fuse)
    for (;;) {
      try {
        this.project = await openProjectStorage({
          env: { clock: stillClock, disk, log: silentLog, metrics: noMetrics, random: nodeRandom },
          objectStore: fused(this.store, this.fuse),
          workers: openInlineUpkeepWorkers(disk, fold),
          directory: this.directory,
          projectId,
          semanticsOf: () => ({
            materialize: fold,
            liveKeyRanges: () => Promise.resolve([{ start: keyOf(0, 0), end: keyOf(9, 0) }]),
          }),
          settings: {
            automaticUpkeep: false,
            openLayerBytesMax: 1500,
            layerBytesTarget: 700,
            imageDeltaLayersMax: 1 + this.random.below(3),
            layerFilesBytesMax: this.random.below(3) === 0 ? 3000 : 1_000_000,
            blockCacheBytesMax: 4096,
            frozenLayersMax: 100,
          },
        })
        break
      } catch (error) {
        if (!isStorageError(error, 'unavailable')) throw error
      }
    }
    for (const timeline of this.timelines) {
      const storage = this.project.timeline(timeline.id)
      expect(storage.lastRecordLsn).toBeLessThanOrEqual(timeline.lastLsn)
      for (const { key, lsn, willInit, value } of timeline.writes) {
        if (lsn > storage.lastRecordLsn) storage.put(key, lsn, willInit, value)
      }
      storage.advance(timeline.lastLsn)
    }
  }

  async restart(): Promise<void> {
    this.fuse.remaining = 0
    this.project.close().catch(() => undefined)
    if (this.random.below(2) === 0) await rm(this.directory, { recursive: true, force: true })
    await this.open()
  }

  async createTimeline(): Promise<void> {
    const id = TimelineId.parse((this.timelines.length + 1).toString(16).padStart(32, '0'))
    const parent = this.timelines.length === 0 ? undefined : this.timelines[this.random.below(this.timelines.length)]!
    if (!parent) {
      await this.patiently(() => this.project.createTimeline({ timelineId: id, startLsn: Lsn.of(8) }))
      const model = new MemoryTimelineStorage(id, Lsn.zero)
      this.timelines.push({ id, model, ancestor: undefined, writes: [], lastLsn: Lsn.zero })
      return
    }
    const lsn = Lsn.of(this.random.below(parent.lastLsn + 1))
    try {
      const ancestor = { timelineId: parent.id, lsn }
      await this.patiently(() => this.project.createTimeline({ timelineId: id, startLsn: lsn, ancestor }))
    } catch (error) {
      if (isStorageError(error, 'not-found')) return
      throw error
    }
    const model = new MemoryTimelineStorage(id, lsn, { storage: parent.model, lsn })
    this.timelines.push({ id, model, ancestor: { timeline: parent, lsn }, writes: [], lastLsn: lsn })
  }

  async write(timeline: ModelTimeline): Promise<void> {
    const storage = this.project.timeline(timeline.id)
    for (let record = 0; record < 1 + this.random.below(12); record++) {
      const lsn = Lsn.of(timeline.lastLsn + 1 + this.random.below(20))
      const keys = new Set<string>()
      for (let i = 0; i <= this.random.below(3); i++) {
        const key = this.anyKey()
        if (keys.has(formatKey(key))) continue
        keys.add(formatKey(key))
        const chain = timeline.model.collectNow(key, 1, timeline.lastLsn)[0]!
        const exists = chain.complete && !isTombstone(chain)
        const willInit = !exists || this.random.below(4) === 0
        const isRemoval = exists && willInit && this.random.below(4) === 0
        const length = this.random.below(20) === 0 ? 500 : this.random.below(12)
        const value = isRemoval ? new Uint8Array(0) : this.random.bytes(1 + length)
        timeline.writes.push({ key, lsn, willInit, value })
        timeline.model.put(key, lsn, willInit, value)
        storage.put(key, lsn, willInit, value)
      }
      timeline.model.advance(lsn)
      storage.advance(lsn)
      timeline.lastLsn = lsn
    }
  }

  anyKey(): Uint8Array {
    return keyOf(this.random.below(4), this.random.below(12))
  }

  async read(timeline: ModelTimeline): Promise<void> {
    const storage = this.project.timeline(timeline.id)
    const lsn = Lsn.of(this.random.below(timeline.lastLsn + 1))
    const keys = Array.from({ length: 1 + this.random.below(8) }, () => this.anyKey())
    const packed = new Uint8Array(Buffer.concat(keys))
    let chains: readonly ValueChain[]
    try {
      chains = await this.patiently(() => storage.collect(packed, keys.length, lsn))
    } catch (error) {
      if (!isStorageError(error, 'not-found')) throw error
      this.expectUnreadable(timeline, lsn)
      return
    }
    const expected = timeline.model.collectNow(packed, keys.length, lsn)
    chains.forEach((chain, i) => {
      expect(show(chain), `${formatKey(keys[i]!)} at ${lsn}`).toEqual(show(expected[i]!))
    })
    const now = storage.collectNow(packed, keys.length, lsn)
    now?.forEach((chain, i) => {
      expect(show(chain)).toEqual(show(expected[i]!))
    })
    this.readCount += keys.length
    if (this.random.below(4) === 0) await this.scan(timeline, storage, lsn)
    if (this.random.below(4) === 0) await this.history(timeline, storage)
  }

  async scan(timeline: ModelTimeline, storage: TimelineStorage, lsn: Lsn): Promise<void> {
    const start = keyOf(this.random.below(3), this.random.below(12))
    const end = keyOf(3, this.random.below(12))
    const found = await this.patiently(() => storage.scan(start, end, lsn))
    const expected = await timeline.model.scan(start, end, lsn)
    // The newest `willInit` value is an older one in the model when upkeep has folded the chain since.
    expect(found.map(({ key }) => formatKey(key))).toEqual(expected.map(({ key }) => formatKey(key)))
  }

  async history(timeline: ModelTimeline, storage: TimelineStorage): Promise<void> {
    let floor = 0
    for (let line: ModelTimeline | undefined = timeline; line; line = line.ancestor?.timeline) {
      floor = Math.max(floor, this.project.timeline(line.id).gcCutoffLsn)
    }
    if (floor >= timeline.lastLsn) return
    const from = Lsn.of(floor + this.random.below(timeline.lastLsn - floor))
    const key = this.anyKey()
    const found = await this.patiently(() => storage.history(key, from, timeline.lastLsn))
    const expected = await timeline.model.history(key, from, timeline.lastLsn)
    expect(found.map(({ lsn }) => lsn)).toEqual(expected.map(({ lsn }) => lsn))
    expect(found.map(({ value }) => Buffer.from(value).toString('hex'))).toEqual(
      expected.map(({ value }) => Buffer.from(value).toString('hex')),
    )
  }

  /** A refusal is right only below a cutoff, at an LSN that nobody asked to retain. */
  expectUnreadable(timeline: ModelTimeline, lsn: Lsn): void {
    for (let line: ModelTimeline | undefined = timeline; line; line = line.ancestor?.timeline) {
      const isBranchPoint = this.timelines.some((it) => it.ancestor?.timeline === line && it.ancestor.lsn === lsn)
      const isRetained = isBranchPoint || (this.retained.get(line.id) ?? []).includes(lsn)
      const isInherited = line.ancestor !== undefined && lsn < line.ancestor.lsn
      if (lsn < this.project.timeline(line.id).gcCutoffLsn && !(isRetained && isInherited)) {
        expect(isRetained, `a read at retained lsn ${lsn} is refused`).toBe(false)
        return
      }
      if (!isInherited) break
    }
    expect.unreachable(`a read at ${lsn} is refused above the cutoff`)
  }

  async upkeep(timeline: ModelTimeline): Promise<void> {
    const storage = this.project.timeline(timeline.id)
    const steps = [
      () => storage.flush(),
      () => storage.flush(),
      () => storage.compact(),
      () => storage.makeImages(),
      () => this.collectGarbage(timeline),
      async () => {
        const report = await storage.scrub()
        expect(report.damaged).toEqual([])
      },
    ]
    await this.patiently(steps[this.random.below(steps.length)]!)
  }

  async collectGarbage(timeline: ModelTimeline): Promise<void> {
    const storage = this.project.timeline(timeline.id)
    const horizonLsn = Lsn.of(this.random.below(timeline.lastLsn + 1))
    // Only what is readable now can be retained.
    const retainLsns = [Lsn.of(this.random.below(timeline.lastLsn + 1))].filter(
      (lsn) => lsn >= storage.gcCutoffLsn || (this.retained.get(timeline.id) ?? []).includes(lsn),
    )
    // While the outcome is unknown, only what was retained before and is asked for now is sure to be.
    const before = this.retained.get(timeline.id) ?? []
    this.retained.set(
      timeline.id,
      retainLsns.filter((lsn) => before.includes(lsn)),
    )
    await storage.collectGarbage({ horizonLsn, retainLsns })
    this.retained.set(timeline.id, retainLsns)
  }

  async step(): Promise<void> {
    const timeline = this.timelines[this.random.below(this.timelines.length)]!
    const dice = this.random.below(100)
    if (dice < 40) await this.write(timeline)
    else if (dice < 75) await this.upkeep(timeline)
    else if (dice < 82 && this.timelines.length < 5) await this.createTimeline()
    else if (dice < 88) await this.restart()
    else if (dice < 95) {
      // Dies somewhere within the next few calls of disk or object store.
      this.fuse.remaining = this.random.below(25)
      this.crashCount++
      await this.upkeep(timeline).catch((error: unknown) => {
        if (this.fuse.remaining > 0) throw error
      })
      await this.restart()
    }
    for (let i = 0; i < 3; i++) await this.read(this.timelines[this.random.below(this.timelines.length)]!)
  }

  /** Repeats what failed because of the object store. */
  async patiently<T>(run: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await run()
      } catch (error) {
        if (!isStorageError(error, 'unavailable')) throw error
      }
    }
  }
}

function keyOf(relation: number, block: number): Uint8Array {
  return encodeKey({ kind: 0, a: 1663, b: 5, c: 16384 + relation, e: block })
}

function fold(_key: Uint8Array, chain: ValueChain): Uint8Array {
  return new Uint8Array(Buffer.concat([...chain.values].reverse()))
}

function isTombstone(chain: ValueChain): boolean {
  return chain.values.length === 1 && chain.values[0]!.length === 0
}

function show(chain: ValueChain): string {
  if (!chain.complete) return chain.values.length === 0 ? 'absent' : 'broken'
  return isTombstone(chain) ? 'absent' : Buffer.from(fold(new Uint8Array(KEY_BYTES), chain)).toString('hex')
}

test.each(Array.from({ length: SEED_COUNT }, (_, i) => i + 1))(
  'everything that must be readable is readable, and right, whatever happens (seed %i)',
  async (seed) => {
    const world = new World(seed)
    await world.open()
    await world.createTimeline()
    for (let step = 0; step < STEPS_PER_SEED; step++) await world.step()
    for (const timeline of world.timelines) for (let i = 0; i < 20; i++) await world.read(timeline)
    expect(world.readCount).toBeGreaterThan(100)
    await world.project.close()
  },
)
