import { afterEach, expect, test } from 'vitest'
import { StorageError } from '../base/errors.ts'
import { silentLog } from '../io/log.ts'
import type { Connection } from '../io/network.ts'
import { nodeClock } from '../io/node-clock.ts'
import { nodeNetwork } from '../io/node-network.ts'
import { ProjectId, TimelineId } from '../postgres/ids.ts'
import { Lsn } from '../postgres/lsn.ts'
import { FrameDecoder } from '../protocol/framing.ts'
import {
  decodeWalReaderMessage,
  encodeWalData,
  encodeWalServiceMessage,
  type Feedback,
  type StartWal,
  type TimelineStatus,
} from '../protocol/wal-service-messages.ts'
import { encodeRecord, placeRecord } from '../wal/record-encoder.ts'
import { RmgrId } from '../wal/rmgr-table.ts'
import { IngestHarness, TEST_SYSTEM_IDENTIFIER, u32s, YOUNG_CLUSTER } from './ingest/ingest-harness.ts'
import { Timeline } from './timeline/timeline.ts'
import { WalReceiver } from './wal-receiver.ts'

const projectId = ProjectId.parse('2'.repeat(32))
const timelineId = TimelineId.parse('1'.repeat(32))
const env = { clock: nodeClock, log: silentLog, network: nodeNetwork }
const cleanups: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

/** An empty timeline and the WAL of `count` records behind its end. */
function timelineAndWal(count: number): { timeline: Timeline; startLsn: Lsn; wal: Uint8Array; ends: Lsn[] } {
  const { storage } = new IngestHarness(YOUNG_CLUSTER)
  const startLsn = storage.lastRecordLsn
  const identity = { systemIdentifier: TEST_SYSTEM_IDENTIFIER, timeline: 1 }
  const parts: Uint8Array[] = []
  const ends: Lsn[] = []
  let prevLsn = Lsn.of(0x1000000)
  let lsn = startLsn
  for (let i = 0; i < count; i++) {
    const placed = placeRecord(
      encodeRecord({ rmid: RmgrId.xlog, info: 0x20, prevLsn, mainData: new Uint8Array(100 + i) }),
      lsn,
      identity,
    )
    parts.push(placed.bytes)
    prevLsn = placed.startLsn
    lsn = placed.endLsn
    ends.push(lsn)
  }
  const timeline = new Timeline(
    env,
    {
      projectId,
      timelineId,
      systemIdentifier: TEST_SYSTEM_IDENTIFIER,
      startLsn,
      ancestor: undefined,
      controlFile: new Uint8Array(296),
    },
    storage,
  )
  return { timeline, startLsn, wal: Buffer.concat(parts), ends }
}

/** Serves WAL up to `endLsn` and notes what it is asked. `onStart` may do something else instead. */
async function openSource(options: {
  id: number
  startLsn: Lsn
  wal: Uint8Array
  endLsn: Lsn
  onStart?: (connection: Connection) => void
}) {
  const starts: StartWal[] = []
  const feedbacks: Feedback[] = []
  const { startLsn, wal, endLsn } = options
  const listener = await nodeNetwork.listen({ host: '127.0.0.1', port: 0 }, (connection) => {
    const decoder = new FrameDecoder({
      payloadBytesMax: 1 << 20,
      onFrame: (type, payload) => {
        const message = decodeWalReaderMessage(type, payload)
        if (message.kind === 'feedback') feedbacks.push(message)
        if (message.kind !== 'start-wal') return
        starts.push(message)
        if (options.onStart) return options.onStart(connection)
        for (let lsn: number = message.startLsn; lsn < endLsn; lsn += 777) {
          const bytes = wal.subarray(lsn - startLsn, Math.min(lsn + 777, endLsn) - startLsn)
          const data = { kind: 'wal-data', startLsn: Lsn.of(lsn), commitLsn: endLsn, bytes } as const
          connection.send(encodeWalData(data), bytes)
        }
      },
    })
    connection.onData = (chunk) => decoder.push(chunk)
    connection.onClose = () => decoder.close()
  })
  cleanups.push(() => listener.close())
  if (!('port' in listener.address)) throw new Error('not a tcp listener')
  const status: TimelineStatus = {
    kind: 'timeline-status',
    nodeId: options.id,
    projectId,
    timelineId,
    systemIdentifier: TEST_SYSTEM_IDENTIFIER,
    startLsn,
    term: 1,
    lastLogTerm: 1,
    flushLsn: endLsn,
    commitLsn: endLsn,
    backupLsn: startLsn,
    remoteConsistentLsn: Lsn.zero,
  }
  return { safekeeper: { id: options.id, ...listener.address }, status, starts, feedbacks }
}

