import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { WalWriter } from '../../fixtures/wal-writer.ts'
import type { Env } from '../io/env.ts'
import { silentLog } from '../io/log.ts'
import { noMetrics } from '../io/metrics.ts'
import { nodeClock } from '../io/node-clock.ts'
import { nodeDisk } from '../io/node-disk.ts'
import { nodeNetwork } from '../io/node-network.ts'
import { nodeRandom } from '../io/node-random.ts'
import { openMemoryObjectStore } from '../object-store/memory-object-store.ts'
import type { ObjectStore } from '../object-store/object-store.ts'
import { WAL_SEGMENT_SIZE } from '../postgres/constants.ts'
import type { ProjectId, TimelineId } from '../postgres/ids.ts'
import { Lsn } from '../postgres/lsn.ts'
import { PeerRecovery } from './peer-recovery.ts'
import { openProposer, type Proposer, type ProposerOptions } from './proposer-service.ts'
import { SafekeeperService } from './safekeeper-service.ts'
import { WalBackup } from './wal-backup.ts'
import { readWal } from './wal-reader-client.ts'

const log = process.env.TEST_LOG
  ? { ...silentLog, warn: console.log, error: console.log, info: console.log }
  : silentLog
const env: Env = { clock: nodeClock, random: nodeRandom, disk: nodeDisk, network: nodeNetwork, log, metrics: noMetrics }
const identity = {
  projectId: '00000000000000000000000000000001' as ProjectId,
  timelineId: '00000000000000000000000000000002' as TimelineId,
  systemIdentifier: 7_000_000_000_000_000_001n,
  startLsn: Lsn.parse('0/1500028'),
}

let folder: string
let objectStore: ObjectStore
let services: (SafekeeperService | undefined)[]
let ports: number[]
let proposers: Proposer[]

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'safekeeper-quorum-'))
  objectStore = openMemoryObjectStore({ disk: nodeDisk })
  services = []
  ports = [0, 0, 0]
  proposers = []
  for (const index of [0, 1, 2]) await start(index)
  for (const service of services) await service!.registry.create(identity)
})

afterEach(async () => {
  for (const proposer of proposers) await proposer.close()
  for (const service of services) await service?.close()
  rmSync(folder, { recursive: true, force: true })
})

async function start(index: number): Promise<SafekeeperService> {
  const service = await SafekeeperService.open({
    env,
    nodeId: index + 1,
    dataDirectory: join(folder, `sk${index + 1}`),
    address: { host: '127.0.0.1', port: ports[index]! },
    objectStore,
    allocation: 'sparse',
  })
  services[index] = service
  ports[index] = (service.address as { port: number }).port
  return service
}

async function stop(index: number): Promise<void> {
  await services[index]!.close()
  services[index] = undefined
}

function propose(extra: Partial<ProposerOptions> = {}): Proposer {
  const proposer = openProposer({
    env,
    peers: ports.map((port, index) => ({ id: index + 1, address: { host: '127.0.0.1', port } })),
    ...identity,
    ...extra,
  })
  proposers.push(proposer)
  return proposer
}

async function until(condition: () => boolean, what: string): Promise<void> {
  for (let i = 0; i < 1000; i++) {
    if (condition()) return
    await nodeClock.sleep(10)
  }
  throw new Error(`timed out: ${what}`)
}

async function appendRecords(proposer: Proposer, writer: WalWriter, count: number, size = 100): Promise<void> {
  for (let i = 0; i < count; i++) {
    const lsn = writer.endLsn
    if (!proposer.append(lsn, writer.write(new Uint8Array(size).fill(i)))) await proposer.hasRoom()
  }
}

async function readAll(index: number, endLsn: Lsn): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  const request = { kind: 'start-wal', ...identity, startLsn: identity.startLsn, upTo: 'commit', term: 0 } as const
  await readWal(env, { host: '127.0.0.1', port: ports[index]! }, request, endLsn, (_lsn, bytes) => {
    chunks.push(bytes.slice())
  })
  return Buffer.concat(chunks)
}

test('an elected proposer commits what it appends, and every safekeeper serves the same bytes', async () => {
  const proposer = propose()
  const { term, startLsn } = await proposer.elect()
  expect(term).toBe(1)
  expect(startLsn).toBe(identity.startLsn)
  const writer = new WalWriter(identity.systemIdentifier, startLsn)
  await appendRecords(proposer, writer, 500)
  await appendRecords(proposer, writer, 3, 700_000)
  await until(() => proposer.commitLsn === writer.endLsn, 'commit')
  await until(
    () => services.every((each) => each!.registry.list()[0]!.state.commitLsn === writer.endLsn),
    'commit everywhere',
  )
  const first = await readAll(0, writer.endLsn)
  expect(first.length).toBe(writer.endLsn - startLsn)
  expect(Buffer.compare(await readAll(1, writer.endLsn), first)).toBe(0)
  expect(Buffer.compare(await readAll(2, writer.endLsn), first)).toBe(0)
})

