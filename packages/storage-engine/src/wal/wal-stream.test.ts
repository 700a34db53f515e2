import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { crc32c } from '../base/crc32c.ts'
import { CorruptionError } from '../base/errors.ts'
import { WAL_PAGE_SIZE, WAL_SEGMENT_SIZE } from '../postgres/constants.ts'
import { Lsn } from '../postgres/lsn.ts'
import { findWalEnd } from './find-wal-end.ts'
import { createDecodedRecord, decodeRecord } from './record-decoder.ts'
import { encodeRecord, encodeSegmentPrefix, placeRecord, type RecordParts } from './record-encoder.ts'
import { encodeWalPageHeader, WalPageInfo } from './wal-page-header.ts'
import { WalStreamReader } from './wal-stream-reader.ts'

const identity = { systemIdentifier: 0xfedc_ba98_7654_3210n, timeline: 1 }
const RECORD_OVERHEAD = 24 + 2

/** A stream that grows record by record. */
class Stream {
  readonly startLsn: Lsn
  endLsn: Lsn
  lastRecordLsn: Lsn = Lsn.of(8)
  readonly records: { startLsn: Lsn; endLsn: Lsn; bytes: Uint8Array }[] = []
  readonly #parts: Uint8Array[] = []

  constructor(startLsn: Lsn) {
    this.startLsn = startLsn
    this.endLsn = startLsn
  }

  append(parts: Partial<RecordParts> = {}): this {
    const bytes = encodeRecord({ rmid: 21, info: 0, prevLsn: this.lastRecordLsn, ...parts })
    const placed = placeRecord(bytes, this.endLsn, identity)
    this.#parts.push(placed.bytes)
    this.records.push({ startLsn: placed.startLsn, endLsn: placed.endLsn, bytes })
    this.lastRecordLsn = placed.startLsn
    this.endLsn = placed.endLsn
    return this
  }

  /** A message record of exactly `totalLength` bytes. */
  appendOfLength(totalLength: number): this {
    const overhead = totalLength - RECORD_OVERHEAD < 256 ? RECORD_OVERHEAD : 24 + 5
    return this.append({ mainData: new Uint8Array(totalLength - overhead).fill(totalLength & 255) })
  }

  raw(bytes: Uint8Array): this {
    this.#parts.push(bytes)
    this.endLsn = Lsn.add(this.endLsn, bytes.length)
    return this
  }