function startReceiver(
  timeline: Timeline,
  safekeepers: { id: number; host: string; port: number }[],
  archive?: ConstructorParameters<typeof WalReceiver>[0]['archive'],
) {
  const receiver = new WalReceiver({
    env,
    timeline,
    safekeepers,
    brokenRetryMs: 50,
    ...(archive ? { archive } : {}),
  })
  cleanups.push(() => receiver.stop())
  receiver.start()
  return receiver
}

test('wal is read from the safekeeper with the greatest commit LSN, once, and feedback tells how far it came', async () => {
  const { timeline, startLsn, wal, ends } = timelineAndWal(200)
  const behind = await openSource({ id: 1, startLsn, wal, endLsn: ends[50]! })
  const ahead = await openSource({ id: 2, startLsn, wal, endLsn: ends[199]! })
  const receiver = startReceiver(timeline, [behind.safekeeper, ahead.safekeeper])
  // Nothing is asked before a status says that there is something.
  receiver.onStatus({ ...behind.status, commitLsn: startLsn })
  receiver.onStatus(ahead.status)
  receiver.onStatus(behind.status)
  await timeline.waitForLsn(ends[199]!, 10_000)
  expect([behind.starts.length, ahead.starts.length]).toEqual([0, 1])
  expect(ahead.starts[0]).toMatchObject({ startLsn, upTo: 'commit' })
  await expect.poll(() => ahead.feedbacks.at(-1)?.lastRecordLsn, { timeout: 60_000 }).toBe(ends[199]!)
})

test('when a stream breaks, another safekeeper goes on from the last record', async () => {
  const { timeline, startLsn, wal, ends } = timelineAndWal(100)
  const breaking = await openSource({
    id: 1,
    startLsn,
    wal,
    endLsn: ends[99]!,
    onStart: (connection) => {
      // Half a record too much, then gone.
      const bytes = wal.subarray(0, ends[40]! - startLsn + 30)
      connection.send(encodeWalData({ kind: 'wal-data', startLsn, commitLsn: ends[99]!, bytes }), bytes)
      connection.end()
    },
  })
  const good = await openSource({ id: 2, startLsn, wal, endLsn: ends[98]! })
  const receiver = startReceiver(timeline, [breaking.safekeeper, good.safekeeper])
  receiver.onStatus(breaking.status)
  await timeline.waitForLsn(ends[40]!, 10_000)
  receiver.onStatus(good.status)
  await timeline.waitForLsn(ends[98]!, 10_000)
  expect(good.starts[0]!.startLsn).toBe(ends[40]!)
})

test('wal of another cluster is never asked for', async () => {
  const { timeline, startLsn, wal, ends } = timelineAndWal(3)
  const foreign = await openSource({ id: 1, startLsn, wal, endLsn: ends[2]! })
  const own = await openSource({ id: 2, startLsn, wal, endLsn: ends[1]! })
  const receiver = startReceiver(timeline, [foreign.safekeeper, own.safekeeper])
  receiver.onStatus({ ...foreign.status, systemIdentifier: 5n })
  receiver.onStatus(own.status)
  await timeline.waitForLsn(ends[1]!, 10_000)
  expect(foreign.starts).toEqual([])
})

test('wal that the safekeepers no longer hold comes from the archive', async () => {
  const { timeline, startLsn, wal, ends } = timelineAndWal(30)
  const trimmed = await openSource({
    id: 1,
    startLsn,
    wal,
    endLsn: ends[29]!,
    onStart: (connection) => {
      connection.send(encodeWalServiceMessage({ kind: 'error', code: 'not-found', message: 'wal is trimmed' }))
      connection.end()
    },
  })
  const receiver = startReceiver(timeline, [trimmed.safekeeper], {
    async *read(_timeline, lsn) {
      yield { lsn, bytes: wal.subarray(lsn - startLsn, ends[20]! - startLsn) }
    },
  })
  receiver.onStatus(trimmed.status)
  await timeline.waitForLsn(ends[20]!, 10_000)
  expect(timeline.lastRecordLsn).toBe(ends[20]!)
})

test('damaged wal of one safekeeper is read from another', async () => {
  const { timeline, startLsn, wal, ends } = timelineAndWal(30)
  const damaged = Uint8Array.from(wal)
  damaged[ends[10]! - startLsn + 40]! ^= 1
  const bad = await openSource({ id: 1, startLsn, wal: damaged, endLsn: ends[29]! })
  const good = await openSource({ id: 2, startLsn, wal, endLsn: ends[29]! })
  const receiver = startReceiver(timeline, [bad.safekeeper, good.safekeeper])
  receiver.onStatus(bad.status)
  await timeline.waitForLsn(ends[9]!, 10_000)
  receiver.onStatus(good.status)
  await timeline.waitForLsn(ends[29]!, 10_000)
  expect(timeline.state.kind).toBe('active')
})

