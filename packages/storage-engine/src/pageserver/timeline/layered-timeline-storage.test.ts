import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { isStorageError, StorageError } from '../../base/errors.ts'
import type { Clock } from '../../io/clock.ts'
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
import { openInlineUpkeepWorkers } from '../upkeep/inline-workers.ts'
import type { LayeredTimelineStorage } from './layered-timeline-storage.ts'
import { LOADED_LEASE_MS_MIN } from './lsn-leases.ts'
import { openProjectStorage, type ProjectStorage } from './project-storage.ts'
import type { StorageSettings } from './storage-settings.ts'
import type { TimelineStorage, ValueChain, ValueSemantics } from './timeline-storage.ts'

const projectId = ProjectId.parse('0123456789abcdef0123456789abcdef')
const mainId = TimelineId.parse('11111111111111111111111111111111')
const otherId = TimelineId.parse('33333333333333333333333333333333')
const branchId = TimelineId.parse('22222222222222222222222222222222')

let folder: string
let store: ObjectStore

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-layers-'))
  store = openMemoryObjectStore({ disk: nodeDisk })
})

afterEach(async () => {
  await rm(folder, { recursive: true, force: true })
})

/** A value here is text; a change appends to the older text. */
function foldText(_key: Uint8Array, chain: ValueChain): Uint8Array {
  return Buffer.concat([...chain.values].reverse())
}

function semanticsOf(): ValueSemantics {
  return {
    materialize: foldText,
    liveKeyRanges: () => Promise.resolve([{ start: new Uint8Array(18), end: new Uint8Array(18).fill(255) }]),
  }
}

function open(
  settings: Partial<StorageSettings> = {},
  objectStore = store,
  clock: Clock = nodeClock,
): Promise<ProjectStorage> {
  return openProjectStorage({
    env: { clock, disk: nodeDisk, log: silentLog, metrics: noMetrics, random: nodeRandom },
    objectStore,
    workers: openInlineUpkeepWorkers(nodeDisk, foldText),
    directory: join(folder, 'project'),
    projectId,
    semanticsOf,
    settings: { automaticUpkeep: false, ...settings },
  })
}

const key = (block: number) => encodeKey({ kind: 0, a: 1663, b: 5, c: 16384, e: block })
const text = (value: string) => new TextEncoder().encode(value)

/** Of block 1, at 100, 110, 120 and 130, each in an image of its own. */
async function putFourVersions(storage: LayeredTimelineStorage): Promise<void> {
  for (const lsn of [100, 110, 120, 130]) {
    storage.put(key(1), Lsn.of(lsn), true, text(`at ${lsn}`))
    storage.advance(Lsn.of(lsn))
    await storage.flush()
    await storage.makeImages()
  }
}

/** Up to 130, the branch first. */
async function collectBoth(project: ProjectStorage): Promise<void> {
  for (const id of [branchId, mainId]) {
    await project.timeline(id).collectGarbage({ horizonLsn: Lsn.of(130), retainLsns: [] })
  }
}

async function readText(storage: TimelineStorage, block: number, lsn: number): Promise<string | undefined> {
  const [chain] = await storage.collect(key(block), 1, Lsn.of(lsn))
  return chain!.complete ? new TextDecoder().decode(foldText(key(block), chain!)) : undefined
}

