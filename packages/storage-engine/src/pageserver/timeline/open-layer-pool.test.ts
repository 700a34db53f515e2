import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { silentLog } from '../../io/log.ts'
import { noMetrics } from '../../io/metrics.ts'
import { nodeClock } from '../../io/node-clock.ts'
import { nodeDisk } from '../../io/node-disk.ts'
import { nodeRandom } from '../../io/node-random.ts'
import { openMemoryObjectStore } from '../../object-store/memory-object-store.ts'
import { ProjectId, TimelineId } from '../../postgres/ids.ts'
import { Lsn } from '../../postgres/lsn.ts'
import { encodeKey } from '../key.ts'
import { ChainBuilder } from '../layer/chain-builder.ts'
import type { OpenLayer } from '../layer/open-layer.ts'
import { OPEN_LAYER_CHUNK_BYTES, OpenLayerPool } from '../layer/open-layer-pool.ts'
import { openInlineUpkeepWorkers } from '../upkeep/inline-workers.ts'
import type { LayeredTimelineStorage } from './layered-timeline-storage.ts'
import { openProjectStorage } from './project-storage.ts'

const folder = await mkdtemp(join(tmpdir(), 'tributary-open-layer-pool-'))
afterAll(() => rm(folder, { recursive: true, force: true }))

const CHUNKS_MAX = 6
const KEYS = 8
const key = (block: number) => encodeKey({ kind: 0, a: 1663, b: 5, c: 16384, e: block })
const materialize = () => new Uint8Array(0)

/** A value that tells which one it is at every byte. */
function valueNumbered(serial: number, length: number): Uint8Array {
  return new Uint8Array(length).map((_, i) => (serial * 31 + i) & 255)
}

/** What was put last under each key, by block. */
type Model = Map<number, Uint8Array>

interface Held {
  readonly links: ReturnType<LayeredTimelineStorage['acquireLinks']>
  readonly lsn: Lsn
  readonly model: Model
}

const steps = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: fc.record({ kind: fc.constant('put'), size: fc.integer({ min: 0, max: 700_000 }) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('put'), size: fc.constant(OPEN_LAYER_CHUNK_BYTES + 9) }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('read'), size: fc.constant(0) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('hold'), size: fc.constant(0) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('let go'), size: fc.constant(0) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('flush'), size: fc.constant(0) }) },
  ),
  { minLength: 20, maxLength: 60 },
)

let runs = 0

async function withStorage<T>(pool: OpenLayerPool, use: (storage: LayeredTimelineStorage) => Promise<T>): Promise<T> {
  const project = await openProjectStorage({
    env: { clock: nodeClock, disk: nodeDisk, log: silentLog, metrics: noMetrics, random: nodeRandom },
    objectStore: openMemoryObjectStore({ disk: nodeDisk }),
    workers: openInlineUpkeepWorkers(nodeDisk, materialize),
    directory: join(folder, `run-${++runs}`),
    projectId: ProjectId.parse('0'.repeat(32)),
    semanticsOf: () => ({ materialize, liveKeyRanges: () => Promise.resolve([]) }),
    settings: { automaticUpkeep: false, openLayerBytesMax: 3 * OPEN_LAYER_CHUNK_BYTES },
    openLayerPool: pool,
  })
  try {
    return await use(
      await project.createTimeline({ timelineId: TimelineId.parse('1'.repeat(32)), startLsn: Lsn.of(8) }),
    )
  } finally {
    await project.close()
  }
}

/** As a read that began when `held` was taken and goes on now. */
function readHeld({ links: { links }, lsn }: Held, block: number): Uint8Array | undefined {
  const { open, frozen } = links[0]!.version
  for (const layer of [open, ...frozen.map((it) => it.layer)]) {
    const chain = new ChainBuilder()
    layer.collect(key(block), 0, 0, lsn, chain)
    if (chain.isDone) return chain.values[0]
  }
  return undefined
}

/** Chunks of layers that only reads under way keep in memory, or will once they are flushed. */
function heldChunks(storage: LayeredTimelineStorage, held: readonly Held[]): number {
  const layersOf = ({ open, frozen }: { open: OpenLayer; frozen: readonly { layer: OpenLayer }[] }) => [
    open,
    ...frozen.map((it) => it.layer),
  ]
  const { links, release } = storage.acquireLinks()
  release()
  const layers = new Set(held.flatMap((one) => layersOf(one.links.links[0]!.version)))
  layers.delete(links[0]!.version.open)
  const chunksOf = (layer: OpenLayer) =>
    Math.floor((layer.memoryBytes - layer.index.memoryBytes) / OPEN_LAYER_CHUNK_BYTES)
  return [...layers].reduce((sum, layer) => sum + chunksOf(layer), 0)
}

