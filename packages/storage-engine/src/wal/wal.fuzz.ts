import { assert } from '../base/assert.ts'
import { CorruptionError, isStorageError } from '../base/errors.ts'
import type { Random } from '../io/random.ts'
import { PAGE_SIZE } from '../postgres/constants.ts'
import { Lsn } from '../postgres/lsn.ts'
import { decompressPglz } from '../postgres/pglz.ts'
import { restoreBlockImage } from './block-image.ts'
import { findWalEnd } from './find-wal-end.ts'
import { decodeMainData } from './main-data.ts'
import { createDecodedRecord, decodeRecord } from './record-decoder.ts'
import { type BlockParts, encodeRecord, placeRecord, writeRecordCrc } from './record-encoder.ts'
import { builtinRmgrs } from './rmgr-table.ts'
import { WalStreamReader } from './wal-stream-reader.ts'

/**
 * Damaged WAL: whatever the bytes, reader and decoder end, read nothing outside what they were given and throw nothing but
 * CorruptionError (`unsupported` for an lz4 or zstd image).
 */
const identity = { systemIdentifier: 77n, timeline: 1 }
const FIRST_LSN = Lsn.of(0x1000028)
const GUARD = 0xa5
const GUARD_BYTES = 64

/** An event is one damaged stream. */
export const walStreamFuzzer = {
  name: 'wal-stream',
  async run(random: Random, { events }: { events: number }): Promise<void> {
    for (let event = 0; event < events; event++) {
      const startLsn = Lsn.of(FIRST_LSN + 8 * random.below(3) * random.below(200_000))
      const placed = randomStream(random, pageSafe(startLsn))
      const bytes = guarded(placed.bytes)
      const damage = random.below(8)
      if (damage > 0) damageBytes(random, bytes, damage)
      const read = readInChunks(random, placed.startLsn, bytes)
      assert(damage > 0 || read === placed.recordCount, 'an undamaged stream reads to its end')
      assert(read <= placed.recordCount + bytes.length / 24, 'no more records than there can be')

      const end = await findWalEnd({
        startLsn: placed.startLsn,
        systemIdentifier: identity.systemIdentifier,
        read: (lsn, lengthMax) => bytes.subarray(lsn - placed.startLsn, lsn - placed.startLsn + lengthMax),
      })
      assert(end.recordCount === read, 'the end of wal is where the reader stops')
    }
  },
}

/** An event is one damaged record with a checksum that fits, as a hostile or broken writer could make it. */
export const walRecordFuzzer = {
  name: 'wal-record',
  run(random: Random, { events }: { events: number }): void {
    const decoded = createDecodedRecord()
    const page = new Uint8Array(PAGE_SIZE)
    for (let event = 0; event < events; event++) {
      const bytes = guarded(randomRecord(random, Lsn.zero))
      damageBytes(random, bytes.subarray(24), random.below(6))
      if (random.below(3) === 0) bytes[16] = random.below(256)
      if (random.below(3) === 0) bytes[17] = random.below(24)
      writeRecordCrc(bytes)
      decodeAll(bytes, decoded, page)
    }
  },
}

export const pglzFuzzer = {
  name: 'pglz',
  run(random: Random, { events }: { events: number }): void {
    for (let event = 0; event < events; event++) {
      const source = guarded(random.bytes(random.below(200)))
      const target = new Uint8Array(random.below(2000))
      expectCorruptionOnly(() => decompressPglz(source, target))
    }
  },
}

function decodeAll(bytes: Uint8Array, decoded: ReturnType<typeof createDecodedRecord>, page: Uint8Array): void {
  expectCorruptionOnly(() => {
    decodeRecord(bytes, decoded)
    const parts = [decoded.mainData]
    for (let index = 0; index < decoded.blockCount; index++) {
      const block = decoded.blocks[index]!
      parts.push(block.data, block.image)
    }
    let total = 0
    for (const part of parts) {
      total += part.length
      const start = part.byteOffset - bytes.byteOffset
      assert(part.length === 0 || (start >= 24 && start + part.length <= bytes.length), 'parts lie within the record')
    }
    assert(total <= bytes.length - 24, 'parts do not overlap')
    for (let index = 0; index < decoded.blockCount; index++) {
      const block = decoded.blocks[index]!
      if (block.hasImage) expectCorruptionOnly(() => restoreBlockImage(block, page))
    }
    decodeMainData(decoded)
  })
}

function expectCorruptionOnly(action: () => void): void {
  try {
    action()
  } catch (error) {
    if (!(error instanceof CorruptionError) && !isStorageError(error, 'unsupported')) throw error
  }
}

