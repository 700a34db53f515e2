import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { initDataDir, makePostgresTempDir } from '../../test/postgres-fixture.ts'
import { isStorageError } from '../base/errors.ts'
import type { Env } from '../io/env.ts'
import { silentLog } from '../io/log.ts'
import { noMetrics } from '../io/metrics.ts'
import type { Connection, Listener } from '../io/network.ts'
import { nodeClock } from '../io/node-clock.ts'
import { nodeDisk } from '../io/node-disk.ts'
import { nodeNetwork } from '../io/node-network.ts'
import { nodeRandom } from '../io/node-random.ts'
import { openLocalObjectStore } from '../object-store/local-object-store.ts'
import { hexId, ProjectId, TimelineId } from '../postgres/ids.ts'
import { Lsn } from '../postgres/lsn.ts'
import { type GetPagesRequest, isSameRequest } from '../protocol/block-run-messages.ts'
import { decodeBootBundle } from '../protocol/boot-bundle.ts'
import { encodeFrame, FrameDecoder } from '../protocol/framing.ts'
import {
  decodePageServiceResponse,
  encodePageServiceRequest,
  type PageServiceRequest,
  type PageServiceResponse,
} from '../protocol/page-service-messages.ts'
import { PageStatus } from '../protocol/status-pages.ts'
import { encodeRecord, placeRecord, type RecordParts } from '../wal/record-encoder.ts'
import { RmgrId } from '../wal/rmgr-table.ts'
import { fields } from './ingest/ingest-harness.ts'
import { materializeValue } from './materialize-value.ts'
import { openPageService } from './page-service.ts'
import { type PageServerOptions, PageServerService } from './pageserver-service.ts'
import { formatPostgresTime } from './timeline/postgres-time.ts'
import { recordPositionAt } from './timeline/record-position.ts'
import { openInlineUpkeepWorkers } from './upkeep/inline-workers.ts'

/** Commits of these tests carry times of 2028; garbage collection looks back from later. */
let yearsAhead = 0
const clock = {
  ...nodeClock,
  nowMs: () => nodeClock.nowMs() + yearsAhead * 365 * 86_400_000,
  monotonicMs: () => nodeClock.monotonicMs() + yearsAhead * 365 * 86_400_000,
}
const env: Env = {
  clock,
  random: nodeRandom,
  disk: nodeDisk,
  network: nodeNetwork,
  log: silentLog,
  metrics: noMetrics,
}
const REL = { spcOid: 1663, dbOid: 5, relNumber: 50_000, fork: 0 }
const newTimelineId = () => TimelineId.parse(hexId(nodeRandom.bytes(16)))

let folder: string
let service: PageServerService
let listener: Listener
let options: PageServerOptions
/** Of all relation files that initdb made, all forks, as the file system says. */
let initdbRelationBytes = 0
const projectId = ProjectId.parse(hexId(nodeRandom.bytes(16)))
const rootId = newTimelineId()

beforeAll(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tributary-pageserver-'))
  options = {
    env,
    objectStore: await openLocalObjectStore({ folder: path.join(folder, 'objects') }),
    workers: openInlineUpkeepWorkers(nodeDisk, materializeValue),
    directory: path.join(folder, 'cache'),
    safekeepers: [],
    async initdb(directory) {
      const made = makePostgresTempDir('tributary-initdb-')
      await initDataDir(path.join(made, 'data'))
      fs.cpSync(path.join(made, 'data'), directory, { recursive: true })
      initdbRelationBytes = relationBytes(path.join(made, 'data'))
      fs.rmSync(made, { recursive: true })
    },
  }
  service = await PageServerService.open(options)
  await service.createProject({ projectId, timelineId: rootId })
  listener = await openPageService({
    env,
    address: { host: '127.0.0.1', port: 0 },
    timeline: (project, timeline) => service.timeline(project, timeline),
  })
})

afterAll(async () => {
  await listener?.close()
  await service?.close()
  fs.rmSync(folder, { recursive: true, force: true })
})