  bytes(): Uint8Array {
    return Buffer.concat(this.#parts)
  }
}

interface ReadRecord {
  startLsn: Lsn
  endLsn: Lsn
  bytes: Uint8Array
}

function readerAt(stream: Stream): WalStreamReader {
  return new WalStreamReader({
    startLsn: stream.startLsn,
    prevLsn: Lsn.of(8),
    systemIdentifier: identity.systemIdentifier,
  })
}

function readAll(stream: Stream, chunkLengths: readonly number[] = [Number.MAX_SAFE_INTEGER]): ReadRecord[] {
  const reader = readerAt(stream)
  const bytes = stream.bytes()
  const read: ReadRecord[] = []
  let at = 0
  for (let index = 0; at < bytes.length; index++) {
    const length = chunkLengths[index % chunkLengths.length]!
    reader.push(Lsn.add(stream.startLsn, at), bytes.subarray(at, at + length))
    at += length
    for (let record = reader.next(); record !== undefined; record = reader.next()) {
      read.push({ startLsn: record.startLsn, endLsn: record.endLsn, bytes: record.bytes.slice() })
    }
  }
  return read
}

/** toEqual on large arrays takes seconds. */
function expectSameRecords(read: readonly ReadRecord[], written: readonly ReadRecord[]): void {
  const text = (record: ReadRecord): string =>
    `${record.startLsn}-${record.endLsn} ${crc32c(record.bytes)} ${record.bytes.length}`
  expect(read.map(text)).toEqual(written.map(text))
}

function faultOf(stream: Stream, bytes = stream.bytes()): string {
  const reader = readerAt(stream)
  reader.push(stream.startLsn, bytes)
  try {
    while (reader.next() !== undefined) {}
    return 'no fault'
  } catch (error) {
    expect(error).toBeInstanceOf(CorruptionError)
    expect(() => reader.next()).toThrow(error as CorruptionError)
    return (error as CorruptionError).message
  }
}

/** Positions that matter: a segment start, a page start, just before and after each, and the middle of nowhere. */
const STARTS = [0x1000000, 0x1002000, 0x1002018, 0x10000f8, 0x1fffff0, 0x1ffffe8, 0x2000028, 0xabcd_0000_1238].map(
  Lsn.of,
)

describe('records written into a stream are read back as they were', () => {
  test('whatever their lengths, the start and the way the stream is cut', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...STARTS),
        fc.array(fc.oneof(fc.integer({ min: 32, max: 400 }), fc.integer({ min: 300, max: 40_000 })), {
          minLength: 1,
          maxLength: 30,
        }),
        fc.array(fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 20_000 })), {
          minLength: 1,
          maxLength: 8,
        }),
        (startLsn, lengths, chunkLengths) => {
          const stream = new Stream(startLsn)
          for (const length of lengths) stream.appendOfLength(length)
          expectSameRecords(readAll(stream, chunkLengths), stream.records)
        },
      ),
      { numRuns: 150 },
    )
  })

  test('one byte at a time, over a segment boundary', () => {
    const stream = new Stream(Lsn.of(WAL_SEGMENT_SIZE * 3 - 3 * WAL_PAGE_SIZE - 8))
    for (const length of [26, 5000, 12_000, 100, 9000]) stream.appendOfLength(length)
    expect(stream.endLsn).toBeGreaterThan(WAL_SEGMENT_SIZE * 3)
    expectSameRecords(readAll(stream, [1]), stream.records)
  })

  test('for every distance of a record start from the page end, so that its header is cut at each 8 bytes', () => {
    for (let distance = 8; distance <= 64; distance += 8) {
      const stream = new Stream(Lsn.of(0x1004000 - distance))
      stream.appendOfLength(40).appendOfLength(9000).appendOfLength(26)
      expectSameRecords(readAll(stream, [7]), stream.records)
    }
  })

  test('when a record ends exactly at a page end, and at a segment end', () => {
    for (const endLsn of [0x1004000, 0x2000000]) {
      const stream = new Stream(Lsn.of(endLsn - 128))
      stream.appendOfLength(128)
      expect(stream.endLsn).toBe(endLsn)
      stream.appendOfLength(64)
      expect(stream.records[1]!.startLsn).toBe(endLsn + (endLsn % WAL_SEGMENT_SIZE === 0 ? 40 : 24))
      expectSameRecords(readAll(stream, [1000]), stream.records)
      // A reader that starts at the boundary finds the record after the page header.
      const reader = new WalStreamReader({
        startLsn: Lsn.of(endLsn),
        systemIdentifier: identity.systemIdentifier,
        prevLsn: stream.records[0]!.startLsn,
      })
      reader.push(Lsn.of(endLsn), stream.bytes().subarray(128))
      expect(reader.next()?.startLsn).toBe(stream.records[1]!.startLsn)
    }
  })

  test('when a record is many pages long and arrives in small pieces', () => {
    const stream = new Stream(Lsn.of(0x1000028)).appendOfLength(3_000_000).appendOfLength(50)
    expectSameRecords(readAll(stream, [4096]), stream.records)
  })

  test('after XLOG_SWITCH, from the start of the next segment, whatever fills the old one', () => {
    const stream = new Stream(Lsn.of(0x1fe0000 + 24))
    stream.appendOfLength(100).append({ rmid: 0, info: 0x40 }).appendOfLength(200)
    expect(stream.records[1]!.endLsn).toBe(0x2000000)
    expectSameRecords(readAll(stream, [777]), stream.records)
    const bytes = stream.bytes()
    bytes.fill(0xee, stream.records[1]!.startLsn + 24 - stream.startLsn, 0x2000000 - stream.startLsn)
    const reader = readerAt(stream)
    reader.push(stream.startLsn, bytes)
    expect([reader.next()?.startLsn, reader.next()?.startLsn, reader.next()?.startLsn]).toEqual(
      stream.records.map((record) => record.startLsn),
    )
  })

  test('when chunks overlap what was pushed before', () => {
    const stream = new Stream(Lsn.of(0x1000028)).appendOfLength(300).appendOfLength(9000)
    const bytes = stream.bytes()
    const reader = readerAt(stream)
    reader.push(stream.startLsn, bytes.subarray(0, 200))
    expect(reader.next()).toBeUndefined()
    reader.push(Lsn.add(stream.startLsn, 100), bytes.subarray(100, 400))
    expect(reader.next()?.bytes).toEqual(stream.records[0]!.bytes)
    reader.push(stream.startLsn, bytes)
    expect(reader.next()?.bytes).toEqual(stream.records[1]!.bytes)
    expect(reader.endLsn).toBe(stream.endLsn)
    expect(reader.lastRecordLsn).toBe(stream.lastRecordLsn)
  })

  test('a gap between chunks is refused as a mistake of the caller', () => {
    const stream = new Stream(Lsn.of(0x1000028)).appendOfLength(300)
    expect(() => readerAt(stream).push(Lsn.of(0x1000030), new Uint8Array(8))).toThrow('leaves a gap')
  })
})

