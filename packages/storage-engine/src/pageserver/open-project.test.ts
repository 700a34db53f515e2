import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { isStorageError } from '../base/errors.ts'
import { silentLog } from '../io/log.ts'
import { noMetrics } from '../io/metrics.ts'
import { nodeClock } from '../io/node-clock.ts'
import { nodeDisk } from '../io/node-disk.ts'
import { nodeNetwork } from '../io/node-network.ts'
import { nodeRandom } from '../io/node-random.ts'
import { openMemoryObjectStore } from '../object-store/memory-object-store.ts'
import { ProjectId, TimelineId } from '../postgres/ids.ts'
import { Lsn } from '../postgres/lsn.ts'
import { removeProjectObjects } from './create-project.ts'
import { encodeKey, KeyKind } from './key.ts'
import { materializeValue } from './materialize-value.ts'
import { OpenProject, openStorage, type ProjectOptions } from './open-project.ts'
import { readProjectFile, writeProjectFile } from './project-file.ts'
import { openInlineUpkeepWorkers } from './upkeep/inline-workers.ts'

const projectId = ProjectId.parse('0123456789abcdef0123456789abcdef')
const rootId = TimelineId.parse('1'.repeat(32))
const branchId = TimelineId.parse('2'.repeat(32))
const lsn = Lsn.of(100)

let folder: string
let options: ProjectOptions
let project: OpenProject

const file = {
  formatVersion: 1,
  projectId,
  rootTimelineId: rootId,
  systemIdentifier: '7',
  controlFile: '',
  pitrWindowSeconds: 60,
} as const

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-open-project-'))
  options = {
    env: {
      clock: nodeClock,
      disk: nodeDisk,
      log: silentLog,
      metrics: noMetrics,
      network: nodeNetwork,
      random: nodeRandom,
    },
    objectStore: openMemoryObjectStore({ disk: nodeDisk }),
    workers: openInlineUpkeepWorkers(nodeDisk, materializeValue),
    directory: folder,
    safekeepers: [],
  }
  const storage = await openStorage(options, { projectId })
  const root = await storage.createTimeline({ timelineId: rootId, startLsn: lsn })
  root.put(encodeKey({ kind: KeyKind.database, a: 1663, b: 5 }), lsn, true, Uint8Array.of(1))
  root.advance(lsn)
  await root.flush()
  await storage.close()
  project = await OpenProject.open(options, file)
})

afterEach(async () => {
  await project.close()
  await rm(folder, { recursive: true, force: true })
})

test('the restore window that was set survives whatever writes arrive late, and is that of the file before', async () => {
  expect(project.pitrWindowSeconds).toBe(60)
  await project.setPitrWindow(3600)
  expect(project.pitrWindowSeconds).toBe(3600)
  await project.close()
  project = await OpenProject.open(options, file)
  expect(project.pitrWindowSeconds).toBe(3600)
  // The file itself is written once: one that an attempt before had given up is not taken for this one's, nor undone by it.
  await writeProjectFile(options.objectStore, file)
  const late = writeProjectFile(options.objectStore, { ...file, systemIdentifier: '8' })
  await expect(late).rejects.toSatisfy((error) => isStorageError(error, 'unavailable'))
  expect((await readProjectFile(options.objectStore, projectId))?.systemIdentifier).toBe('7')
})

test('what an attempt to make a project left behind is removed, but not the claim that fences it', async () => {
  const { generation } = project.storage
  await removeProjectObjects(options, projectId, { keepsClaims: true })
  const left = (await options.objectStore.list('projects/')).objects.map(({ key }) => key)
  expect(left.length).toBe(generation)
  expect(left.every((key) => key.includes('/generations/'))).toBe(true)
  const storage = await openStorage(options, { projectId })
  expect([storage.generation, storage.timelineIds()]).toEqual([generation + 1, []])
  await storage.close()
})

test('a branch that two callers ask for at the same time is attached once, so that one receiver takes its WAL', async () => {
  const [first, second] = await Promise.all([
    project.createBranch(branchId, rootId, lsn),
    project.createBranch(branchId, rootId, lsn),
  ])
  expect(second).toBe(first)
  expect(project.timelines.length).toBe(2)
})

test('a receiver that waits for object storage does not keep its timeline from being deleted, nor its project from closing', async () => {
  await project.createBranch(branchId, rootId, lsn)
  for (const { receiver, storage } of project.timelines) {
    // As one whose ingest waits in `ready` for a flush that does not come.
    vi.spyOn(receiver, 'stop').mockImplementation(async () => {
      for (let isOpen = true; isOpen; await nodeClock.sleep(1)) {
        isOpen = await storage.ready().then(
          () => true,
          () => false,
        )
      }
    })
  }
  await project.deleteTimeline(branchId)
  expect(project.timelines.length).toBe(1)
  await project.close()
})

test('a timeline whose deletion is refused goes on taking WAL', async () => {
  const { receiver } = await project.createBranch(branchId, rootId, lsn)
  const stop = vi.spyOn(receiver, 'stop')
  // Made while the deletion is on its way.
  const childId = TimelineId.parse('3'.repeat(32))
  const ancestor = { timelineId: branchId, lsn }
  const created = project.storage.createTimeline({ timelineId: childId, startLsn: lsn, ancestor })
  await expect(project.deleteTimeline(branchId)).rejects.toSatisfy((error) => isStorageError(error, 'conflict'))
  await created
  expect(stop).not.toHaveBeenCalled()
})