test('a record that arrives in pieces is committed, however many frames it takes', async () => {
  const proposer = propose()
  const { startLsn } = await proposer.elect()
  const writer = new WalWriter(identity.systemIdentifier, startLsn)
  const record = writer.write(new Uint8Array(1000).fill(7)).slice()
  // No frame but the last ends a record, so that no commit makes room for the next.
  for (let at = 0; at < record.length; at += 200) {
    proposer.append((startLsn + at) as Lsn, record.slice(at, at + 200))
    await new Promise((resolve) => setImmediate(resolve))
  }
  await until(() => proposer.commitLsn === writer.endLsn, 'commit')
})

test('a second proposer fences the first, and starts at the end of all that was committed', async () => {
  let fencedBy = 0
  const first = propose({ onFenced: (term) => (fencedBy = term) })
  await first.elect()
  const writer = new WalWriter(identity.systemIdentifier, identity.startLsn)
  await appendRecords(first, writer, 50)
  await until(() => first.commitLsn === writer.endLsn, 'commit')
  const second = propose()
  const won = await second.elect()
  expect(won.term).toBe(2)
  expect(won.startLsn).toBe(writer.endLsn)
  await until(() => fencedBy === 2, 'fenced')
  expect(() => first.append(writer.endLsn, new Uint8Array(8))).toThrow('higher term')
})

test('commits go on with one safekeeper stopped, wait with two, and go on when one returns', async () => {
  const proposer = propose()
  await proposer.elect()
  const writer = new WalWriter(identity.systemIdentifier, identity.startLsn)
  await stop(0)
  await appendRecords(proposer, writer, 20)
  await until(() => proposer.commitLsn === writer.endLsn, 'commit with two')
  await stop(1)
  const committed = proposer.commitLsn
  await appendRecords(proposer, writer, 20)
  await nodeClock.sleep(200)
  expect(proposer.commitLsn).toBe(committed)
  await start(1)
  await until(() => proposer.commitLsn === writer.endLsn, 'commit after return')
  await start(0)
  await until(() => services[0]!.registry.list()[0]!.state.commitLsn === writer.endLsn, 'laggard caught up')
  expect(Buffer.compare(await readAll(0, writer.endLsn), await readAll(2, writer.endLsn))).toBe(0)
})

test('a safekeeper that missed wal which no proposer buffers any more is caught up from another', async () => {
  await stop(2)
  const first = propose()
  await first.elect()
  const writer = new WalWriter(identity.systemIdentifier, identity.startLsn)
  await appendRecords(first, writer, 300, 5000)
  await until(() => first.commitLsn === writer.endLsn, 'commit')
  await first.close()
  await start(2)
  const second = propose()
  const won = await second.elect()
  expect(won.startLsn).toBe(writer.endLsn)
  await until(() => services[2]!.registry.list()[0]!.state.commitLsn === writer.endLsn, 'caught up')
  expect(Buffer.compare(await readAll(2, writer.endLsn), await readAll(0, writer.endLsn))).toBe(0)
})

test('wal that crosses segments survives a restart of all safekeepers', async () => {
  const proposer = propose()
  await proposer.elect()
  const writer = new WalWriter(identity.systemIdentifier, identity.startLsn)
  await appendRecords(proposer, writer, 40, 1_000_000)
  await until(() => proposer.commitLsn === writer.endLsn, 'commit')
  const before = await readAll(1, writer.endLsn)
  await proposer.close()
  for (const index of [0, 1, 2]) await stop(index)
  for (const index of [0, 1, 2]) await start(index)
  const again = propose()
  const won = await again.elect()
  expect(won.startLsn).toBe(writer.endLsn)
  await until(() => services[1]!.registry.list()[0]!.state.commitLsn === writer.endLsn, 'commit after restart')
  expect(Buffer.compare(await readAll(1, writer.endLsn), before)).toBe(0)
})

test('peers that speak nonsense are closed with a reason, and nothing of the timeline changes', async () => {
  const timeline = services[0]!.registry.list()[0]!
  const before = timeline.state
  for (const bytes of [new TextEncoder().encode('GET / HTTP/1.1\r\n\r\n'), new Uint8Array(4096).fill(0x42)]) {
    const connection = await env.network.connect({ host: '127.0.0.1', port: ports[0]! }, { timeoutMs: 1000 })
    const closed = new Promise<void>((resolve) => {
      connection.onClose = () => resolve()
    })
    let received = 0
    connection.onData = (chunk) => {
      received += chunk.length
    }
    connection.send(bytes)
    await closed
    expect(received).toBeGreaterThan(0)
  }
  expect(timeline.state).toBe(before)
})

test('a proposer of another database system or of an unknown timeline is refused by all', async () => {
  for (const wrong of [{ systemIdentifier: 5n }, { timelineId: '0000000000000000000000000000000f' as TimelineId }]) {
    const proposer = propose(wrong)
    const election = proposer.elect()
    election.catch(() => undefined)
    await until(() => proposer.peerStatuses().every((peer) => peer.lastError !== undefined), 'refused')
    await proposer.close()
    await expect(election).rejects.toThrow('closed')
  }
  expect(services[0]!.registry.list()[0]!.state.term).toBe(0)
})