test('values are read back at every LSN from the open layer, from deltas, after a merge and after image making', async () => {
  const project = await open()
  const storage = await project.createTimeline({ timelineId: mainId, startLsn: Lsn.of(100) })
  storage.put(key(1), Lsn.of(100), true, text('a'))
  storage.put(key(2), Lsn.of(100), true, text('x'))
  storage.advance(Lsn.of(100))
  storage.put(key(1), Lsn.of(110), false, text('b'))
  storage.advance(Lsn.of(110))
  const check = async () => {
    expect(await readText(storage, 1, 100)).toBe('a')
    expect(await readText(storage, 1, 109)).toBe('a')
    expect(await readText(storage, 1, 110)).toBe('ab')
    expect(await readText(storage, 2, 110)).toBe('x')
    expect(await readText(storage, 3, 110)).toBeUndefined()
  }
  await check()
  await storage.flush()
  expect(storage.remoteConsistentLsn).toBe(110)
  await check()
  storage.put(key(1), Lsn.of(120), false, text('c'))
  storage.advance(Lsn.of(120))
  await storage.flush()
  expect(storage.layers().map(({ descriptor }) => descriptor.level)).toEqual([0, 0])
  await storage.compact()
  expect(storage.layers().map(({ descriptor }) => descriptor.level)).toEqual([1])
  await check()
  await storage.makeImages()
  await check()
  expect(await readText(storage, 1, 120)).toBe('abc')
  await storage.collectGarbage({ horizonLsn: Lsn.of(120), retainLsns: [] })
  expect(storage.layers().map(({ descriptor }) => descriptor.kind)).toEqual(['page-image'])
  expect(await readText(storage, 1, 120)).toBe('abc')
  expect(storage.gcCutoffLsn).toBe(120)
  await expect(readText(storage, 1, 119)).rejects.toSatisfy((error) => isStorageError(error, 'not-found'))
  await project.close()
})

test('a project whose local folder is lost comes back from object storage', async () => {
  const project = await open()
  const storage = await project.createTimeline({
    timelineId: mainId,
    startLsn: Lsn.of(100),
    attributes: { systemIdentifier: '7' },
  })
  for (let block = 0; block < 50; block++) storage.put(key(block), Lsn.of(100), true, text(`v${block}`))
  storage.advance(Lsn.of(100))
  await storage.flush()
  const branch = await project.createTimeline({
    timelineId: branchId,
    startLsn: Lsn.of(100),
    ancestor: { timelineId: mainId, lsn: Lsn.of(100) },
  })
  branch.put(key(7), Lsn.of(105), false, text('+branch'))
  branch.advance(Lsn.of(105))
  await branch.flush()
  await project.close()
  await rm(join(folder, 'project'), { recursive: true })

  const again = await open()
  expect(again.generation).toBe(project.generation + 1)
  expect(again.timelineIds()).toEqual([mainId, branchId])
  expect(again.timeline(mainId).attributes).toEqual({ systemIdentifier: '7' })
  expect(again.timeline(mainId).collectNow(key(7), 1, Lsn.of(100))).toBeUndefined()
  expect(await readText(again.timeline(mainId), 7, 100)).toBe('v7')
  expect(await readText(again.timeline(branchId), 7, 105)).toBe('v7+branch')
  expect(await readText(again.timeline(branchId), 8, 105)).toBe('v8')
  expect(again.timeline(branchId).collectNow(key(9), 1, Lsn.of(105))).toBeDefined()
  await again.close()
})

test('a page server with a stale generation neither publishes nor deletes', async () => {
  const old = await open()
  const storage = await old.createTimeline({ timelineId: mainId, startLsn: Lsn.of(100) })
  storage.put(key(1), Lsn.of(100), true, text('old'))
  storage.advance(Lsn.of(100))
  await storage.flush()
  const young = await open({}, store)
  storage.put(key(1), Lsn.of(110), true, text('late'))
  storage.advance(Lsn.of(110))
  await expect(storage.flush()).rejects.toSatisfy((error) => isStorageError(error, 'fenced'))
  expect(storage.remoteConsistentLsn).toBe(100)
  await expect(storage.ready()).rejects.toSatisfy((error) => isStorageError(error, 'fenced'))
  await expect(old.deleteTimeline(mainId)).rejects.toSatisfy((error) => isStorageError(error, 'fenced'))
  expect(await readText(young.timeline(mainId), 1, 100)).toBe('old')
  await old.close()
  await young.close()
})

test('a branch survives a garbage collection that a page server made without knowing that it was replaced', async () => {
  const stale = await open()
  const storage = await stale.createTimeline({ timelineId: mainId, startLsn: Lsn.of(100) })
  for (const lsn of [100, 110, 120]) {
    storage.put(key(1), Lsn.of(lsn), true, text(`at ${lsn}`))
    storage.advance(Lsn.of(lsn))
    await storage.flush()
    await storage.makeImages()
  }
  const owner = await open()
  await owner.createTimeline({
    timelineId: branchId,
    startLsn: Lsn.of(105),
    ancestor: { timelineId: mainId, lsn: Lsn.of(105) },
  })
  await expect(storage.collectGarbage({ horizonLsn: Lsn.of(120), retainLsns: [] })).rejects.toSatisfy((error) =>
    isStorageError(error, 'fenced'),
  )
  const next = await open()
  expect(await readText(next.timeline(branchId), 1, 105)).toBe('at 100')
})

