import { expect, test } from 'vitest'
import { isStorageError } from '../../base/errors.ts'
import { Lsn } from '../../postgres/lsn.ts'
import { Fork } from '../../postgres/relation.ts'
import { transactionStatus } from '../../redo/slru-page.ts'
import { RmgrId } from '../../wal/rmgr-table.ts'
import { decodeKey, KeyKind, KeyScratch, Slru } from '../key.ts'
import { kindRange } from '../keyspace.ts'
import { recordPositionAt } from '../timeline/record-position.ts'
import { commitAtOrBefore } from '../timeline/time-index.ts'
import type { ClusterState } from './cluster-state.ts'
import { fields, filledImage, IngestHarness, TEST_DB, TEST_SPC, u32s, YOUNG_CLUSTER } from './ingest-harness.ts'

const REL = 16384
const key = new KeyScratch()

/** Of a cluster whose xids have wrapped twice. */
function state(changes: Partial<ClusterState> = {}): ClusterState {
  return { ...YOUNG_CLUSTER, nextXidEpoch: 2, nextMultiOffset: 1, ...changes }
}

/** A heap of `blocks` blocks, and a visibility map of `mapBlocks` with every bit set. */
function withHeap(blocks: number, mapBlocks: number, fsmBlocks = 0): IngestHarness {
  return new IngestHarness(state(), (writer) => {
    for (let block = 0; block < blocks; block++)
      writer.copiedBlock(TEST_SPC, TEST_DB, REL, Fork.main, block, filledImage(0))
    writer.setForkSize(TEST_SPC, TEST_DB, REL, Fork.main, blocks)
    for (const [fork, count] of [
      [Fork.vm, mapBlocks],
      [Fork.fsm, fsmBlocks],
    ] as const) {
      for (let block = 0; block < count; block++)
        writer.copiedBlock(TEST_SPC, TEST_DB, REL, fork, block, filledImage(255))
      if (count > 0) writer.setForkSize(TEST_SPC, TEST_DB, REL, fork, count)
    }
  })
}

const block = (blockNumber: number, more: { id?: number; fork?: number; relNumber?: number } = {}) => ({
  id: 0,
  spcOid: TEST_SPC,
  dbOid: TEST_DB,
  relNumber: REL,
  blockNumber,
  ...more,
})
const image = (byte: number) => ({ bytes: new Uint8Array(8192).fill(byte), info: 0x02 })
const mapBits = (harness: IngestHarness, heapBlock: number) =>
  (harness.page(REL, Fork.vm, Math.floor(heapBlock / 32672))[24 + ((heapBlock % 32672) >> 2)]! >>
    ((heapBlock & 3) * 2)) &
  3

test('xlog full-page image: the page as logged with pd_lsn at the end of the record', async () => {
  const harness = withHeap(0, 0)
  const lsn = await harness.append({ rmid: RmgrId.xlog, info: 0xb0, blocks: [{ ...block(0), image: image(7) }] })
  const page = harness.page(REL, 0, 0)
  expect(page[100]).toBe(7)
  expect(new DataView(page.buffer).getUint32(4, true)).toBe(lsn)
  expect(harness.size(REL)).toBe(1)
})

test('xlog hint image without an image changes nothing', async () => {
  const harness = withHeap(2, 0)
  await harness.append({ rmid: RmgrId.xlog, info: 0xa0, blocks: [block(1)] })
  expect(harness.storage.versions(key.relationBlock(TEST_SPC, TEST_DB, REL, 0, 1))).toHaveLength(1)
})

test('a block beyond the end grows the fork, and the blocks between are zeros, whatever their order in the record', async () => {
  const harness = withHeap(1, 0)
  const before = harness.lsn
  await harness.append({
    rmid: RmgrId.xlog,
    info: 0xb0,
    blocks: [
      { ...block(5), image: image(5) },
      { ...block(3, { id: 1 }), image: image(3) },
    ],
  })
  expect(harness.size(REL)).toBe(6)
  expect(harness.size(REL, 0, before)).toBe(1)
  expect([1, 2, 3, 4, 5].map((number) => harness.page(REL, 0, number)[100])).toEqual([0, 0, 3, 0, 5])
})