test('wal damaged on every safekeeper breaks the timeline, which goes on answering for what it has', async () => {
  const { timeline, startLsn, wal, ends } = timelineAndWal(30)
  const damaged = Uint8Array.from(wal)
  damaged[ends[10]! - startLsn + 40]! ^= 1
  const source = await openSource({ id: 1, startLsn, wal: damaged, endLsn: ends[29]! })
  const receiver = startReceiver(timeline, [source.safekeeper])
  receiver.onStatus(source.status)
  await expect(timeline.waitForLsn(ends[29]!, 10_000)).rejects.toThrow(/checksum|length|link/)
  expect(timeline.state.kind).toBe('broken')
  await timeline.waitForLsn(startLsn, 0)
})

test('a broken timeline goes on when a whole copy of the wal turns up, and says so in its state', async () => {
  const { timeline, startLsn, wal, ends } = timelineAndWal(30)
  const damaged = Uint8Array.from(wal)
  damaged[ends[10]! - startLsn + 40]! ^= 1
  const bad = await openSource({ id: 1, startLsn, wal: damaged, endLsn: ends[29]! })
  const good = await openSource({ id: 2, startLsn, wal, endLsn: ends[28]! })
  const receiver = startReceiver(timeline, [bad.safekeeper, good.safekeeper])
  receiver.onStatus(bad.status)
  await expect(timeline.waitForLsn(ends[20]!, 10_000)).rejects.toThrow(/ingest stopped/)
  expect(timeline.state.kind).toBe('broken')
  receiver.onStatus(good.status)
  while (timeline.state.kind === 'broken') await nodeClock.sleep(10)
  await timeline.waitForLsn(ends[28]!, 10_000)
  expect(timeline.lastRecordLsn).toBeGreaterThanOrEqual(ends[28]!)
})

test('wal damaged on the safekeepers is taken from the archive', async () => {
  const { timeline, startLsn, wal, ends } = timelineAndWal(30)
  const damaged = Uint8Array.from(wal)
  damaged[ends[10]! - startLsn + 40]! ^= 1
  const bad = await openSource({ id: 1, startLsn, wal: damaged, endLsn: ends[29]! })
  const receiver = startReceiver(timeline, [bad.safekeeper], {
    async *read(_timeline, lsn) {
      yield { lsn, bytes: wal.subarray(lsn - startLsn) }
    },
  })
  receiver.onStatus(bad.status)
  await timeline.waitForLsn(ends[29]!, 10_000)
  expect(timeline.state.kind).toBe('active')
})

test('a file copy that fails halfway is done again from its start', async () => {
  const { timeline, startLsn } = timelineAndWal(0)
  const { storage } = timeline
  const identity = { systemIdentifier: TEST_SYSTEM_IDENTIFIER, timeline: 1 }
  const block = { id: 0, spcOid: 1663, dbOid: 5, relNumber: 16384, blockNumber: 200 }
  const image = { bytes: new Uint8Array(8192).fill(7), info: 0x02 }
  const records = [
    { rmid: RmgrId.xlog, info: 0xb0, blocks: [{ ...block, image }] },
    // CREATE DATABASE 6 from 5, which has 201 blocks: more than are read at once.
    { rmid: RmgrId.database, info: 0x00, mainData: u32s(6, 1663, 5, 1663) },
  ]
  const parts: Uint8Array[] = []
  let prevLsn = Lsn.of(0x1000000)
  let lsn = startLsn
  for (const record of records) {
    const placed = placeRecord(encodeRecord({ ...record, prevLsn }), lsn, identity)
    parts.push(placed.bytes)
    prevLsn = placed.startLsn
    lsn = placed.endLsn
  }
  const wal = Buffer.concat(parts)
  const collect = storage.collect.bind(storage)
  let readsLeft = 2
  storage.collect = (keys, count, at) => {
    if (count > 1 && --readsLeft === 0) return Promise.reject(new StorageError('unavailable', 'no answer'))
    return collect(keys, count, at)
  }
  const source = async function* () {
    yield { lsn: startLsn, bytes: wal }
  }
  await expect(timeline.ingestFrom(source())).rejects.toThrow('no answer')
  const rest = async function* () {
    yield { lsn: timeline.lastRecordLsn, bytes: wal.subarray(timeline.lastRecordLsn - startLsn) }
  }
  await timeline.ingestFrom(rest())
  expect(timeline.lastRecordLsn).toBe(lsn)
  const copied = { spcOid: 1663, dbOid: 6, relNumber: 16384, fork: 0, firstBlock: 200, blockCount: 1 }
  expect((await timeline.getPages(copied, lsn)).pages[0]![100]).toBe(7)
})