test('a branch whose creation failed after its index was written is not served once its branch point is collected', async () => {
  let isCut = false
  const cut: ObjectStore = {
    ...store,
    list: (...args) => (isCut ? Promise.reject(new StorageError('unavailable', 'no answer')) : store.list(...args)),
  }
  const project = await open({}, cut)
  const storage = await project.createTimeline({ timelineId: mainId, startLsn: Lsn.of(100) })
  await putFourVersions(storage)
  isCut = true
  const spec = { timelineId: branchId, startLsn: Lsn.of(110), ancestor: { timelineId: mainId, lsn: Lsn.of(110) } }
  await expect(project.createTimeline(spec)).rejects.toThrow(/no answer/)
  isCut = false
  await storage.collectGarbage({ horizonLsn: Lsn.of(130), retainLsns: [] })
  await project.close()

  const next = await open()
  expect(next.has(branchId)).toBe(false)
  await expect(next.createTimeline(spec)).rejects.toSatisfy((error) => isStorageError(error, 'not-found'))
  await next.close()
})

test('ingest of one long record does not wait for a merge behind an image making that waits for the record', async () => {
  const project = await open({ automaticUpkeep: true, level0LayersMax: 2, level0LayersIngestMax: 2 })
  const parent = await project.createTimeline({ timelineId: mainId, startLsn: Lsn.of(100) })
  const put = (lsn: number) => parent.put(key(lsn), Lsn.of(lsn), true, text('a'))
  let branch: LayeredTimelineStorage | undefined
  let making: Promise<void> = Promise.resolve()
  const { heavyWorkLock } = project.context
  await heavyWorkLock.run(async () => {
    // As image making of a branch begins, before the merge of the layers that are written here.
    making = heavyWorkLock.run(() => branch!.flushAncestors())
    for (const lsn of [100, 110, 120]) {
      put(lsn)
      parent.advance(Lsn.of(lsn))
      if (lsn < 120) await parent.flush()
    }
    const ancestor = { timelineId: mainId, lsn: Lsn.of(120) }
    branch = await project.createTimeline({ timelineId: branchId, startLsn: Lsn.of(120), ancestor })
    put(130)
  })
  expect(parent.layers().length).toBe(2)
  await parent.ready()
  put(140)
  parent.advance(Lsn.of(140))
  await making
  await project.close()
})

test('a lease holds over a restart until it can have been renewed, on a branch for the history of its ancestor, and ends', async () => {
  let nowMs = 1e12
  const clock = { ...nodeClock, nowMs: () => nowMs, monotonicMs: () => nowMs }
  let project = await open({}, store, clock)
  const storage = await project.createTimeline({ timelineId: mainId, startLsn: Lsn.of(100) })
  await putFourVersions(storage)
  const ancestor = { timelineId: mainId, lsn: Lsn.of(120) }
  await project.createTimeline({ timelineId: branchId, startLsn: Lsn.of(120), ancestor })
  await project.leaseLsn(branchId, { id: 'reader', lsn: Lsn.of(110), seconds: 60 })
  await project.close()

  project = await open({}, store, clock)
  const collect = () => collectBoth(project)
  nowMs += LOADED_LEASE_MS_MIN - 1000
  await collect()
  expect(await readText(project.timeline(branchId), 1, 110)).toBe('at 110')
  await expect(readText(project.timeline(branchId), 1, 109)).rejects.toThrow(/older than the history/)
  // The branch's own cutoff is not where its history begins: what lies before its branch point is the ancestor's.
  expect(project.timeline(branchId).gcCutoffLsn).toBe(120)
  await expect(project.leaseLsn(branchId, { id: 'late', lsn: Lsn.of(109), seconds: 60 })).rejects.toThrow(/older/)
  nowMs += 2_000
  await collect()
  await expect(readText(project.timeline(branchId), 1, 110)).rejects.toThrow(/older than the history/)
  await project.close()
})