test('heap insert, delete, multi-insert: both visibility bits of the block are cleared though the record does not name the map', async () => {
  const cases = [
    { rmid: RmgrId.heap, info: 0x00, mainData: fields([2, 1], [1, 0x01]) },
    { rmid: RmgrId.heap, info: 0x10, mainData: fields([4, 1], [2, 1], [1, 0], [1, 0x01]) },
    { rmid: RmgrId.heap2, info: 0x50, mainData: fields([1, 0x01], [1, 0], [2, 1], [2, 1]) },
  ]
  for (const record of cases) {
    const harness = withHeap(10, 1)
    const lsn = await harness.append({ ...record, xid: 750, blocks: [block(6)] })
    expect([5, 6, 7].map((number) => mapBits(harness, number))).toEqual([3, 0, 3])
    expect(new DataView(harness.page(REL, Fork.vm, 0).buffer).getUint32(4, true)).toBe(lsn)
  }
})

test('heap lock and lock-updated clear only the all-frozen bit', async () => {
  for (const record of [
    { rmid: RmgrId.heap, info: 0x60 },
    { rmid: RmgrId.heap2, info: 0x60 },
  ]) {
    const harness = withHeap(10, 1)
    await harness.append({
      ...record,
      xid: 750,
      mainData: fields([4, 1], [2, 1], [1, 0], [1, 0x01]),
      blocks: [block(6)],
    })
    expect(mapBits(harness, 6)).toBe(1)
  }
})

test('heap update clears the bits of both pages: one change when they share a map page, two when they do not', async () => {
  const mainData = fields([4, 1], [2, 1], [1, 0], [1, 0x03], [4, 0], [2, 1])
  const same = withHeap(10, 1)
  await same.append({ rmid: RmgrId.heap, info: 0x20, xid: 750, mainData, blocks: [block(6), block(2, { id: 1 })] })
  expect([2, 3, 6].map((number) => mapBits(same, number))).toEqual([0, 3, 0])
  const far = withHeap(32680, 2)
  await far.append({ rmid: RmgrId.heap, info: 0x20, xid: 750, mainData, blocks: [block(32675), block(2, { id: 1 })] })
  expect([2, 3, 32675, 32676].map((number) => mapBits(far, number))).toEqual([0, 3, 0, 3])
})

test('a clear of a map page that does not exist is left out', async () => {
  const harness = withHeap(10, 0)
  await harness.append({
    rmid: RmgrId.heap,
    info: 0x00,
    xid: 750,
    mainData: fields([2, 1], [1, 0x01]),
    blocks: [block(6)],
  })
  expect(harness.size(REL, Fork.vm)).toBeUndefined()
})

test('storage create makes an empty fork, once', async () => {
  const harness = withHeap(3, 0)
  await harness.append({ rmid: RmgrId.smgr, info: 0x10, mainData: u32s(TEST_SPC, TEST_DB, 17000, 3) })
  expect(harness.size(17000, Fork.init)).toBe(0)
  await harness.append({ rmid: RmgrId.smgr, info: 0x10, mainData: u32s(TEST_SPC, TEST_DB, REL, 0) })
  expect(harness.size(REL)).toBe(3)
})

test('storage truncate cuts the heap, and clears the tail of the last map and free-space pages', async () => {
  const harness = withHeap(40_000, 2, 13)
  await harness.append({ rmid: RmgrId.smgr, info: 0x20, mainData: u32s(10, TEST_SPC, TEST_DB, REL, 7) })
  expect([harness.size(REL), harness.size(REL, Fork.vm), harness.size(REL, Fork.fsm)]).toEqual([10, 1, 3])
  expect([8, 9, 10, 11, 500].map((number) => mapBits(harness, number))).toEqual([3, 3, 0, 0, 0])
  // Slot 9 is the last one left; slot 10 is gone. Leaves begin behind header, next slot and 4095 inner nodes.
  const leaf = harness.page(REL, Fork.fsm, 2)
  expect([leaf[28 + 4095 + 9], leaf[28 + 4095 + 10]]).toEqual([255, 0])
})

