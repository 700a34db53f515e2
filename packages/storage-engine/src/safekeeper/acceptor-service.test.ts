import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { WalWriter } from '../../fixtures/wal-writer.ts'
import { StorageError } from '../base/errors.ts'
import type { Clock } from '../io/clock.ts'
import type { Disk, DiskFile } from '../io/disk.ts'
import { silentLog } from '../io/log.ts'
import { nodeClock } from '../io/node-clock.ts'
import { nodeDisk } from '../io/node-disk.ts'
import { ProjectId, TimelineId } from '../postgres/ids.ts'
import { Lsn } from '../postgres/lsn.ts'
import { AcceptorService } from './acceptor-service.ts'
import { TimelineRegistry } from './timeline-registry.ts'

const identity = {
  projectId: ProjectId.parse(`${'0'.repeat(31)}1`),
  timelineId: TimelineId.parse(`${'0'.repeat(31)}2`),
  systemIdentifier: 7_000_000_000_000_000_001n,
  startLsn: Lsn.parse('0/1500028'),
}
const failure = new StorageError('unavailable', 'sync failed by order of the test')

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'safekeeper-acceptor-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function withFiles(change: (file: DiskFile) => DiskFile): Disk {
  return {
    ...nodeDisk,
    open: async (...args) => change(await nodeDisk.open(...args)),
    openNow: (...args) => change(nodeDisk.openNow(...args)),
  }
}

/** Every look at it is 100 ms later than the one before, and nobody waits. */
function hastyClock(): Clock {
  let nowMs = 0
  return {
    ...nodeClock,
    monotonicMs: () => (nowMs += 100),
    sleep: (_delayMs, options) =>
      options?.signal?.aborted ? Promise.reject(new StorageError('aborted', 'sleep')) : nodeClock.sleep(1),
  }
}

test('who waits for the disk behind a slow write is answered when a sync fails meanwhile', async () => {
  let failSync: (() => void) | undefined
  let syncs: 'pass' | 'hang' = 'pass'
  let write: Promise<void> = Promise.resolve()
  const disk = withFiles((file) => {
    const sync = file.sync.bind(file)
    file.sync = () =>
      syncs === 'pass' ? sync() : new Promise((_resolve, reject) => (failSync = () => reject(failure)))
    return file
  })
  const writeFileAtomic = disk.writeFileAtomic.bind(disk)
  disk.writeFileAtomic = (...args) => write.then(() => writeFileAtomic(...args))
  const env = { clock: hastyClock(), disk, log: silentLog }
  const timeline = await AcceptorService.create({ env, nodeId: 1, directory: folder, allocation: 'sparse' }, identity)
  const answers: Uint8Array[] = []
  const peer = timeline.connect({ send: (frame) => answers.push(frame), close: () => undefined })
  const answered = async (count: number) => {
    while (answers.length < count) await nodeClock.sleep(1)
  }
  timeline.handle(peer, { kind: 'vote-request', term: 1 })
  const history = [
    { term: 0, lsn: identity.startLsn },
    { term: 1, lsn: identity.startLsn },
  ]
  timeline.handle(peer, { kind: 'elected', term: 1, streamStartLsn: identity.startLsn, history })
  await answered(2)
  const writer = new WalWriter(identity.systemIdentifier, identity.startLsn)
  const append = () => {
    const beginLsn = writer.endLsn
    const bytes = writer.write(new Uint8Array(100))
    const commitLsn = identity.startLsn
    timeline.handle(peer, { kind: 'append', term: 1, beginLsn, commitLsn, peerHorizonLsn: Lsn.zero, bytes })
    timeline.endOfBatch()
  }
  // The first sync is slow, so the next one runs in the background.
  append()
  await answered(3)
  syncs = 'hang'
  append()
  expect(failSync).toBeDefined()
  let releaseWrite = () => {}
  write = new Promise((resolve) => {
    releaseWrite = resolve
  })
  timeline.learn({ remoteConsistentLsn: identity.startLsn })
  const persisted = timeline.persistProgress()
  const trimmed = timeline.trim(identity.startLsn)
  syncs = 'pass'
  failSync!()
  while (timeline.failure === undefined) await nodeClock.sleep(1)
  // Time to recover, if it did not wait for what is under way.
  for (let i = 0; i < 100 && timeline.failure !== undefined; i++) await nodeClock.sleep(10)
  releaseWrite()
  await persisted
  expect(await trimmed).toBe(0)
  while (timeline.failure !== undefined) await nodeClock.sleep(1)
  await timeline.close()
})

test('a timeline that could not be opened because the disk did not answer is tried again, a damaged one is not', async () => {
  let fails = false
  const disk = withFiles((file) => {
    const sync = file.sync.bind(file)
    file.sync = () => (fails ? Promise.reject(failure) : sync())
    return file
  })
  const options = { env: { clock: hastyClock(), disk, log: silentLog }, nodeId: 1, dataDirectory: folder }
  let registry = await TimelineRegistry.open({ ...options, allocation: 'sparse' })
  const timeline = await registry.create(identity)
  timeline.adoptWal(new WalWriter(identity.systemIdentifier, identity.startLsn).write(new Uint8Array(100)))
  await registry.close()
  fails = true
  registry = await TimelineRegistry.open({ ...options, allocation: 'sparse' })
  expect([registry.damaged().length, registry.unusableCount, registry.list().length]).toEqual([1, 1, 0])
  await nodeClock.sleep(20)
  expect(registry.list()).toEqual([])
  fails = false
  while (registry.list().length === 0) await nodeClock.sleep(1)
  expect([registry.damaged().length, registry.unusableCount]).toEqual([0, 0])
  expect(registry.list()[0]!.state.flushLsn).toBeGreaterThan(identity.startLsn)
  await registry.close()
})

test('a timeline that is deleted while it is rebuilt does not come back', async () => {
  const env = { clock: nodeClock, disk: nodeDisk, log: silentLog }
  const registry = await TimelineRegistry.open({ env, nodeId: 1, dataDirectory: folder, allocation: 'sparse' })
  const history = [{ term: 0, lsn: identity.startLsn }]
  const rebuilt = registry.rebuild(identity, { term: 1, history, commitLsn: identity.startLsn }, () =>
    registry.delete(identity.projectId, identity.timelineId),
  )
  await expect(rebuilt).rejects.toThrow('deleted while it was rebuilt')
  expect(registry.list()).toEqual([])
  await registry.close()
  const again = await TimelineRegistry.open({ env, nodeId: 1, dataDirectory: folder, allocation: 'sparse' })
  expect(again.list()).toEqual([])
  await again.close()
})