function relationBytes(dataDir: string): number {
  const files = fs.readdirSync(dataDir, { recursive: true, encoding: 'utf8' })
  const relations = files.filter((file) => /^(base\/\d+|global)\/\d+(_[a-z]+)?(\.\d+)?$/.test(file))
  return relations.reduce((sum, file) => sum + fs.statSync(path.join(dataDir, file)).size, 0)
}

/** Appends a record to a timeline, as a SafeKeeper would deliver it. Returns its end LSN. */
async function append(timelineId: TimelineId, parts: Omit<RecordParts, 'prevLsn'>): Promise<Lsn> {
  const timeline = service.timeline(projectId, timelineId)
  const lsn = timeline.lastRecordLsn
  const { startLsn: prevLsn } = await recordPositionAt(timeline.storage, lsn)
  const identity = { systemIdentifier: timeline.identity.systemIdentifier, timeline: 1 }
  const placed = placeRecord(encodeRecord({ ...parts, prevLsn }), lsn, identity)
  await timeline.ingestFrom(
    (async function* () {
      yield { lsn, bytes: placed.bytes }
    })(),
  )
  return placed.endLsn
}

/** Block `blockNumber` becomes a page filled with `byte`. */
function writePage(timelineId: TimelineId, blockNumber: number, byte: number): Promise<Lsn> {
  const image = { bytes: new Uint8Array(8192).fill(byte), info: 0x02 }
  return append(timelineId, { rmid: RmgrId.xlog, info: 0xb0, blocks: [{ id: 0, ...REL, blockNumber, image }] })
}

function commit(timelineId: TimelineId, time: number): Promise<Lsn> {
  return append(timelineId, { rmid: RmgrId.xact, info: 0x00, xid: 800, mainData: fields([8, time]) })
}

async function readByte(timelineId: TimelineId, blockNumber: number, lsn?: Lsn): Promise<number | undefined> {
  const timeline = service.timeline(projectId, timelineId)
  const { pages } = await timeline.getPages(
    { ...REL, firstBlock: blockNumber, blockCount: 1 },
    lsn ?? timeline.lastRecordLsn,
  )
  return pages[0]?.[4000]
}

function branch(ancestorTimelineId: TimelineId, at?: { lsn: string } | { time: string }) {
  return service.createBranch({ projectId, timelineId: newTimelineId(), ancestorTimelineId, ...(at ? { at } : {}) })
}

async function failureOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => error,
  )
}

test('making a project again gives the same one; another root timeline is a conflict', async () => {
  const first = await service.getTimeline(projectId, rootId)
  expect(await service.createProject({ projectId, timelineId: rootId })).toEqual(first)
  expect(
    isStorageError(await failureOf(service.createProject({ projectId, timelineId: newTimelineId() })), 'conflict'),
  ).toBe(true)
})

test('the logical size of a timeline is the size of its relation files, all forks, and counts what a branch adds to it', async () => {
  const child = await branch(rootId)
  const size = async () => (await service.getTimeline(projectId, child.timelineId)).logicalSizeBytes
  expect(await size()).toBeNull()
  // The first write past the end makes all blocks before it.
  await writePage(child.timelineId, 4, 1)
  expect(initdbRelationBytes).toBeGreaterThan(1 << 20)
  expect(await size()).toBe(initdbRelationBytes + 5 * 8192)
  await writePage(child.timelineId, 4, 2)
  expect(await size()).toBe(initdbRelationBytes + 5 * 8192)
  await writePage(child.timelineId, 5, 1)
  expect(await size()).toBe(initdbRelationBytes + 6 * 8192)
})

test('a branch sees its parent up to the branch point; neither sees what the other writes after it', async () => {
  await writePage(rootId, 0, 1)
  const tip = await writePage(rootId, 1, 2)
  const child = await branch(rootId)
  expect(child.ancestorLsn).toBe(Lsn.format(tip))
  await writePage(rootId, 0, 3)
  await writePage(child.timelineId, 1, 4)
  expect([await readByte(child.timelineId, 0), await readByte(child.timelineId, 1)]).toEqual([1, 4])
  expect([await readByte(rootId, 0), await readByte(rootId, 1)]).toEqual([3, 2])
  const grandchild = await branch(child.timelineId)
  await writePage(child.timelineId, 0, 9)
  expect([await readByte(grandchild.timelineId, 0), await readByte(grandchild.timelineId, 1)]).toEqual([1, 4])
  expect(isStorageError(await failureOf(service.deleteTimeline(projectId, child.timelineId)), 'conflict')).toBe(true)
  await service.deleteTimeline(projectId, grandchild.timelineId)
  await service.deleteTimeline(projectId, child.timelineId)
  expect(isStorageError(await failureOf(service.getTimeline(projectId, child.timelineId)), 'not-found')).toBe(true)
  expect(await readByte(rootId, 0)).toBe(3)
})

