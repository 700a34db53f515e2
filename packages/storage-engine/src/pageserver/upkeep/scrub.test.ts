import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { CorruptionError, StorageError } from '../../base/errors.ts'
import { silentLog } from '../../io/log.ts'
import { noMetrics } from '../../io/metrics.ts'
import { nodeClock } from '../../io/node-clock.ts'
import { nodeDisk } from '../../io/node-disk.ts'
import { nodeRandom } from '../../io/node-random.ts'
import { openMemoryObjectStore } from '../../object-store/memory-object-store.ts'
import type { ObjectStore } from '../../object-store/object-store.ts'
import { ProjectId, TimelineId } from '../../postgres/ids.ts'
import { Lsn } from '../../postgres/lsn.ts'
import { encodeKey } from '../key.ts'
import type { LayerDescriptor } from '../layer/layer-descriptor.ts'
import type { LayeredTimelineStorage } from '../timeline/layered-timeline-storage.ts'
import { openProjectStorage, type ProjectStorage } from '../timeline/project-storage.ts'
import { openInlineUpkeepWorkers } from './inline-workers.ts'

const projectId = ProjectId.parse('0123456789abcdef0123456789abcdef')
const mainId = TimelineId.parse('11111111111111111111111111111111')
const key = encodeKey({ kind: 0, a: 1663, b: 5, c: 16384, e: 1 })

let folder: string
let store: ObjectStore
let project: ProjectStorage
let storage: LayeredTimelineStorage

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-scrub-'))
  store = openMemoryObjectStore({ disk: nodeDisk })
  project = await open()
  storage = await project.createTimeline({ timelineId: mainId, startLsn: Lsn.of(100) })
  for (const lsn of [110, 120, 130]) {
    storage.put(key, Lsn.of(lsn), true, new TextEncoder().encode(`at ${lsn}`))
    storage.advance(Lsn.of(lsn))
    await storage.flush()
    await storage.makeImages()
  }
})

afterEach(async () => {
  await project.close()
  await rm(folder, { recursive: true, force: true })
})

function open(): Promise<ProjectStorage> {
  return openProjectStorage({
    env: { clock: nodeClock, disk: nodeDisk, log: silentLog, metrics: noMetrics, random: nodeRandom },
    objectStore: store,
    workers: openInlineUpkeepWorkers(nodeDisk, (_key, { values }) => values[0]!),
    directory: join(folder, 'project'),
    projectId,
    semanticsOf: () => ({
      materialize: (_key, { values }) => values[0]!,
      liveKeyRanges: () => Promise.resolve([{ start: new Uint8Array(18), end: new Uint8Array(18).fill(255) }]),
    }),
    settings: { automaticUpkeep: false },
  })
}

async function restart(): Promise<void> {
  await project.close()
  project = await open()
  storage = project.timeline(mainId)
}

function newest(kind: LayerDescriptor['kind']): LayerDescriptor {
  return storage.index.layers.filter((layer) => layer.kind === kind).sort((a, b) => b.endLsn - a.endLsn)[0]!
}

const flipped = (bytes: Uint8Array) => bytes.map((byte, i) => (i === bytes.length >> 1 ? byte ^ 1 : byte))

test.each(['delta', 'page-image'] as const)(
  'a damaged %s object is found behind a good local copy, which takes its place',
  async (kind) => {
    const objectKey = storage.files.objectKey(newest(kind))
    const good = await store.get(objectKey)
    await store.put(objectKey, flipped(good))
    expect(await storage.scrub()).toMatchObject({ damaged: [], mendedCount: 1 })
    expect(await store.get(objectKey)).toEqual(good)
    await store.delete([objectKey])
    expect(await storage.scrub()).toMatchObject({ damaged: [], mendedCount: 1 })
    expect(await store.get(objectKey)).toEqual(good)
  },
)

test('a read that fails is made again, and not those of all layers before it', async () => {
  const { length } = storage.index.layers
  let calls = 0
  const { getFile } = store
  // The project holds this object.
  Object.assign(store, {
    getFile: async (...args: Parameters<ObjectStore['getFile']>) => {
      if (++calls % 2 === 0) throw new StorageError('unavailable', 'away')
      return getFile.apply(store, args)
    },
  })
  expect(await storage.scrub()).toMatchObject({ damaged: [], verifiedCount: length })
  expect(calls).toBe(2 * length - 1)
})

test('a damaged object without a local copy is named, and stays as it is', async () => {
  const layer = newest('delta')
  const objectKey = storage.files.objectKey(layer)
  const bad = flipped(await store.get(objectKey))
  await store.put(objectKey, bad)
  await project.context.layerFiles.drop(layer.name)
  const { damaged, mendedCount, verifiedCount } = await storage.scrub()
  expect(damaged.map(({ name }) => name)).toEqual([layer.name])
  expect([mendedCount, verifiedCount]).toEqual([0, storage.index.layers.length - 1])
  expect(await store.get(objectKey)).toEqual(bad)
  expect(await stat(storage.files.path(layer.name)).catch(() => 'absent')).toBe('absent')
})

test('a damaged local copy goes, and does not touch the object', async () => {
  const layer = newest('delta')
  const path = storage.files.path(layer.name)
  await writeFile(path, flipped(await readFile(path)))
  expect(await storage.scrub()).toMatchObject({ damaged: [], mendedCount: 0 })
  expect(project.context.layerFiles.isLocal(layer.name)).toBe(false)
  const [chain] = await storage.collect(key, 1, Lsn.of(130))
  expect(new TextDecoder().decode(chain!.values[0])).toBe('at 130')
})

test('after a restart no garbage is collected below a layer that was found damaged, until it has been looked at', async () => {
  const layer = newest('page-image')
  const { name } = layer
  const found = new CorruptionError('a checksum fails')
  project.context.columnarSegments.markDamaged(name, storage.files.objectKey(layer), found)
  await storage.noteDamage()
  await storage.noteDamage()
  await restart()
  expect(storage.index.damagedLayers).toEqual([{ name, found: expect.stringContaining('a checksum fails') }])
  await storage.collectGarbage({ horizonLsn: Lsn.of(130), retainLsns: [] })
  expect(storage.gcCutoffLsn).toBe(0)
  await storage.scrubSuspects()
  await restart()
  expect(storage.index.damagedLayers).toEqual([])
  await storage.collectGarbage({ horizonLsn: Lsn.of(130), retainLsns: [] })
  expect(storage.gcCutoffLsn).toBe(130)
})