test('storage truncate at a map page boundary drops the map pages behind it and touches no bits', async () => {
  const harness = withHeap(40_000, 2)
  await harness.append({ rmid: RmgrId.smgr, info: 0x20, mainData: u32s(32672, TEST_SPC, TEST_DB, REL, 3) })
  expect(harness.size(REL, Fork.vm)).toBe(1)
  expect(harness.storage.versions(key.relationBlock(TEST_SPC, TEST_DB, REL, Fork.vm, 0))).toHaveLength(1)
})

test('a block read again after truncate and growth starts from zeros, not from its old content', async () => {
  const harness = withHeap(1, 0)
  await harness.append({ rmid: RmgrId.xlog, info: 0xb0, blocks: [{ ...block(2), image: image(9) }] })
  await harness.append({ rmid: RmgrId.smgr, info: 0x20, mainData: u32s(1, TEST_SPC, TEST_DB, REL, 7) })
  await harness.append({ rmid: RmgrId.xlog, info: 0xb0, blocks: [{ ...block(3), image: image(4) }] })
  expect(harness.page(REL, 0, 2)[100]).toBe(0)
})

const commitData = (
  time: number,
  parts: { subxacts?: number[]; relations?: number[]; prepared?: number; stats?: number },
) => {
  const { subxacts, relations, prepared, stats } = parts
  const xinfo = (subxacts ? 2 : 0) | (relations ? 4 : 0) | (prepared ? 16 : 0) | (stats ? 0x100 : 0)
  return Buffer.concat([
    fields([8, time], [4, xinfo]),
    subxacts ? u32s(subxacts.length, ...subxacts) : u32s(),
    relations ? u32s(relations.length / 3, ...relations) : u32s(),
    stats ? u32s(stats, ...new Array<number>(stats * 4).fill(9)) : u32s(),
    prepared ? u32s(prepared) : u32s(),
  ])
}

test('commit: status of xid and subxacts on each page of pg_xact, commit time, nextXid', async () => {
  const harness = new IngestHarness(state({ nextXidLow: 32760 }))
  const lsn = await harness.append({
    rmid: RmgrId.xact,
    info: 0x80,
    xid: 32766,
    mainData: commitData(8e14, { subxacts: [32767, 32769, 32770] }),
  })
  const status = (xid: number) =>
    transactionStatus(harness.slruPage(Slru.xact, Math.floor(xid / 32768)), Math.floor(xid / 32768), xid)
  expect([32765, 32766, 32767, 32768, 32769, 32770].map(status)).toEqual([0, 1, 1, 0, 1, 1])
  expect(await commitAtOrBefore(harness.storage, lsn)).toMatchObject({ endLsn: lsn, time: 8e14, timeMax: 8e14 })
  expect(await recordPositionAt(harness.storage, lsn)).toMatchObject({
    nextXidLow: 32771,
    nextXidEpoch: 2,
    endLsn: lsn,
  })
})

test('commit and abort drop every fork of the relations they list; an abort is no commit', async () => {
  for (const [info, status] of [
    [0x80, 1],
    [0xa0, 2],
  ] as const) {
    const harness = withHeap(3, 1)
    const before = harness.lsn
    await harness.append({
      rmid: RmgrId.xact,
      info,
      xid: 750,
      mainData: commitData(1, { relations: [TEST_SPC, TEST_DB, REL], stats: 2 }),
    })
    expect([harness.size(REL), harness.size(REL, Fork.vm)]).toEqual([undefined, undefined])
    expect(harness.size(REL, 0, before)).toBe(3)
    expect(transactionStatus(harness.slruPage(Slru.xact, 0), 0, 750)).toBe(status)
    expect((await commitAtOrBefore(harness.storage, harness.lsn)) !== undefined).toBe(status === 1)
  }
})