test('a branch at an LSN begins at the end of the last record before it', async () => {
  const before = await writePage(rootId, 2, 1)
  const after = await writePage(rootId, 2, 2)
  const inside = await branch(rootId, { lsn: Lsn.format(Lsn.of(after - 8)) })
  expect(inside.startLsn).toBe(Lsn.format(before))
  expect(await readByte(inside.timelineId, 2)).toBe(1)
  expect((await branch(rootId, { lsn: Lsn.format(after) })).startLsn).toBe(Lsn.format(after))
})

test('a branch of a branch at an LSN before the branch point hangs from the timeline that wrote it', async () => {
  const early = await writePage(rootId, 3, 1)
  await writePage(rootId, 3, 2)
  const child = await branch(rootId)
  await writePage(child.timelineId, 3, 3)
  const back = await branch(child.timelineId, { lsn: Lsn.format(early) })
  expect(back.ancestorTimelineId).toBe(rootId)
  expect(await readByte(back.timelineId, 3)).toBe(1)
})

test('a branch at a time holds the last commit at or before it, to the microsecond', async () => {
  const timeBase = 9e14
  const first = await commit(rootId, timeBase)
  await writePage(rootId, 4, 1)
  const second = await commit(rootId, timeBase + 10)
  await writePage(rootId, 4, 2)
  await commit(rootId, timeBase + 20)
  const at = async (time: number) => (await branch(rootId, { time: formatPostgresTime(time) })).startLsn
  expect(await at(timeBase)).toBe(Lsn.format(first))
  expect(await at(timeBase + 9)).toBe(Lsn.format(first))
  expect(await at(timeBase + 10)).toBe(Lsn.format(second))
  expect(await service.lsnAtTime(projectId, rootId, formatPostgresTime(timeBase + 19))).toEqual({
    kind: 'exact',
    lsn: Lsn.format(second),
    commitTime: formatPostgresTime(timeBase + 10),
  })
  expect((await service.lsnAtTime(projectId, rootId, formatPostgresTime(timeBase + 21))).kind).toBe('future')
  expect((await service.lsnAtTime(projectId, rootId, '2001-01-01T00:00:00Z')).kind).toBe('past')
})

test('a branch before the history, or with words that are no LSN and no time, is refused and names the field', async () => {
  const failures = await Promise.all([
    failureOf(branch(rootId, { lsn: '0/10' })),
    failureOf(branch(rootId, { lsn: 'zero' })),
    failureOf(branch(rootId, { time: 'yesterday' })),
    failureOf(branch(rootId, { time: '2001-01-01T00:00:00Z' })),
  ])
  for (const failure of failures) expect(isStorageError(failure, 'invalid-input')).toBe(true)
})

test('a pageserver with an empty folder comes back from object storage with the same pages', async () => {
  await writePage(rootId, 5, 77)
  const child = await branch(rootId)
  await writePage(child.timelineId, 5, 78)
  for (const timelineId of [rootId, child.timelineId]) await service.runUpkeep(projectId, timelineId, ['flush'])
  await service.close()
  fs.rmSync(options.directory, { recursive: true })
  service = await PageServerService.open(options)
  expect([await readByte(rootId, 5), await readByte(child.timelineId, 5)]).toEqual([77, 78])
  await writePage(rootId, 5, 79)
  expect([await readByte(rootId, 5), await readByte(child.timelineId, 5)]).toEqual([79, 78])
})