test('a safekeeper with a lost disk takes part only after it was rebuilt from all its peers', async () => {
  const first = propose()
  await first.elect()
  const writer = new WalWriter(identity.systemIdentifier, identity.startLsn)
  await appendRecords(first, writer, 100, 3000)
  await until(
    () => services.every((each) => each!.registry.list()[0]!.state.commitLsn === writer.endLsn),
    'commit everywhere',
  )
  await stop(0)
  rmSync(join(folder, 'sk1'), { recursive: true })
  await stop(1)
  const service = await start(0)
  const openRecovery = () =>
    PeerRecovery.open({
      env,
      nodeId: 1,
      dataDirectory: join(folder, 'sk1'),
      peers: [1, 2].map((index) => ({ id: index + 1, address: { host: '127.0.0.1', port: ports[index]! } })),
      registry: service.registry,
    })
  let recovery = await openRecovery()
  try {
    await nodeClock.sleep(300)
    expect(recovery.hasJoined).toBe(false)
    await expect(recovery.create(identity)).rejects.toThrow('not yet heard')
    await start(1)
    await until(() => recovery.hasJoined, 'rebuilt')
    const rebuilt = service.registry.list()[0]!
    expect(rebuilt.state).toMatchObject({ flushLsn: writer.endLsn, term: 1 })
    expect(recovery.mayVote()).toBe(false)
    // A restart does not shorten the pause: the lost promise is as lost as before.
    await recovery.close()
    recovery = await openRecovery()
    expect(recovery.mayVote()).toBe(false)
    await appendRecords(first, writer, 10)
    await until(() => rebuilt.state.commitLsn === writer.endLsn, 'follows again')
    expect(Buffer.compare(await readAll(0, writer.endLsn), await readAll(2, writer.endLsn))).toBe(0)
  } finally {
    await recovery.close()
  }
})

test('a safekeeper with a lost disk does not join while a peer has a timeline that it cannot serve', async () => {
  const first = propose()
  await first.elect()
  const writer = new WalWriter(identity.systemIdentifier, identity.startLsn)
  await appendRecords(first, writer, 10)
  await until(
    () => services.every((each) => each!.registry.list()[0]!.state.commitLsn === writer.endLsn),
    'commit everywhere',
  )
  await first.close()
  for (const index of [0, 1]) await stop(index)
  rmSync(join(folder, 'sk1'), { recursive: true })
  const control = join(folder, 'sk2/timelines', identity.projectId, identity.timelineId, 'control')
  const good = readFileSync(control)
  writeFileSync(
    control,
    good.map((byte, i) => (i === 60 ? byte ^ 1 : byte)),
  )
  await start(1)
  const service = await start(0)
  // A hundred times as fast.
  const clock = {
    ...nodeClock,
    monotonicMs: () => nodeClock.monotonicMs() * 100,
    sleep: (delayMs: number, options?: { signal?: AbortSignal }) => nodeClock.sleep(delayMs / 100, options),
  }
  const recovery = await PeerRecovery.open({
    env: { ...env, clock },
    nodeId: 1,
    dataDirectory: join(folder, 'sk1'),
    peers: [1, 2].map((index) => ({ id: index + 1, address: { host: '127.0.0.1', port: ports[index]! } })),
    registry: service.registry,
  })
  try {
    await until(() => recovery.lastError?.includes('cannot serve') === true, 'waits')
    expect([recovery.hasJoined, service.registry.list().length]).toEqual([false, 0])
    await stop(1)
    writeFileSync(control, good)
    await start(1)
    await until(() => recovery.hasJoined, 'joined')
    expect(service.registry.list()[0]!.state).toMatchObject({ flushLsn: writer.endLsn })
  } finally {
    await recovery.close()
  }
})

test('committed segments are archived, trimmed when nobody needs them, and served from the archive', async () => {
  const proposer = propose()
  await proposer.elect()
  const writer = new WalWriter(identity.systemIdentifier, identity.startLsn)
  await appendRecords(proposer, writer, 60, 1_000_000)
  await until(
    () => services.every((each) => each!.registry.list()[0]!.state.commitLsn === writer.endLsn),
    'commit everywhere',
  )
  const before = await readAll(0, writer.endLsn)
  const timeline = services[0]!.registry.list()[0]!
  const backup = new WalBackup({
    env,
    nodeId: 1,
    registry: services[0]!.registry,
    objectStore,
    peerStatuses: () => [],
    intervalMs: 20,
    partialIdleMs: 50,
  })
  try {
    await until(() => timeline.state.backupLsn > identity.startLsn + 2 * WAL_SEGMENT_SIZE, 'archived')
    expect(timeline.oldestLocalLsn).toBe(identity.startLsn)
    timeline.learn({ remoteConsistentLsn: writer.endLsn })
    await until(() => timeline.oldestLocalLsn >= 3 * WAL_SEGMENT_SIZE, 'trimmed')
  } finally {
    await backup.close()
  }
  expect(Buffer.compare(await readAll(0, writer.endLsn), before)).toBe(0)
})