/** A prepared transaction with two subxacts and one relation to drop on commit. */
function prepareData(xid: number, subxacts: number[]): Uint8Array {
  const gid = Buffer.from('gid\0')
  return Buffer.concat([
    fields(
      [4, 0x57f94534],
      [4, 0],
      [4, xid],
      [4, TEST_DB],
      [8, 0],
      [4, 10],
      [4, subxacts.length],
      [4, 1],
      [4, 0],
      [4, 0],
      [4, 0],
      [4, 0],
    ),
    fields([1, 0], [1, 0], [2, gid.length], [8, 0], [8, 0]),
    gid,
    Buffer.alloc(4),
    u32s(...subxacts),
    Buffer.alloc((8 - ((subxacts.length * 4) % 8)) % 8),
    u32s(TEST_SPC, TEST_DB, 0xfffffff0),
    Buffer.alloc(4),
  ])
}

test('prepare keeps the state file under the full xid, commit prepared removes it and marks its own xid', async () => {
  const harness = new IngestHarness(state({ nextXidLow: 5, nextXidEpoch: 3 }))
  const file = prepareData(0xfffffff1, [0xfffffff2, 6])
  // Prepared before the wraparound: it belongs to the epoch before.
  await harness.append({ rmid: RmgrId.xact, info: 0x10, xid: 0xfffffff1, mainData: file })
  const [stored] = await harness.storage.scan(
    kindRange(KeyKind.twoPhaseFile).start,
    kindRange(KeyKind.twoPhaseFile).end,
    harness.lsn,
  )
  expect(decodeKey(stored!.key)).toMatchObject({ b: 2, c: 0xfffffff1 })
  expect(Buffer.compare(stored!.value, file)).toBe(0)
  expect(await recordPositionAt(harness.storage, harness.lsn)).toMatchObject({ nextXidLow: 7, nextXidEpoch: 3 })

  await harness.append({
    rmid: RmgrId.xact,
    info: 0xb0,
    xid: 0,
    mainData: commitData(5, { subxacts: [0xfffffff2], prepared: 0xfffffff1 }),
  })
  const left = await harness.storage.scan(
    kindRange(KeyKind.twoPhaseFile).start,
    kindRange(KeyKind.twoPhaseFile).end,
    harness.lsn,
  )
  expect(left).toEqual([])
  const page = Math.floor(0xfffffff1 / 32768)
  expect(transactionStatus(harness.slruPage(Slru.xact, page), page, 0xfffffff1)).toBe(1)
})

test('assignment and running-xacts move nextXid', async () => {
  const harness = new IngestHarness(state())
  await harness.append({ rmid: RmgrId.xact, info: 0x50, mainData: u32s(751, 2, 760, 761) })
  expect(await recordPositionAt(harness.storage, harness.lsn)).toMatchObject({ nextXidLow: 762 })
  await harness.append({ rmid: RmgrId.standby, info: 0x10, mainData: u32s(0, 0, 0, 800, 762, 799) })
  expect(await recordPositionAt(harness.storage, harness.lsn)).toMatchObject({ nextXidLow: 800 })
  expect(harness.state().oldestActiveXid).toBe(762)
})

test('clog zero page makes a page of zeros; clog truncate drops whole segments before the cutoff and moves oldestXid', async () => {
  const harness = new IngestHarness(state())
  for (const page of [0, 31, 32, 64])
    await harness.append({ rmid: RmgrId.clog, info: 0x00, mainData: fields([8, page]) })
  expect([0, 1, 2].map((segment) => harness.slruPageCount(Slru.xact, segment))).toEqual([32, 1, 1])
  expect(harness.slruPage(Slru.xact, 17).every((byte) => byte === 0)).toBe(true)
  await harness.append({ rmid: RmgrId.clog, info: 0x10, mainData: fields([8, 63], [4, 63 * 32768], [4, 7]) })
  expect([0, 1, 2].map((segment) => harness.slruPageCount(Slru.xact, segment))).toEqual([undefined, 1, 1])
  expect(harness.state()).toMatchObject({ oldestXid: 63 * 32768, oldestXidDb: 7 })
})