test('upkeep changes no page at any LSN that may be read', async () => {
  const lsns: Lsn[] = []
  for (let i = 0; i < 20; i++) lsns.push(await writePage(rootId, 6, 100 + i))
  const read = () => Promise.all(lsns.map((lsn) => readByte(rootId, 6, lsn)))
  const before = await read()
  await service.runUpkeep(projectId, rootId, ['flush', 'compact', 'images', 'gc'])
  expect(await read()).toEqual(before)
  expect((await service.layerMap(projectId, rootId)).length).toBeGreaterThan(0)
})

test('a boot bundle is exact to a record end, and names the one before an LSN inside a record', async () => {
  const lsn = await commit(rootId, 9.1e14)
  const { header } = decodeBootBundle(await service.bootBundle(projectId, rootId, lsn, 1000))
  expect(header).toMatchObject({ lsn: Lsn.format(lsn), checkpoint: { nextXid: '801', isShutdown: false } })
  const failure = await failureOf(service.bootBundle(projectId, rootId, Lsn.of(lsn - 8), 1000))
  expect(isStorageError(failure, 'invalid-input')).toBe(true)
  expect(String(failure)).toContain('recordEndLsn')
})

/** A client that keeps what it is sent. */
async function connect(): Promise<{
  connection: Connection
  next: () => Promise<PageServiceResponse | 'closed'>
  send: (request: PageServiceRequest) => void
}> {
  if (!('port' in listener.address)) throw new Error('not a tcp listener')
  const connection = await nodeNetwork.connect(listener.address, { timeoutMs: 1000 })
  const received: (PageServiceResponse | 'closed')[] = []
  const waiting: ((response: PageServiceResponse | 'closed') => void)[] = []
  const take = (response: PageServiceResponse | 'closed') => {
    const waiter = waiting.shift()
    if (waiter) waiter(response)
    else received.push(response)
  }
  const decoder = new FrameDecoder({
    payloadBytesMax: 2 << 20,
    onFrame: (_type, payload) => take(decodePageServiceResponse(payload.slice())),
  })
  connection.onData = (chunk) => decoder.push(chunk)
  connection.onClose = () => take('closed')
  return {
    connection,
    next: () =>
      new Promise((resolve) => {
        const response = received.shift()
        if (response) resolve(response)
        else waiting.push(resolve)
      }),
    send: (request) => {
      const payload = encodePageServiceRequest(request)
      connection.send(encodeFrame(payload[0]!, payload))
    },
  }
}

const hello = (timelineId = rootId): PageServiceRequest => ({ kind: 'hello', version: 1, projectId, timelineId })
const getPages = (lsn: Lsn, more: Partial<GetPagesRequest> = {}): GetPagesRequest => ({
  kind: 'get-pages',
  requestId: 1,
  lsn,
  ...REL,
  firstBlock: 0,
  blockCount: 2,
  ...more,
})

test('pages come back over tcp with the whole request; blocks beyond the end say so', async () => {
  const client = await connect()
  client.send(hello())
  expect(await client.next()).toMatchObject({
    kind: 'welcome',
    systemIdentifier: service.timeline(projectId, rootId).identity.systemIdentifier,
  })
  const lsn = service.timeline(projectId, rootId).lastRecordLsn
  const request = getPages(lsn, { requestId: 77, firstBlock: 6, blockCount: 3 })
  client.send(request)
  const response = await client.next()
  if (response === 'closed' || response.kind !== 'pages') throw new Error('no pages')
  expect(isSameRequest(response.request, request)).toBe(true)
  expect([...response.statuses]).toEqual([PageStatus.page, PageStatus.beyondEnd, PageStatus.beyondEnd])
  client.send({ kind: 'relation-sizes', requestId: 3, lsn, relations: [REL, { ...REL, relNumber: 1 }] })
  expect(await client.next()).toMatchObject({ kind: 'sizes', blockCounts: [7, undefined] })
  client.connection.end()
})

