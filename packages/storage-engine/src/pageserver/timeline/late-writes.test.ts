import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { isStorageError, StorageError } from '../../base/errors.ts'
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
import { indexPrefix, timelinePrefix } from '../remote/object-paths.ts'
import { openInlineUpkeepWorkers } from '../upkeep/inline-workers.ts'
import type { LayeredTimelineStorage } from './layered-timeline-storage.ts'
import { openProjectStorage, type ProjectStorage } from './project-storage.ts'

const projectId = ProjectId.parse('0123456789abcdef0123456789abcdef')
const mainId = TimelineId.parse('11111111111111111111111111111111')
const key = encodeKey({ kind: 0, a: 1663, b: 5, c: 16384, e: 1 })
const DAY_MS = 24 * 3600_000

let folder: string
let store: ObjectStore
let nowMs: number
/** Writes that timed out and are still on their way. */
let late: (() => Promise<void>)[]
/** Whether the next put of this key times out. */
let timesOut: (key: string) => boolean

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-late-'))
  nowMs = 1e12
  late = []
  timesOut = () => false
  const memory = openMemoryObjectStore({ disk: nodeDisk })
  store = {
    ...memory,
    put: async (objectKey, bytes) => {
      if (!timesOut(objectKey)) return memory.put(objectKey, bytes)
      late.push(() => memory.put(objectKey, bytes))
      throw new StorageError('unavailable', 'timed out')
    },
  }
})

afterEach(async () => {
  await rm(folder, { recursive: true, force: true })
})

function open(name = 'project'): Promise<ProjectStorage> {
  return openProjectStorage({
    env: {
      clock: { ...nodeClock, nowMs: () => nowMs },
      disk: nodeDisk,
      log: silentLog,
      metrics: noMetrics,
      random: nodeRandom,
    },
    objectStore: store,
    workers: openInlineUpkeepWorkers(nodeDisk, (_key, { values }) => values[0]!),
    directory: join(folder, name),
    projectId,
    semanticsOf: () => ({
      materialize: (_key, { values }) => values[0]!,
      liveKeyRanges: () => Promise.resolve([{ start: new Uint8Array(18), end: new Uint8Array(18).fill(255) }]),
    }),
    settings: { automaticUpkeep: false, retryDelayMsMin: 1, retryDelayMsMax: 2 },
  })
}

async function write(storage: LayeredTimelineStorage, lsn: number): Promise<void> {
  storage.put(key, Lsn.of(lsn), true, new TextEncoder().encode(`at ${lsn}`))
  storage.advance(Lsn.of(lsn))
  await storage.flush()
}

/** The first put of an index from here on times out. */
function nextIndexTimesOut(): void {
  timesOut = (objectKey) => {
    if (!objectKey.includes('/index-')) return false
    timesOut = () => false
    return true
  }
}

async function keysBelow(prefix: string): Promise<string[]> {
  return (await store.list(prefix)).objects.map((object) => object.key)
}

test('an index write that timed out and arrives after a newer one changes nothing', async () => {
  const project = await open()
  const storage = await project.createTimeline({ timelineId: mainId, startLsn: Lsn.of(100) })
  nextIndexTimesOut()
  await write(storage, 110)
  await write(storage, 120)
  expect(late.length).toBe(1)
  for (const arrive of late) await arrive()
  await project.close()

  const next = await open()
  expect(next.timeline(mainId).index.consistentLsn).toBe(120)
  const [chain] = await next.timeline(mainId).collect(key, 1, Lsn.of(120))
  expect(new TextDecoder().decode(chain!.values[0])).toBe('at 120')
  await next.close()
})

test('what an owner reports as safe is there for every later one, though an owner before it goes on writing', async () => {
  const first = await open()
  const storage = await first.createTimeline({ timelineId: mainId, startLsn: Lsn.of(100) })
  await write(storage, 110)
  const isIndex = (objectKey: string) => objectKey.includes('/index-')
  timesOut = isIndex
  const flushed = write(storage, 120).catch((error: unknown) => error)
  await expect.poll(() => late.length).toBeGreaterThan(0)
  // It is there, and its writer does not know. Nothing of what follows arrives.
  await late[0]!()

  const second = await open('second')
  expect(second.timeline(mainId).index.consistentLsn).toBe(120)
  const reported = second.timeline(mainId).remoteConsistentLsn

  // The first owner writes what it knows before it hears that there is another. Nothing that the second writes arrives.
  const ownIndex = `/index-${first.context.generation.number.toString(16).padStart(8, '0')}-`
  timesOut = (objectKey) => isIndex(objectKey) && !objectKey.includes(ownIndex)
  expect(await flushed).toSatisfy((error) => isStorageError(error, 'fenced'))
  await expect(storage.setAttributes({})).rejects.toSatisfy((error) => isStorageError(error, 'fenced'))
  timesOut = isIndex
  const third = await open('third')
  expect(third.timeline(mainId).index.consistentLsn).toBe(110)
  expect(reported).toBeLessThanOrEqual(110)

  // An owner whose index is written reports what all others will find.
  timesOut = () => false
  await third.timeline(mainId).flush()
  expect(third.timeline(mainId).remoteConsistentLsn).toBe(110)
  for (const project of [first, second, third]) await project.close()
})