test('what a read was given, and what it can still see, stays right while the memory behind it is used again', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (script) => {
      const pool = new OpenLayerPool(CHUNKS_MAX)
      await withStorage(pool, async (storage) => {
        let lsn = 8
        let serial = 0
        const model: Model = new Map()
        const given: { value: Uint8Array; expected: Uint8Array }[] = []
        const held: Held[] = []
        for (const { kind, size } of script) {
          if (kind === 'put') {
            await storage.ready()
            lsn += 8
            const block = serial % KEYS
            const value = valueNumbered(++serial, size)
            storage.put(key(block), Lsn.of(lsn), true, value)
            storage.advance(Lsn.of(lsn))
            model.set(block, value)
          } else if (kind === 'read') {
            for (const [block, expected] of model) {
              const [chain] = await storage.collect(key(block), 1, Lsn.of(lsn))
              given.push({ value: chain!.values[0]!, expected })
            }
          } else if (kind === 'hold')
            held.push({ links: storage.acquireLinks(), lsn: Lsn.of(lsn), model: new Map(model) })
          else if (kind === 'let go') held.shift()?.links.release()
          else await storage.flush()

          // A layer that was spilling gives its memory back a turn later.
          await nodeClock.yieldTurn()
          // Beyond the bound: what reads under way hold, the chunk that values are put to, and that of one batch.
          const bound = Math.max(CHUNKS_MAX, heldChunks(storage, held) + 2)
          expect(pool.usedChunks).toBeLessThanOrEqual(bound)
          expect(pool.chunkCount).toBeLessThanOrEqual(bound)
          for (const one of held) {
            for (const [block, expected] of one.model) {
              const value = readHeld(one, block)
              // Values that were in a layer file already are not in memory.
              if (value) expect(Buffer.compare(value, expected)).toBe(0)
            }
          }
        }
        for (const { value, expected } of given) expect(Buffer.compare(value, expected)).toBe(0)
        for (const { links } of held) links.release()
      })
      expect(pool.usedChunks).toBe(0)
    }),
    // Shrinking takes minutes and would end as a timeout that says nothing: the script that failed is printed as it was.
    { numRuns: 15, endOnFailure: true },
  )
})

test('ingest goes on beside a read that never ends, in the bound, and the memory is given back after it', async () => {
  const pool = new OpenLayerPool(CHUNKS_MAX)
  await withStorage(pool, async (storage) => {
    const { release } = storage.acquireLinks()
    const size = 300_000
    let lsn = 8
    for (let i = 0; i < 100; i++) {
      await storage.ready()
      lsn += 8
      storage.put(key(i % KEYS), Lsn.of(lsn), true, valueNumbered(i, size))
      storage.advance(Lsn.of(lsn))
      expect(pool.usedChunks).toBeLessThanOrEqual(CHUNKS_MAX + 1)
    }
    await storage.flush()
    const heldChunks = pool.usedChunks
    expect(heldChunks).toBeGreaterThan(0)
    release()
    expect(pool.usedChunks).toBeLessThan(heldChunks)
    const [chain] = await storage.collect(key(3), 1, Lsn.of(lsn))
    expect(Buffer.compare(chain!.values[0]!, valueNumbered(99, size))).toBe(0)
  })
})

test('timelines that share a full pool spill instead of waiting for each other', async () => {
  const pool = new OpenLayerPool(2)
  await withStorage(pool, async (storage) => {
    const others = [pool.takeChunk(), pool.takeChunk(), pool.takeChunk()]
    const size = 500_000
    for (let i = 1; i <= 5; i++) {
      await storage.ready()
      storage.put(key(i), Lsn.of(8 + 8 * i), true, valueNumbered(i, size))
      storage.advance(Lsn.of(8 + 8 * i))
      expect(pool.usedChunks).toBeLessThanOrEqual(others.length + 2)
    }
    for (let i = 1; i <= 5; i++) {
      const [chain] = await storage.collect(key(i), 1, Lsn.of(48))
      expect(Buffer.compare(chain!.values[0]!, valueNumbered(i, size))).toBe(0)
    }
    for (const chunk of others) pool.giveBackChunk(chunk)
  })
})

test('chunks that nobody has needed for a while are let go', () => {
  const pool = new OpenLayerPool(10)
  const taken = Array.from({ length: 8 }, () => pool.takeChunk())
  for (const chunk of taken) pool.giveBackChunk(chunk)
  pool.trim()
  expect(pool.chunkCount).toBe(8)
  const again = [pool.takeChunk(), pool.takeChunk()]
  for (const chunk of again) pool.giveBackChunk(chunk)
  pool.trim()
  expect(pool.chunkCount).toBe(2)
  expect(() => pool.giveBackChunk(again[0]!)).toThrow('twice')
})