test('a request for a future LSN is answered once it is ingested; others overtake it', async () => {
  const client = await connect()
  client.send(hello())
  await client.next()
  const { lastRecordLsn } = service.timeline(projectId, rootId)
  client.send(getPages(Lsn.of(lastRecordLsn + 100), { requestId: 1, firstBlock: 6, blockCount: 1 }))
  client.send(getPages(lastRecordLsn, { requestId: 2, firstBlock: 6, blockCount: 1 }))
  expect(await client.next()).toMatchObject({ kind: 'pages', request: { requestId: 2 } })
  await writePage(rootId, 6, 55)
  const late = await client.next()
  if (late === 'closed' || late.kind !== 'pages') throw new Error('no pages')
  expect(late.request.requestId).toBe(1)
  client.connection.end()
})

test('garbage, a request before hello and an unknown timeline get an error and a closed connection', async () => {
  const garbage = await connect()
  garbage.connection.send(Buffer.from('GET / HTTP/1.1\r\n\r\n and more bytes that are no frame'))
  expect(await garbage.next()).toMatchObject({ kind: 'error', code: 'corruption' })
  expect(await garbage.next()).toBe('closed')
  const early = await connect()
  early.send(getPages(Lsn.of(100)))
  expect(await early.next()).toMatchObject({ kind: 'error', code: 'invalid-input' })
  expect(await early.next()).toBe('closed')
  const unknown = await connect()
  unknown.send(hello(newTimelineId()))
  expect(await unknown.next()).toMatchObject({ kind: 'error', code: 'not-found' })
  expect(await unknown.next()).toBe('closed')
  expect(await readByte(rootId, 5)).toBe(79)
})

test('an LSN below the gc cutoff is refused over tcp with the request; a lease keeps it readable', async () => {
  // The newest commit is long ago then, so the whole history but the tip is out of the window.
  yearsAhead = 5
  const lsn = await writePage(rootId, 7, 1)
  const leased = await writePage(rootId, 7, 2)
  await service.leaseLsn({ projectId, timelineId: rootId, leaseId: 'l', lsn: Lsn.format(leased), seconds: 60 })
  await writePage(rootId, 7, 3)
  await commit(rootId, 9.2e14)
  await service.setPitrWindow(projectId, 0)
  await service.runUpkeep(projectId, rootId, ['flush', 'gc'])
  expect(Lsn.parse((await service.getTimeline(projectId, rootId)).gcCutoffLsn)).toBeGreaterThan(leased)
  expect(await readByte(rootId, 7)).toBe(3)
  expect(await readByte(rootId, 7, leased)).toBe(2)
  const client = await connect()
  client.send(hello())
  await client.next()
  const request = getPages(lsn, { firstBlock: 7, blockCount: 1 })
  client.send(request)
  expect(await client.next()).toMatchObject({ kind: 'error', request })
  client.connection.end()
})

test('the gc cutoff is the last commit before the restore window; it follows a shorter one over a restart, and never moves back', async () => {
  const hour = 3600e6
  const base = 9.3e14
  yearsAhead = 5
  const commits: Lsn[] = []
  for (let i = 0; i < 3; i++) {
    await writePage(rootId, 7, 10 + i)
    commits.push(await commit(rootId, base + i * hour))
  }
  const [first, second, third] = commits as [Lsn, Lsn, Lsn]
  /** A window that begins half an hour after a commit. */
  const beginAfter = (i: number) =>
    service.setPitrWindow(
      projectId,
      clock.nowMs() / 1000 - (Date.UTC(2000, 0, 1) / 1000 + (base + (i + 0.5) * hour) / 1e6),
    )
  const cutoff = async () => {
    await service.runUpkeep(projectId, rootId, ['flush', 'gc'])
    return (await service.getTimeline(projectId, rootId)).gcCutoffLsn
  }
  await beginAfter(0)
  expect(await cutoff()).toBe(Lsn.format(first))
  expect(await Promise.all([first, second, third].map((lsn) => readByte(rootId, 7, lsn)))).toEqual([10, 11, 12])
  await beginAfter(1)
  await service.close()
  service = await PageServerService.open(options)
  expect(await cutoff()).toBe(Lsn.format(second))
  expect(isStorageError(await failureOf(readByte(rootId, 7, first)), 'not-found')).toBe(true)
  expect(await readByte(rootId, 7, second)).toBe(11)
  await beginAfter(0)
  expect(await cutoff()).toBe(Lsn.format(second))
})