describe('a record abandoned by crash recovery', () => {
  /** A record cut off at a page end, then a page that says so, then the record that names it. */
  function withOverwrite(named: number): Stream {
    const stream = new Stream(Lsn.of(0x1000028)).appendOfLength(100)
    const abandoned = placeRecord(
      encodeRecord({ rmid: 21, info: 0, prevLsn: stream.lastRecordLsn, mainData: new Uint8Array(20_000) }),
      stream.endLsn,
      identity,
    )
    const pageLsn = 0x1004000
    const stub = abandoned.bytes.subarray(0, pageLsn - stream.endLsn)
    stream.raw(stub)
    const mainData = new Uint8Array(16)
    Lsn.write(new DataView(mainData.buffer), 0, Lsn.of(named === 0 ? abandoned.startLsn : named))
    const record = encodeRecord({ rmid: 0, info: 0xd0, prevLsn: stream.lastRecordLsn, mainData })
    const placed = placeRecord(record, stream.endLsn, identity)
    encodeWalPageHeader(placed.bytes, 0, Lsn.of(pageLsn), identity, {
      info: WalPageInfo.firstIsOverwriteContrecord,
      remainingLength: 0,
    })
    stream.records.push({ startLsn: placed.startLsn, endLsn: placed.endLsn, bytes: record })
    stream.raw(placed.bytes)
    stream.lastRecordLsn = placed.startLsn
    return stream.appendOfLength(60)
  }

  test('is passed over when the next page says so and a record names it', () => {
    const stream = withOverwrite(0)
    expectSameRecords(readAll(stream, [100]), stream.records)
    expectSameRecords(readAll(stream), stream.records)
  })

  test('is corruption when the record after it names another', () => {
    expect(faultOf(withOverwrite(0x1000028))).toContain('replaces another record')
  })
})

describe('corruption is named with its position', () => {
  const stream = new Stream(Lsn.of(0x1000000)).appendOfLength(500).appendOfLength(20_000).appendOfLength(100)
  const [first, second, third] = stream.records

  test.each([
    ['wrong magic number', 0, 'wrong magic number (lsn=0/1000000'],
    ['system identifier', 24, 'another database system (lsn=0/1000000'],
    ['segment size', 32, 'another segment size'],
    ['page size', 36, 'another page size'],
    ['page address', 8, 'another address'],
    ['timeline', 4, 'another timeline'],
    ['continuation flag', 0x2000 + 2, 'does not continue the record before it (lsn=0/1002000'],
    ['stray continuation flag', 2, 'page continues a record where a new one is due (lsn=0/1000028'],
    ['remaining length', 0x2000 + 16, 'continues a record of another length (lsn=0/1002000'],
    ['length', first!.startLsn - 0x1000000, 'impossible length'],
    ['previous link', second!.startLsn - 0x1000000 + 8, 'wrong previous link'],
    ['resource manager', third!.startLsn - 0x1000000 + 17, 'unknown resource manager'],
    ['payload', second!.startLsn - 0x1000000 + 100, 'wrong checksum (lsn='],
    ['checksum', third!.startLsn - 0x1000000 + 20, 'wrong checksum (lsn='],
  ])('%s', (_what, offset, message) => {
    const bytes = stream.bytes()
    if (message === 'impossible length') bytes.fill(0xff, offset, offset + 4)
    else if (message.includes('continue') && !message.includes('length'))
      bytes[offset]! ^= WalPageInfo.firstIsContinuation
    else bytes[offset]! ^= 0x41
    expect(faultOf(stream, bytes)).toContain(message)
  })

  test('any flipped bit that counts is found', () => {
    const bytes = stream.bytes()
    for (let offset = 0; offset < bytes.length; offset += 37) {
      const at = Lsn.add(stream.startLsn, offset)
      const isRecord = stream.records.some(
        (record) => at >= record.startLsn && at < record.startLsn + record.bytes.length,
      )
      // Padding after a record, and four bytes at the end of a page header, carry nothing.
      const inHeader = offset % WAL_PAGE_SIZE < 24
      if (!isRecord || inHeader) continue
      const flipped = bytes.slice()
      flipped[offset]! ^= 1 << (offset % 8)
      const inUncheckedHeaderPadding = stream.records.some(
        (record) => at - record.startLsn === 18 || at - record.startLsn === 19,
      )
      if (!inUncheckedHeaderPadding) expect(faultOf(stream, flipped)).not.toBe('no fault')
    }
  })
})

