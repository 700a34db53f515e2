import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { WalWriter } from '../../fixtures/wal-writer.ts'
import { CorruptionError, StorageError } from '../base/errors.ts'
import type { Disk, DiskFile } from '../io/disk.ts'
import { nodeDisk } from '../io/node-disk.ts'
import { WAL_SEGMENT_SIZE } from '../postgres/constants.ts'
import type { ProjectId, TimelineId } from '../postgres/ids.ts'
import { Lsn } from '../postgres/lsn.ts'
import { type ControlFile, decodeControlFile, encodeControlFile } from './control-file.ts'
import { WalStorage } from './wal-storage.ts'
import { planTrim } from './wal-trim.ts'

const systemIdentifier = 7_100_000_000_000_000_002n
const startLsn = Lsn.parse('0/1500028')
let folder: string
let directory: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'safekeeper-wal-'))
  directory = join(folder, 'wal')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const open = (extra: { flushFloorLsn?: Lsn; truncateLsn?: Lsn; disk?: Disk } = {}) =>
  WalStorage.open({
    disk: nodeDisk,
    directory,
    systemIdentifier,
    startLsn,
    flushFloorLsn: startLsn,
    allocation: 'sparse',
    ...extra,
  })

/** Writes `count` records and gives the end after each. */
function writeRecords(storage: WalStorage, writer: WalWriter, count: number, size = 100): Lsn[] {
  return Array.from({ length: count }, (_, i) => storage.write(writer.write(new Uint8Array(size).fill(i + 1))))
}

test('the end of valid wal is found again, also across segments', async () => {
  const writer = new WalWriter(systemIdentifier, startLsn)
  let storage = await open()
  writeRecords(storage, writer, 30, 1_000_000)
  await storage.sync()
  await storage.close()
  expect(readdirSync(directory).length).toBe(3)
  storage = await open({ flushFloorLsn: writer.endLsn })
  expect(storage.recordLsn).toBe(writer.endLsn)
  const again = new Uint8Array(1000)
  storage.readNow(startLsn, again)
  expect(
    Buffer.compare(
      again,
      new WalWriter(systemIdentifier, startLsn).write(new Uint8Array(1_000_000).fill(1)).subarray(0, 1000),
    ),
  ).toBe(0)
  await storage.close()
})

test('a record that arrives in pieces counts when its last byte is there', async () => {
  const storage = await open()
  const bytes = new WalWriter(systemIdentifier, startLsn).write(new Uint8Array(9000))
  expect(storage.write(bytes.slice(0, 10))).toBe(startLsn)
  expect(storage.write(bytes.slice(10, bytes.length - 1))).toBe(startLsn)
  expect(storage.write(bytes.slice(bytes.length - 1))).toBe(startLsn + bytes.length)
  await storage.close()
})

test('half a record at the end is cut on the next start, and zeros stand behind the end', async () => {
  const writer = new WalWriter(systemIdentifier, startLsn)
  let storage = await open()
  const end = writeRecords(storage, writer, 5).at(-1)!
  storage.write(writer.write(new Uint8Array(500).fill(9)).slice(0, 300))
  await storage.sync()
  await storage.close()
  storage = await open({ flushFloorLsn: end })
  expect(storage.writeLsn).toBe(end)
  await storage.close()
  const file = readFileSync(join(directory, readdirSync(directory)[0]!))
  expect(file.subarray(end % WAL_SEGMENT_SIZE).every((byte) => byte === 0)).toBe(true)
})

test('broken wal is refused and not a byte of it is written', async () => {
  const writer = new WalWriter(systemIdentifier, startLsn)
  let storage = await open()
  const end = writeRecords(storage, writer, 3).at(-1)!
  const bytes = writer.write(new Uint8Array(100).fill(4))
  bytes[60]! ^= 1
  expect(() => storage.write(bytes)).toThrow(CorruptionError)
  expect(storage.writeLsn).toBe(end)
  await storage.close()
  storage = await open({ flushFloorLsn: end })
  expect(storage.writeLsn).toBe(end)
  await storage.close()
})