test('a reader that holds an LSN can read it, on a branch too, until it releases it or its time is over', async () => {
  let nowMs = 1e12
  const clock = { ...nodeClock, nowMs: () => nowMs, monotonicMs: () => nowMs }
  const project = await open({}, store, clock)
  const storage = await project.createTimeline({ timelineId: mainId, startLsn: Lsn.of(100) })
  await putFourVersions(storage)
  const ancestor = { timelineId: mainId, lsn: Lsn.of(125) }
  await project.createTimeline({ timelineId: branchId, startLsn: Lsn.of(125), ancestor })
  await project.holdReads(mainId, { id: 'a', lsn: Lsn.of(100), seconds: 60 })
  await project.holdReads(branchId, { id: 'b', lsn: Lsn.of(110), seconds: 30 })
  const collect = () => collectBoth(project)
  await collect()
  expect(storage.gcCutoffLsn).toBe(130)
  expect(await readText(storage, 1, 100)).toBe('at 100')
  expect(await readText(project.timeline(branchId), 1, 110)).toBe('at 110')
  await expect(project.holdReads(mainId, { id: 'late', lsn: Lsn.of(120), seconds: 60 })).rejects.toThrow(/older/)
  nowMs += 31_000
  await collect()
  expect(await readText(storage, 1, 100)).toBe('at 100')
  await expect(readText(project.timeline(branchId), 1, 110)).rejects.toThrow(/older than the history/)
  project.releaseReads(mainId, 'a')
  await collect()
  await expect(readText(storage, 1, 100)).rejects.toThrow(/older than the history/)
  await project.close()
})

test('a branch whose creation failed halfway and whose ancestor was then deleted keeps nothing else from being served', async () => {
  const answers = { ...store }
  const project = await open({}, answers)
  await project.createTimeline({ timelineId: mainId, startLsn: Lsn.of(100) })
  await project.createTimeline({ timelineId: otherId, startLsn: Lsn.of(100) })
  answers.put = async (key, bytes) => {
    await store.put(key, bytes)
    throw new StorageError('unavailable', 'the answer is lost')
  }
  const branch = { timelineId: branchId, startLsn: Lsn.zero, ancestor: { timelineId: mainId, lsn: Lsn.zero } }
  await expect(project.createTimeline(branch)).rejects.toThrow(/answer is lost/)
  answers.put = store.put
  await project.deleteTimeline(mainId)
  await project.close()
  const next = await open()
  expect(next.timelineIds()).toEqual([otherId])
  await next.close()
})

test('a read that waits for a layer while its timeline is closed is told so', async () => {
  let project = await open()
  let main = await project.createTimeline({ timelineId: mainId, startLsn: Lsn.of(8) })
  main.put(key(1), Lsn.of(16), true, text('a'))
  main.advance(Lsn.of(16))
  await main.flush()
  await project.close()
  await rm(join(folder, 'project'), { recursive: true })

  let slow = store
  let answer = () => {}
  const asked = new Promise<void>((resolveAsked) => {
    const answered = new Promise<void>((resolve) => {
      answer = resolve
    })
    const getFile: ObjectStore['getFile'] = async (...args) => {
      resolveAsked()
      await answered
      await store.getFile(...args)
    }
    slow = { ...store, getFile }
  })
  project = await open({}, slow)
  main = project.timeline(mainId)
  const read = readText(main, 1, 16)
  const refused = expect(read).rejects.toMatchObject({ code: 'aborted' })
  await asked
  await project.close()
  answer()
  await refused
})