test('clog truncate keeps segments that lie before the cutoff as numbers but after it in the circle of xids', async () => {
  const harness = new IngestHarness(state())
  await harness.append({ rmid: RmgrId.clog, info: 0x00, mainData: fields([8, 0]) })
  await harness.append({ rmid: RmgrId.clog, info: 0x00, mainData: fields([8, 131_040]) })
  await harness.append({ rmid: RmgrId.clog, info: 0x10, mainData: fields([8, 131_060], [4, 131_060 * 32768], [4, 7]) })
  expect([0, 4095].map((segment) => harness.slruPageCount(Slru.xact, segment))).toEqual([1, 32 - 31])
})

test('multixact create: its offset and the next one, members over two pages, counters and member xids', async () => {
  const harness = new IngestHarness(state({ nextMulti: 2047, nextMultiOffset: 1635 }))
  const members = [
    [800, 1],
    [900, 4],
    [850, 2],
  ].flat()
  await harness.append({ rmid: RmgrId.multixact, info: 0x20, mainData: u32s(2047, 1635, 3, ...members) })
  const offset = (multi: number) =>
    new DataView(harness.slruPage(Slru.multixactOffsets, Math.floor(multi / 2048)).buffer).getUint32(
      (multi % 2048) * 4,
      true,
    )
  expect([offset(2047), offset(2048)]).toEqual([1635, 1638])
  const first = new DataView(harness.slruPage(Slru.multixactMembers, 0).buffer)
  expect([first.getUint8(408 * 20 + 3), first.getUint32(408 * 20 + 4 + 12, true)]).toEqual([1, 800])
  const second = new DataView(harness.slruPage(Slru.multixactMembers, 1).buffer)
  expect([second.getUint8(0), second.getUint32(4, true), second.getUint8(1), second.getUint32(8, true)]).toEqual([
    4, 900, 2, 850,
  ])
  expect(harness.state()).toMatchObject({ nextMulti: 2048, nextMultiOffset: 1638 })
  expect(await recordPositionAt(harness.storage, harness.lsn)).toMatchObject({ nextXidLow: 901 })
})

test('multixact create at the wrap of both counters skips zero', async () => {
  const harness = new IngestHarness(state({ nextMulti: 0xffffffff, nextMultiOffset: 0xffffffff }))
  await harness.append({ rmid: RmgrId.multixact, info: 0x20, mainData: u32s(0xffffffff, 0xffffffff, 1, 800, 1) })
  expect(harness.state()).toMatchObject({ nextMulti: 1, nextMultiOffset: 1 })
  expect(new DataView(harness.slruPage(Slru.multixactOffsets, 0).buffer).getUint32(4, true)).toBe(1)
})

test('multixact zero pages; multixact truncate drops segments of members and offsets and moves oldestMulti', async () => {
  const harness = new IngestHarness(state())
  for (const page of [0, 32, 64]) {
    await harness.append({ rmid: RmgrId.multixact, info: 0x00, mainData: fields([8, page]) })
    await harness.append({ rmid: RmgrId.multixact, info: 0x10, mainData: fields([8, page]) })
  }
  const oldest = 64 * 2048 + 5
  await harness.append({ rmid: RmgrId.multixact, info: 0x30, mainData: u32s(9, 1, oldest, 1, 40 * 1636) })
  expect([0, 1, 2].map((segment) => harness.slruPageCount(Slru.multixactOffsets, segment))).toEqual([
    undefined,
    undefined,
    1,
  ])
  expect([0, 1, 2].map((segment) => harness.slruPageCount(Slru.multixactMembers, segment))).toEqual([undefined, 1, 1])
  expect(harness.state()).toMatchObject({ oldestMulti: oldest, oldestMultiDb: 9 })
})