test('a creation that timed out and arrives late does not undo what the timeline has become', async () => {
  const project = await open()
  nextIndexTimesOut()
  await expect(project.createTimeline({ timelineId: mainId, startLsn: Lsn.of(100) })).rejects.toThrow(/timed out/)
  await write(await project.createTimeline({ timelineId: mainId, startLsn: Lsn.of(100) }), 110)
  for (const arrive of late) await arrive()
  await project.close()
  const next = await open()
  expect(next.timeline(mainId).index.consistentLsn).toBe(110)
  await next.close()
})

test('replaced index files are removed: some by the writer, those that came late by the scrub', async () => {
  const project = await open()
  const storage = await project.createTimeline({ timelineId: mainId, startLsn: Lsn.of(100) })
  nextIndexTimesOut()
  for (let lsn = 101; lsn <= 140; lsn++) await write(storage, lsn)
  for (const arrive of late) await arrive()
  await project.context.deletions.drain()
  expect((await keysBelow(indexPrefix(projectId, mainId))).length).toBeLessThanOrEqual(10)
  await storage.scrub()
  expect((await keysBelow(indexPrefix(projectId, mainId))).length).toBe(1)
  expect(storage.remoteConsistentLsn).toBe(140)
  await project.close()
})

test('an index from before writes were counted is read, and gives way to the next write', async () => {
  const project = await open()
  await write(await project.createTimeline({ timelineId: mainId, startLsn: Lsn.of(100) }), 110)
  await project.close()
  const prefix = indexPrefix(projectId, mainId)
  const newest = (await keysBelow(prefix)).at(-1)!
  const bytes = await store.get(newest)
  await store.delete(await keysBelow(prefix))
  await store.put(`${prefix}00000001.json`, bytes)

  const next = await open()
  expect(next.timeline(mainId).index.consistentLsn).toBe(110)
  await write(next.timeline(mainId), 120)
  await next.close()
  const last = await open()
  expect(last.timeline(mainId).index.consistentLsn).toBe(120)
  await last.close()
})

test('of a deleted timeline nothing stays but its last word, whoever wrote it, and that goes after a day', async () => {
  const project = await open()
  const storage = await project.createTimeline({ timelineId: mainId, startLsn: Lsn.of(100) })
  await write(storage, 110)
  const prefix = timelinePrefix(projectId, mainId)
  for (const name of ['initdb.bin', 'statistics.bin', 'wal/0000000100000001', 'lake/5/16384/_delta_log/0.json']) {
    await store.put(`${prefix}${name}`, new Uint8Array(1))
  }
  await project.deleteTimeline(mainId)
  await project.sweepDeleted()
  expect(await keysBelow(prefix)).toEqual([expect.stringMatching(/\.deleted$/)])
  await project.close()

  // A segment that was under way, and the process that swept is gone.
  await store.put(`${prefix}wal/0000000100000002`, new Uint8Array(1))
  const next = await open()
  expect(next.timelineIds()).toEqual([])
  await next.sweepDeleted()
  expect(await keysBelow(prefix)).toEqual([expect.stringMatching(/\.deleted$/)])
  await store.put(`${prefix}wal/0000000100000003`, new Uint8Array(1))
  nowMs += DAY_MS
  await next.sweepDeleted()
  expect(await keysBelow(prefix)).toEqual([])
  await next.close()
})

test('an index write that arrives after the deletion of its timeline does not bring it back', async () => {
  const project = await open()
  const storage = await project.createTimeline({ timelineId: mainId, startLsn: Lsn.of(100) })
  nextIndexTimesOut()
  await write(storage, 110)
  await project.deleteTimeline(mainId)
  await expect(storage.setAttributes({ a: 'b' })).rejects.toSatisfy((error) => isStorageError(error, 'aborted'))
  for (const arrive of late) await arrive()
  await expect(project.createTimeline({ timelineId: mainId, startLsn: Lsn.of(100) })).rejects.toSatisfy((error) =>
    isStorageError(error, 'conflict'),
  )
  await project.close()
  const next = await open()
  expect(next.timelineIds()).toEqual([])
  await next.close()
})