test('what was put and not advanced over is gone after a rollback: from memory, from the spill file and from layers', async () => {
  const project = await open({ openLayerResidentBytesMax: 1024 * 1024, openLayerBytesMax: 64 * 1024 * 1024 })
  const storage = await project.createTimeline({ timelineId: mainId, startLsn: Lsn.of(100) })
  const large = (byte: number) => new Uint8Array(700_000).fill(byte)
  storage.put(key(1), Lsn.of(100), true, text('a'))
  storage.put(key(2), Lsn.of(100), true, large(1))
  storage.advance(Lsn.of(100))
  storage.put(key(1), Lsn.of(110), false, text('lost'))
  storage.put(key(2), Lsn.of(110), true, large(2))
  storage.put(key(3), Lsn.of(110), true, large(3))
  // Waits for the record that is half put; without the rollback it would wait for ever.
  const flushed = storage.flush()
  storage.rollback()
  await flushed
  expect(await readText(storage, 1, 100)).toBe('a')
  for (const attempt of [4, 5]) {
    storage.put(key(1), Lsn.of(110), false, text('b'))
    for (const block of [2, 3, 4, 5]) storage.put(key(block), Lsn.of(110), true, large(attempt))
    await storage.ready()
    if (attempt === 4) storage.rollback()
  }
  storage.advance(Lsn.of(110))
  const check = async () => {
    expect(await readText(storage, 1, 110)).toBe('ab')
    expect(await readText(storage, 1, 105)).toBe('a')
    for (const block of [2, 3, 4, 5]) {
      const [chain] = await storage.collect(key(block), 1, Lsn.of(110))
      expect(Buffer.compare(chain!.values[0]!, large(5))).toBe(0)
    }
  }
  await storage.ready()
  await check()
  await storage.flush()
  await check()
  await project.close()
})

test('an image of a branch holds what its parent has only in memory', async () => {
  const project = await open()
  const parent = await project.createTimeline({ timelineId: mainId, startLsn: Lsn.of(100) })
  for (const block of [1, 2, 3]) parent.put(key(block), Lsn.of(110), true, text('a'))
  parent.advance(Lsn.of(110))
  const branch = await project.createTimeline({
    timelineId: branchId,
    startLsn: Lsn.of(110),
    ancestor: { timelineId: mainId, lsn: Lsn.of(110) },
  })
  // An image of the branch covers all keys from the first to the last that it wrote.
  branch.put(key(1), Lsn.of(120), true, text('b'))
  branch.put(key(3), Lsn.of(120), true, text('c'))
  branch.advance(Lsn.of(120))
  await branch.flush()
  await branch.makeImages()
  expect(branch.layers().map(({ descriptor }) => descriptor.kind)).toContain('page-image')
  expect(await readText(branch, 1, 120)).toBe('b')
  expect(await readText(branch, 2, 120)).toBe('a')
  expect(await readText(branch, 3, 120)).toBe('c')
  await project.close()
})

test('while a layer is uploaded the next one is, too, and the index names them in the order of their LSNs', async () => {
  const uploads: { layerName: string; end: () => void }[] = []
  const began: (() => void)[] = []
  const held: ObjectStore = {
    ...store,
    async putFile(objectKey, path, options) {
      await store.putFile(objectKey, path, options)
      await new Promise<void>((end) => {
        uploads.push({ layerName: objectKey.slice(objectKey.lastIndexOf('/') + 1), end })
        for (const wake of began.splice(0)) wake()
      })
    },
  }
  const uploadsBegan = async (count: number) => {
    while (uploads.length < count) await new Promise<void>((resolve) => began.push(resolve))
  }
  const project = await open({ openLayerWalBytesMax: 10, frozenLayersMax: 10 }, held)
  const storage = await project.createTimeline({ timelineId: mainId, startLsn: Lsn.of(100) })
  for (const lsn of [110, 120, 130]) {
    storage.put(key(1), Lsn.of(lsn), true, text(`at ${lsn}`))
    storage.advance(Lsn.of(lsn))
  }
  await uploadsBegan(2)
  // Names of the same keys are in the order of their LSNs; either may have begun first.
  const [earlier, later] = uploads.toSorted((a, b) => (a.layerName < b.layerName ? -1 : 1))
  // The later one is done first, and means nothing yet.
  later!.end()
  await new Promise((resolve) => setImmediate(resolve))
  expect(storage.remoteConsistentLsn).toBe(0)
  earlier!.end()
  await uploadsBegan(3)
  uploads[2]!.end()
  await storage.flush()
  expect(storage.remoteConsistentLsn).toBe(130)
  expect(storage.layers().map(({ descriptor }) => descriptor.endLsn)).toEqual([131, 121, 111])
  for (const lsn of [110, 120, 130]) expect(await readText(storage, 1, lsn)).toBe(`at ${lsn}`)
  await project.close()
})