test('database file copy: map and every fork as of that LSN; later changes of the source stay out', async () => {
  const harness = withHeap(2, 1)
  const map = new Uint8Array(524).fill(3)
  await harness.append({
    rmid: RmgrId.relmap,
    info: 0x00,
    mainData: Buffer.concat([u32s(TEST_DB, TEST_SPC, 524), map]),
  })
  await harness.append({ rmid: RmgrId.xlog, info: 0xb0, blocks: [{ ...block(1), image: image(8) }] })
  await harness.append({ rmid: RmgrId.database, info: 0x00, mainData: u32s(6, TEST_SPC, TEST_DB, TEST_SPC) })
  await harness.append({ rmid: RmgrId.xlog, info: 0xb0, blocks: [{ ...block(1), image: image(9) }] })
  expect([harness.size(REL, 0, harness.lsn, 6), harness.size(REL, Fork.vm, harness.lsn, 6)]).toEqual([2, 1])
  expect(harness.page(REL, 0, 1, harness.lsn, 6)[100]).toBe(8)
  expect(harness.value(key.relationMap(TEST_SPC, 6))).toEqual(map)
  expect(harness.value(key.database(TEST_SPC, 6))).toBeDefined()
})

test('database create by WAL names it; drop removes map, database and every relation, in each tablespace listed', async () => {
  const harness = withHeap(2, 1)
  await harness.append({ rmid: RmgrId.database, info: 0x10, mainData: u32s(TEST_DB, TEST_SPC) })
  expect(harness.value(key.database(TEST_SPC, TEST_DB))).toBeDefined()
  await harness.append({ rmid: RmgrId.database, info: 0x20, mainData: u32s(TEST_DB, 2, TEST_SPC, 7777) })
  expect(harness.value(key.database(TEST_SPC, TEST_DB))).toBeUndefined()
  expect(harness.size(REL)).toBeUndefined()
})

const checkpointData = (changes: { nextXid?: number; nextOid?: number; nextMulti?: number; oldestXid?: number }) =>
  fields(
    [8, 0],
    [4, 1],
    [4, 1],
    [1, 0],
    [1, 0],
    [2, 0],
    [4, 1],
    [4, changes.nextXid ?? 700],
    [4, 2],
    [4, changes.nextOid ?? 100],
    [4, changes.nextMulti ?? 1],
    [4, 1],
    [4, changes.oldestXid ?? 731],
    [4, 1],
    [4, 1],
    [4, 1],
    [4, 0],
    [8, 1_800_000_000],
    [4, 0],
    [4, 0],
    [4, 740],
    [4, 0],
  )

test('an online checkpoint moves counters only forward; a shutdown checkpoint sets them and is remembered by its LSN', async () => {
  const harness = new IngestHarness(state({ nextMulti: 50 }))
  const mainData = checkpointData({ nextXid: 900, nextOid: 100, nextMulti: 40, oldestXid: 740 })
  await harness.append({ rmid: RmgrId.xlog, info: 0x10, mainData })
  expect(harness.state()).toMatchObject({
    nextOid: 16384,
    nextMulti: 50,
    oldestXid: 740,
    oldestActiveXid: 740,
    checkpointTime: 1.8e9,
  })
  expect(await recordPositionAt(harness.storage, harness.lsn)).toMatchObject({ nextXidLow: 900 })
  const lsn = await harness.append({ rmid: RmgrId.xlog, info: 0x00, mainData })
  expect(harness.state()).toMatchObject({
    nextOid: 100,
    nextMulti: 40,
    oldestActiveXid: 0,
    shutdownCheckpointEndLsn: lsn,
  })
})

test('next oid, parameter change and end of recovery reach the cluster state', async () => {
  const harness = new IngestHarness(state())
  await harness.append({ rmid: RmgrId.xlog, info: 0x30, mainData: u32s(24576) })
  await harness.append({
    rmid: RmgrId.xlog,
    info: 0x60,
    mainData: fields([4, 200], [4, 9], [4, 11], [4, 5], [4, 65], [4, 2], [1, 1], [1, 0], [2, 0]),
  })
  expect(harness.state()).toMatchObject({
    nextOid: 24576,
    maxConnections: 200,
    maxWorkerProcesses: 9,
    maxWalSenders: 11,
    maxPreparedXacts: 5,
    maxLocksPerXact: 65,
    walLevel: 2,
    walLogHints: true,
  })
  await harness.append({ rmid: RmgrId.xlog, info: 0x90, mainData: fields([8, 0], [4, 1], [4, 1], [4, 1]) })
  expect(harness.state().walLevel).toBe(1)
})