describe('the end of valid wal', () => {
  const stream = new Stream(Lsn.of(0x1ff0028))
  for (let index = 0; index < 40; index++) stream.appendOfLength(50 + index * 97)
  const bytes = stream.bytes()

  function endOf(content: Uint8Array): ReturnType<typeof findWalEnd> {
    return findWalEnd({
      startLsn: stream.startLsn,
      prevLsn: Lsn.of(8),
      systemIdentifier: identity.systemIdentifier,
      read: (lsn, lengthMax) => {
        const at = lsn - stream.startLsn
        return content.subarray(at, at + Math.min(lengthMax, 1000))
      },
    })
  }

  test('is the end of the last whole record, wherever the bytes stop', async () => {
    for (let length = 0; length <= bytes.length; length += 211) {
      const found = await endOf(bytes.subarray(0, length))
      const whole = stream.records.filter((record) => record.startLsn + record.bytes.length <= stream.startLsn + length)
      const last = stream.records.filter((record) => record.endLsn <= found.endLsn)
      expect(found.reason).toBe('source-ended')
      expect(found.recordCount).toBe(last.length)
      expect(found.lastRecordLsn).toBe(last.at(-1)?.startLsn ?? 8)
      // A record over pages whose last bytes have arrived counts; one that has not is left out.
      expect(last.length).toBeLessThanOrEqual(whole.length)
      expect(found.endLsn).toBe(last.at(-1)?.endLsn ?? stream.startLsn)
    }
    expect((await endOf(bytes)).endLsn).toBe(stream.endLsn)
  })

  test('is before zeros, torn records and what an earlier use of the file left behind', async () => {
    const half = stream.records[20]!
    const at = half.startLsn - stream.startLsn
    const before = stream.records[19]!
    for (const damage of [
      (content: Uint8Array) => content.fill(0, at),
      (content: Uint8Array) => content.fill(0, at + 30),
      (content: Uint8Array) => content.copyWithin(at, 0, 4000),
      (content: Uint8Array) => content.fill(0xff, at),
    ]) {
      const content = new Uint8Array(bytes.length + 5000)
      content.set(bytes)
      damage(content)
      const found = await endOf(content)
      expect(found).toMatchObject({ endLsn: before.endLsn, lastRecordLsn: before.startLsn, reason: 'invalid-record' })
      expect(found.fault).toBeInstanceOf(CorruptionError)
    }
  })

  test('stays before the limit', async () => {
    const limitLsn = Lsn.add(stream.records[10]!.endLsn, 20)
    const found = await findWalEnd({
      startLsn: stream.startLsn,
      systemIdentifier: identity.systemIdentifier,
      limitLsn,
      read: (lsn, lengthMax) => bytes.subarray(lsn - stream.startLsn, lsn - stream.startLsn + lengthMax),
    })
    expect(found.endLsn).toBe(stream.records[10]!.endLsn)
  })
})