test('wal of another database system is refused', async () => {
  const storage = await open()
  const writer = new WalWriter(systemIdentifier + 1n, startLsn)
  expect(() => writeRecords(storage, writer, 20, 1_000_000)).toThrow('another database system')
  await storage.close()
})

test('a flipped bit below what was flushed is a CorruptionError on the next start, wherever it is', async () => {
  const writer = new WalWriter(systemIdentifier, startLsn)
  const storage = await open()
  // 102 bytes of payload leave no padding between records, which no checksum covers.
  writeRecords(storage, writer, 20, 102)
  await storage.sync()
  await storage.close()
  const path = join(directory, readdirSync(directory)[0]!)
  const good = readFileSync(path)
  for (let at: number = startLsn; at < writer.endLsn; at += 37) {
    const bad = Buffer.from(good)
    bad[at % WAL_SEGMENT_SIZE]! ^= 0x10
    writeFileSync(path, bad)
    await expect(open({ flushFloorLsn: writer.endLsn })).rejects.toThrow(CorruptionError)
    writeFileSync(path, good)
  }
  const intact = await open({ flushFloorLsn: writer.endLsn })
  await intact.close()
})

/** A disk on which a sync that fails leaves what was written in memory: it reads well, and a later sync does not write it. */
function forgetfulDisk(): { disk: Disk; failSyncsAfter: (count: number) => void; losePower: () => void } {
  const durable = new Map<string, Buffer>()
  let syncsLeft = Number.POSITIVE_INFINITY
  const track = (file: DiskFile, path: string): DiskFile => {
    if (!durable.has(path)) durable.set(path, readFileSync(path))
    let pending: { bytes: Uint8Array; position: number }[] = []
    const note = (bytes: Uint8Array, position: number) => void pending.push({ bytes: bytes.slice(), position })
    const sync = () => {
      const written = pending
      pending = []
      if (syncsLeft-- <= 0) throw new StorageError('unavailable', 'sync failed by order of the test')
      for (const { bytes, position } of written) durable.get(path)!.set(bytes, position)
    }
    return {
      path: file.path,
      read: (...args) => file.read(...args),
      readNow: (...args) => file.readNow(...args),
      write: (bytes, position) => {
        note(bytes, position)
        return file.write(bytes, position)
      },
      writeNow: (bytes, position) => {
        note(bytes, position)
        file.writeNow(bytes, position)
      },
      sizeBytes: () => file.sizeBytes(),
      truncate: (...args) => file.truncate(...args),
      sync: async () => sync(),
      syncNow: sync,
      close: () => file.close(),
    }
  }
  const disk: Disk = {
    ...nodeDisk,
    open: async (path, mode) => track(await nodeDisk.open(path, mode), path),
    openNow: (path, mode) => track(nodeDisk.openNow(path, mode), path),
  }
  return {
    disk,
    failSyncsAfter: (count) => {
      syncsLeft = count
    },
    losePower: () => {
      for (const [path, bytes] of durable) writeFileSync(path, bytes)
      durable.clear()
    },
  }
}

test('bytes behind the end that were made zero by a process whose sync failed do not come back after the next one', async () => {
  const writer = new WalWriter(systemIdentifier, startLsn)
  const first = await open()
  const ends = writeRecords(first, writer, 5)
  await first.sync()
  await first.close()
  const { disk, failSyncsAfter, losePower } = forgetfulDisk()
  // What is kept is written anew and synced; then the rest is made zero.
  failSyncsAfter(1)
  await expect(open({ disk, truncateLsn: ends[2]! })).rejects.toThrow(/sync failed/)
  // Another process, which knows nothing of it and finds zeros.
  failSyncsAfter(Number.POSITIVE_INFINITY)
  const second = await open({ disk, truncateLsn: ends[2]! })
  expect(second.writeLsn).toBe(ends[2])
  await second.close()
  losePower()
  const third = await open()
  expect(third.writeLsn).toBe(ends[2])
  await third.close()
})