test('records without an effect on pages only move the LSN, and a switch moves it to the next segment', async () => {
  const harness = withHeap(1, 0)
  const records = [
    { rmid: RmgrId.xlog, info: 0x20 },
    { rmid: RmgrId.xlog, info: 0x70, mainData: new Uint8Array(72) },
    { rmid: RmgrId.xlog, info: 0x80, mainData: fields([1, 0]) },
    { rmid: RmgrId.xlog, info: 0xe0, mainData: u32s(1) },
    { rmid: RmgrId.xlog, info: 0x50, mainData: fields([8, 0]) },
    { rmid: RmgrId.xact, info: 0x60, mainData: u32s(0) },
    { rmid: RmgrId.standby, info: 0x00, mainData: u32s(0) },
    { rmid: RmgrId.standby, info: 0x20, mainData: u32s(0, 0, 0, 0) },
    { rmid: RmgrId.tablespace, info: 0x00, mainData: u32s(1) },
    { rmid: RmgrId.replicationOrigin, info: 0x00, mainData: new Uint8Array(16) },
    { rmid: RmgrId.logicalMessage, info: 0x00, mainData: new Uint8Array(32) },
    { rmid: RmgrId.heap, info: 0x30, mainData: new Uint8Array(16) },
    { rmid: RmgrId.heap2, info: 0x70, mainData: new Uint8Array(34) },
  ]
  for (const record of records) {
    const lsn = await harness.append(record)
    expect(harness.lsn).toBe(lsn)
  }
  expect(harness.storage.versions(key.relationBlock(TEST_SPC, TEST_DB, REL, 0, 0))).toHaveLength(1)
  await harness.append({ rmid: RmgrId.xlog, info: 0x40 })
  expect(harness.lsn % (16 * 1024 * 1024)).toBe(0)
})

test('a record of an unknown kind stops ingest, naming its LSN and resource manager; what came before stays readable', async () => {
  for (const record of [
    { rmid: 200, info: 0 },
    { rmid: RmgrId.xlog, info: 0xf0 },
    { rmid: RmgrId.commitTs, info: 0, mainData: fields([8, 0]) },
  ]) {
    const harness = withHeap(1, 0)
    const before = await harness.append({ rmid: RmgrId.xlog, info: 0x20 })
    const failure = await harness.append(record).catch((error: unknown) => error)
    expect(isStorageError(failure, 'unsupported')).toBe(true)
    expect(String(failure)).toContain(Lsn.format(before))
    expect(harness.lsn).toBe(before)
  }
})

test('of a record that cannot be applied nothing is written, and the records before it in the chunk are visible', async () => {
  const harness = withHeap(1, 0)
  // The first block is fine; the second one is a heap change without the data that it needs.
  const lsn = await harness.append({ rmid: RmgrId.xlog, info: 0xb0, blocks: [{ ...block(0), image: image(1) }] })
  const bad = {
    rmid: 130,
    info: 0,
    blocks: [{ ...block(0), image: image(9) }],
  }
  expect(isStorageError(await harness.append(bad).catch((error: unknown) => error), 'unsupported')).toBe(true)
  expect(harness.lsn).toBe(lsn)
  expect(harness.storage.versions(key.relationBlock(TEST_SPC, TEST_DB, REL, 0, 0))).toHaveLength(2)
})

test('every record end is a place to start: the start of the record before it and nextXid as of it', async () => {
  const harness = new IngestHarness(state())
  const ends: Lsn[] = []
  for (let i = 0; i < 50; i++)
    ends.push(await harness.append({ rmid: RmgrId.xlog, info: 0x20, xid: 750 + i, mainData: new Uint8Array(i * 100) }))
  let previousEnd = Lsn.of(0x1000028)
  for (const [i, end] of ends.entries()) {
    const position = await recordPositionAt(harness.storage, end)
    expect(position).toMatchObject({ endLsn: end, nextXidLow: 751 + i })
    expect(position.startLsn - previousEnd).toBeLessThanOrEqual(24)
    expect((await recordPositionAt(harness.storage, Lsn.of(end - 8))).endLsn).toBe(previousEnd)
    previousEnd = end
  }
})