test('a stream that starts within a segment reads after the prefix that fills the segment before it', () => {
  const stream = new Stream(Lsn.of(0x1005000)).appendOfLength(500).appendOfLength(9000)
  const prefix = encodeSegmentPrefix(stream.startLsn, identity)
  const segment = Buffer.concat([prefix, stream.bytes()])
  const reader = readerAt(stream)
  // Pushing the segment from its start is allowed: what lies before the reader's start is passed over.
  reader.push(Lsn.of(0x1000000), segment)
  expect(reader.next()?.startLsn).toBe(stream.records[0]!.startLsn)
  expect(reader.next()?.startLsn).toBe(stream.records[1]!.startLsn)
  expect(segment.subarray(0x4000, 0x4002)).toEqual(Buffer.from([0x18, 0xd1]))
})

test('a decoded record has the parts that it was made of', () => {
  const image = new Uint8Array(8192 - 100).fill(7)
  const bytes = encodeRecord({
    rmid: 10,
    info: 0x80,
    xid: 0xfffffff0,
    prevLsn: Lsn.of(0x1234_5678_9abc),
    topLevelXid: 0xffffffef,
    origin: 513,
    mainData: new Uint8Array(300).fill(3),
    blocks: [
      {
        id: 0,
        spcOid: 1663,
        dbOid: 5,
        relNumber: 0xfffffffe,
        blockNumber: 0xfffffffd,
        willInit: true,
        data: new Uint8Array([1, 2]),
      },
      {
        id: 3,
        spcOid: 1663,
        dbOid: 5,
        relNumber: 0xfffffffe,
        fork: 2,
        blockNumber: 9,
        image: { bytes: image, info: 3, holeOffset: 40, holeLength: 100 },
      },
      {
        id: 32,
        spcOid: 1664,
        dbOid: 0,
        relNumber: 1262,
        blockNumber: 1,
        image: { bytes: image.subarray(0, 50), info: 5, holeOffset: 24, holeLength: 8000 },
        data: new Uint8Array(70),
      },
    ],
  })
  const record = decodeRecord(bytes, createDecodedRecord())
  expect(record).toMatchObject({
    xid: 0xfffffff0,
    info: 0x80,
    rmid: 10,
    opcode: 0x80,
    blockCount: 3,
    topLevelXid: 0xffffffef,
    origin: 513,
  })
  expect(record.mainData).toEqual(new Uint8Array(300).fill(3))
  expect(record.blocks[0]).toMatchObject({
    id: 0,
    relNumber: 0xfffffffe,
    blockNumber: 0xfffffffd,
    fork: 0,
    willInit: true,
    hasImage: false,
    hasData: true,
  })
  expect(record.blocks[0]!.data).toEqual(new Uint8Array([1, 2]))
  expect(record.blocks[1]).toMatchObject({
    id: 3,
    spcOid: 1663,
    dbOid: 5,
    fork: 2,
    blockNumber: 9,
    hasImage: true,
    applyImage: true,
    holeOffset: 40,
    holeLength: 100,
    hasData: false,
  })
  expect(record.blocks[1]!.image).toEqual(image)
  expect(record.blocks[2]).toMatchObject({
    id: 32,
    spcOid: 1664,
    dbOid: 0,
    applyImage: false,
    imageInfo: 5,
    holeLength: 8000,
  })
  expect(record.blocks[2]!.data.length).toBe(70)
})

test('decoding into the same object leaves nothing of the record before', () => {
  const into = createDecodedRecord()
  decodeRecord(
    encodeRecord({
      rmid: 0,
      info: 0xb0,
      prevLsn: Lsn.zero,
      topLevelXid: 9,
      origin: 2,
      blocks: [
        { id: 0, spcOid: 1, dbOid: 2, relNumber: 3, blockNumber: 4, image: { bytes: new Uint8Array(8192), info: 2 } },
      ],
    }),
    into,
  )
  decodeRecord(
    encodeRecord({
      rmid: 10,
      info: 0,
      prevLsn: Lsn.zero,
      blocks: [{ id: 0, spcOid: 1, dbOid: 2, relNumber: 3, blockNumber: 4, data: new Uint8Array(1) }],
    }),
    into,
  )
  expect(into).toMatchObject({ topLevelXid: 0, origin: 0, blockCount: 1 })
  expect(into.blocks[0]).toMatchObject({ hasImage: false, applyImage: false, imageInfo: 0, holeLength: 0 })
  expect(into.blocks[0]!.image.length).toBe(0)
  expect(into.mainData.length).toBe(0)
})