/** Returns how many records were read before the end or the fault. */
function readInChunks(random: Random, startLsn: Lsn, bytes: Uint8Array): number {
  const reader = new WalStreamReader({ startLsn, systemIdentifier: identity.systemIdentifier })
  const decoded = createDecodedRecord()
  const page = new Uint8Array(PAGE_SIZE)
  let count = 0
  let at = 0
  try {
    while (at < bytes.length) {
      const length = 1 + random.below(random.below(4) === 0 ? 40_000 : 900)
      reader.push(Lsn.add(startLsn, at), bytes.subarray(at, at + length))
      at += length
      for (let record = reader.next(); record !== undefined; record = reader.next()) {
        count++
        assert(record.endLsn > record.startLsn, 'records go forward')
        decodeAll(record.bytes, decoded, page)
      }
    }
  } catch (error) {
    if (!(error instanceof CorruptionError)) throw error
  }
  return count
}

function randomStream(random: Random, startLsn: Lsn): { startLsn: Lsn; bytes: Uint8Array; recordCount: number } {
  const parts: Uint8Array[] = []
  let endLsn = startLsn
  let prevLsn = Lsn.of(8)
  const recordCount = 1 + random.below(12)
  for (let index = 0; index < recordCount; index++) {
    const placed = placeRecord(randomRecord(random, prevLsn), endLsn, identity)
    parts.push(placed.bytes)
    prevLsn = placed.startLsn
    endLsn = placed.endLsn
  }
  const bytes = new Uint8Array(endLsn - startLsn)
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return { startLsn, bytes, recordCount }
}

function randomRecord(random: Random, prevLsn: Lsn): Uint8Array {
  const blocks: BlockParts[] = []
  let id = random.below(3)
  for (let left = random.below(4); left > 0; left--) {
    const image = random.below(3) === 0 ? randomImage(random) : undefined
    const data = random.below(2) === 0 ? random.bytes(1 + random.below(60)) : undefined
    blocks.push({
      ...{ id, spcOid: 1663, dbOid: random.below(3), relNumber: 1 + random.below(2), blockNumber: random.uint32() },
      ...(image === undefined ? {} : { image }),
      ...(data === undefined ? {} : { data }),
    })
    id += 1 + random.below(3)
  }
  const rmgrs = builtinRmgrs()
  return encodeRecord({
    rmid: rmgrs[random.below(rmgrs.length)]!.id,
    // Not XLOG_SWITCH: the padding of a segment would swamp everything else.
    info: random.below(16) === 4 ? 0 : (random.below(16) << 4) & 0xb0,
    xid: random.uint32(),
    prevLsn,
    blocks,
    mainData: random.bytes(random.below(10) === 0 ? random.below(20_000) : random.below(120)),
    origin: random.below(2),
    topLevelXid: random.below(2),
  })
}

function randomImage(random: Random): NonNullable<BlockParts['image']> {
  const holeOffset = 24 + random.below(1000)
  const holeLength = 1 + random.below(7000)
  if (random.below(2) === 0)
    return { bytes: new Uint8Array(PAGE_SIZE - holeLength).fill(9), info: 3, holeOffset, holeLength }
  return { bytes: random.bytes(1 + random.below(300)), info: 7, holeOffset, holeLength }
}

/** Flips, overwrites, shortens by zeroing, or moves some of the bytes. */
function damageBytes(random: Random, bytes: Uint8Array, times: number): void {
  for (let time = 0; time < times && bytes.length > 0; time++) {
    const at = random.below(bytes.length)
    const length = Math.min(bytes.length - at, 1 + random.below(64))
    switch (random.below(5)) {
      case 0:
        bytes[at]! ^= 1 << random.below(8)
        break
      case 1:
        bytes[at] = random.below(256)
        break
      case 2:
        bytes.fill(random.below(2) * 255, at, at + length)
        break
      case 3:
        bytes.copyWithin(at, random.below(bytes.length), random.below(bytes.length))
        break
      default:
        bytes.set(random.bytes(length), at)
    }
  }
}

/** The bytes within a larger buffer whose other bytes are noise: a read beyond the end would find them. */
function guarded(bytes: Uint8Array): Uint8Array {
  const whole = new Uint8Array(bytes.length + 2 * GUARD_BYTES).fill(GUARD)
  whole.set(bytes, GUARD_BYTES)
  return whole.subarray(GUARD_BYTES, GUARD_BYTES + bytes.length)
}

/** A place where WAL can begin: not inside a page header. */
function pageSafe(lsn: Lsn): Lsn {
  const inPage = lsn % 8192
  return inPage > 0 && inPage < 40 ? Lsn.of(lsn - inPage + 40) : lsn
}