test('a decided cut is finished on start, and old bytes behind it never come back', async () => {
  const writer = new WalWriter(systemIdentifier, startLsn)
  let storage = await open()
  const ends = writeRecords(storage, writer, 30, 1_000_000)
  await storage.sync()
  await storage.close()
  const cut = ends[2]!
  storage = await open({ truncateLsn: cut })
  expect(storage.writeLsn).toBe(cut)
  await storage.close()
  expect(readdirSync(directory).length).toBe(1)
  storage = await open()
  expect(storage.writeLsn).toBe(cut)
  await storage.close()
})

test('a cut at a segment start goes on in that segment', async () => {
  const storage = await open()
  const writer = new WalWriter(systemIdentifier, startLsn)
  const ends = writeRecords(storage, writer, 30, 1_000_000)
  await storage.truncate(ends[5]!)
  const next = new WalWriter(systemIdentifier, ends[5]!)
  expect(storage.write(next.write(new Uint8Array(64)))).toBe(next.endLsn)
  await storage.sync()
  expect(storage.syncedRecordLsn).toBe(next.endLsn)
  await storage.close()
})

test('trimmed segments are gone, the rest opens at a record boundary inside', async () => {
  const writer = new WalWriter(systemIdentifier, startLsn)
  let storage = await open()
  writeRecords(storage, writer, 50, 1_000_000)
  await storage.sync()
  expect(await storage.trim(Lsn.of(startLsn + 2 * WAL_SEGMENT_SIZE))).toBe(2)
  await storage.close()
  storage = await open({ flushFloorLsn: writer.endLsn })
  expect(storage.recordLsn).toBe(writer.endLsn)
  expect(storage.oldestLsn).toBe(3 * WAL_SEGMENT_SIZE)
  await storage.close()
})

test('local wal goes only below archive, page server and commit, and peers hold it for a bounded while', () => {
  const lsn = (segments: number) => Lsn.of(segments * WAL_SEGMENT_SIZE)
  const view = { commitLsn: lsn(50), backupLsn: lsn(40), remoteConsistentLsn: lsn(30), peerHorizonLsn: lsn(20) }
  expect(planTrim(view)).toBe(lsn(20))
  expect(planTrim({ ...view, peerHorizonLsn: lsn(45) })).toBe(lsn(30))
  expect(planTrim({ ...view, remoteConsistentLsn: lsn(0) })).toBe(lsn(0))
  expect(planTrim({ ...view, commitLsn: lsn(90), peerHorizonLsn: lsn(0) })).toBe(lsn(26))
})

test('a control file comes back as it was written, and any flipped bit is a CorruptionError', () => {
  const control: ControlFile = {
    projectId: '0123456789abcdef0123456789abcdef' as ProjectId,
    timelineId: 'fedcba9876543210fedcba9876543210' as TimelineId,
    systemIdentifier,
    startLsn,
    term: 7,
    history: [
      { term: 0, lsn: startLsn },
      { term: 7, lsn: startLsn },
    ],
    flushFloorLsn: startLsn,
    commitLsn: startLsn,
    peerHorizonLsn: startLsn,
    backupLsn: startLsn,
    remoteConsistentLsn: Lsn.zero,
    truncateLsn: undefined,
  }
  const bytes = encodeControlFile(control)
  expect(decodeControlFile(bytes, 'control')).toEqual(control)
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const flipped = bytes.slice()
    flipped[bit >> 3]! ^= 1 << (bit & 7)
    expect(() => decodeControlFile(flipped, 'control')).toThrow(CorruptionError)
  }
  for (let length = 0; length < bytes.length; length += 5) {
    expect(() => decodeControlFile(bytes.slice(0, length), 'control')).toThrow(CorruptionError)
  }
})
