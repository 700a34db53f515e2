import fc from 'fast-check'
import { parquetReadObjects } from 'hyparquet'
import { expect, test } from 'vitest'
import { isStorageError } from '../base/errors.ts'
import { decompress } from '../base/zstd.ts'
import { nodeDisk } from '../io/node-disk.ts'
import { openMemoryObjectStore } from '../object-store/memory-object-store.ts'
import type { Action, AddFile, Metadata } from './actions.ts'
import {
  decodeDeletionVector,
  deletionVectorFileName,
  encodeDeletionVector,
  encodeDeletionVectorFile,
  readDeletionVectorFile,
} from './deletion-vector.ts'
import { DeltaTable } from './delta-table.ts'
import { encodeFilePath } from './file-path.ts'
import { checkpointKey, commitKey } from './log-path.ts'
import { planLogSegment } from './log-segment.ts'
import { cutVersions, logKeysBelow } from './log-vacuum.ts'
import { writtenProtocol } from './table-features.ts'
import { decodeZ85, encodeZ85 } from './z85.ts'

const metadata: Metadata = {
  id: '5ed2a7f4-2f8f-4f4a-9c0b-2f1f0f6b8a11',
  name: 'orders',
  format: { provider: 'parquet', options: {} },
  schemaString: '{"type":"struct","fields":[]}',
  partitionColumns: [],
  configuration: { 'delta.enableDeletionVectors': 'true' },
  createdTime: 1_700_000_000_000,
}

function add(path: string, more: Partial<AddFile> = {}): Action {
  return { add: { path, partitionValues: {}, size: 10, modificationTime: 1, dataChange: true, ...more } }
}

const first: readonly Action[] = [
  { protocol: writtenProtocol({ hasTimestampNtz: true }) },
  { metaData: metadata },
  add('a'),
]

test('positions of any shape come back from a deletion vector', () => {
  const shape = fc.oneof(
    fc.uniqueArray(fc.integer({ min: 0, max: 300_000 }), { maxLength: 3000 }),
    fc.tuple(fc.integer({ min: 0, max: 200_000 }), fc.integer({ min: 0, max: 20_000 })).map(([from, count]) => {
      return Array.from({ length: count }, (_, i) => from + i)
    }),
    fc.tuple(fc.integer({ min: 0, max: 200_000 }), fc.integer({ min: 0, max: 20_000 })).map(([from, count]) => {
      return Array.from({ length: count }, (_, i) => from + 2 * i)
    }),
    fc.uniqueArray(fc.integer({ min: 0, max: 2 ** 40 }), { maxLength: 50 }),
  )
  fc.assert(
    fc.property(shape, (unsorted) => {
      const positions = [...unsorted].sort((a, b) => a - b)
      expect(decodeDeletionVector(encodeDeletionVector(positions))).toEqual(positions)
    }),
    { numRuns: 150 },
  )
})

test('the example of the protocol text, in the portable format, is what six positions serialize to', () => {
  const bytes = encodeDeletionVector([3, 4, 7, 11, 18, 29])
  expect(bytes.length).toBe(44)
  expect(encodeZ85(bytes)).toBe('^Bg9^0rr910000000000iXQKl0rr91000f55c8Xg0@@D72lkbi5=-{L')
})

test('any flipped bit in a deletion vector file is refused', () => {
  const uuid = Uint8Array.from({ length: 16 }, (_, i) => i)
  const { bytes, descriptors } = encodeDeletionVectorFile(uuid, [[1, 2, 3], [70_000]])
  for (const { offset } of descriptors) {
    const start = offset!
    expect(decodeDeletionVector(readDeletionVectorFile(bytes, start, 'dv')).length).toBeGreaterThan(0)
    for (let bit = 0; bit < 8 * (descriptors[0]!.sizeInBytes + 4); bit++) {
      const damaged = bytes.slice()
      damaged[start + (bit >> 3)]! ^= 1 << (bit & 7)
      expect(() => decodeDeletionVector(readDeletionVectorFile(damaged, start, 'dv'))).toThrow()
    }
  }
  expect(deletionVectorFileName(uuid)).toBe('deletion_vector_00010203-0405-0607-0809-0a0b0c0d0e0f.bin')
  expect(decodeZ85(encodeZ85(uuid))).toEqual(uuid)
})

test('a version is committed once: the second writer is told, and a retry of the same bytes is no conflict', async () => {
  const store = openMemoryObjectStore({ disk: nodeDisk })
  const table = new DeltaTable(store, 'lake/t/')
  const v0 = await table.commit(undefined, first)
  expect((await table.commit(undefined, first)).version).toBe(0)
  const mine = await table.commit(v0, [add('mine')])
  expect(mine.version).toBe(1)
  const failure = await table.commit(v0, [add('theirs')]).then(
    () => undefined,
    (error: unknown) => error,
  )
  expect(isStorageError(failure, 'conflict')).toBe(true)
  expect([...(await table.refresh(v0)).files.keys()]).toEqual(['a', 'mine'])
})

test('a snapshot read from a checkpoint is the one that replaying all commits gives', async () => {
  const store = openMemoryObjectStore({ disk: nodeDisk })
  const table = new DeltaTable(store, 'lake/t/')
  const vector = {
    storageType: 'u' as const,
    pathOrInlineDv: 'x'.repeat(20),
    offset: 1,
    sizeInBytes: 40,
    cardinality: 3,
  }
  let snapshot = await table.commit(undefined, [...first, add(encodeFilePath('sub dir/b=1.parquet'))])
  snapshot = await table.commit(snapshot, [
    { remove: { path: 'a', deletionTimestamp: 100, dataChange: true } },
    add('a', { deletionVector: vector, stats: '{"numRecords":5}', tags: { lsn: '0/1' } }),
    { txn: { appId: 'us', version: 7 } },
  ])
  await table.writeCheckpoint(snapshot, { removedSinceMs: 0 })
  snapshot = await table.commit(snapshot, [add('c')])
  for (const version of [0, 1]) await store.delete([commitKey('lake/t/', version)])
  const read = await table.snapshot()
  expect(read.version).toBe(2)
  expect(read.protocol).toEqual(snapshot.protocol)
  expect(read.metadata).toEqual(snapshot.metadata)
  expect([...read.files.keys()].sort()).toEqual([...snapshot.files.keys()].sort())
  expect([...read.files.values()].find(({ path }) => path === 'a')).toMatchObject({
    deletionVector: vector,
    tags: { lsn: '0/1' },
  })
  expect([...read.removed.keys()]).toEqual(['a'])
  expect(read.transactions.get('us')).toEqual({ appId: 'us', version: 7 })
})

test('hyparquet reads a checkpoint as the actions it holds', async () => {
  const store = openMemoryObjectStore({ disk: nodeDisk })
  const table = new DeltaTable(store, 'lake/t/')
  await table.writeCheckpoint(await table.commit(undefined, first), { removedSinceMs: 0 })
  const bytes = await store.get(checkpointKey('lake/t/', 0))
  const file = Uint8Array.from(bytes).buffer
  const compressors = { ZSTD: (input: Uint8Array, length: number) => decompress(input, length) }
  const rows = (await parquetReadObjects({ file, compressors })) as Record<
    string,
    Record<string, unknown> | undefined
  >[]
  expect(rows.find((row) => row.add)?.add).toMatchObject({ path: 'a', size: 10n })
  expect(rows.find((row) => row.metaData)?.metaData).toMatchObject({
    id: metadata.id,
    configuration: metadata.configuration,
  })
  expect(rows.find((row) => row.protocol)?.protocol).toMatchObject({
    minReaderVersion: 3,
    readerFeatures: ['columnMapping', 'deletionVectors', 'timestampNtz'],
  })
})

test('a missing commit, a version that is not there and a feature that is not known are three different errors', async () => {
  const keys = [0, 1, 3].map((version) => commitKey('t/', version))
  const codeOf = (work: () => unknown) => {
    try {
      work()
      return undefined
    } catch (error) {
      return isStorageError(error) ? error.code : 'other'
    }
  }
  expect(codeOf(() => planLogSegment('t/', keys))).toBe('corruption')
  expect(planLogSegment('t/', keys, 1).commitVersions).toEqual([0, 1])
  expect(codeOf(() => planLogSegment('t/', keys, 9))).toBe('not-found')
  expect(codeOf(() => planLogSegment('t/', []))).toBe('not-found')
  const table = new DeltaTable(openMemoryObjectStore({ disk: nodeDisk }), 't/')
  const protocol = { minReaderVersion: 3, minWriterVersion: 7, readerFeatures: ['rowTeleport'], writerFeatures: [] }
  await table.commit(undefined, [{ protocol }, { metaData: metadata }])
  const failure = await table.snapshot().then(
    () => undefined,
    (error: unknown) => error,
  )
  expect(isStorageError(failure, 'unsupported') && failure.message).toContain('rowTeleport')
})

test('a log is cut at a checkpoint, oldest part first; what is left reads as before, and what is gone says so', async () => {
  const store = openMemoryObjectStore({ disk: nodeDisk })
  const table = new DeltaTable(store, 't/')
  let snapshot = await table.commit(undefined, first)
  for (let version = 1; version <= 25; version++) {
    snapshot = await table.commit(snapshot, [add(`f${version}`)])
    if (version % 10 === 0) await table.writeCheckpoint(snapshot, { removedSinceMs: 0 })
  }
  expect(cutVersions('t/', await table.logKeys())).toEqual([10, 20])
  const filesOf = async (version?: number) => [...(await table.snapshot(version)).files.keys()].sort()
  const before = { at20: await filesOf(20), at23: await filesOf(23), newest: await filesOf() }
  const unneeded = logKeysBelow('t/', await table.logKeys(), 20)
  // 20 commits and a checkpoint, each after everything of earlier versions.
  expect(unneeded.length).toBe(21)
  const versions = unneeded.map((key) => Number(/(\d{20})/.exec(key)![1]))
  expect(versions).toEqual([...versions].sort((a, b) => a - b))
  for (const removed of [1, 11, 12, 21]) {
    await store.delete(unneeded.slice(0, removed))
    expect({ at20: await filesOf(20), at23: await filesOf(23), newest: await filesOf() }).toEqual(before)
    const failure = await table.snapshot(removed < 12 ? 5 : 19).then(
      () => undefined,
      (error: unknown) => error,
    )
    expect(isStorageError(failure, 'not-found') && failure.message).toMatch(
      /no longer kept.*version=\d+, oldestVersion=\d+/,
    )
  }
  expect(cutVersions('t/', await table.logKeys())).toEqual([])
  // What is missing above a checkpoint is damage.
  await store.delete([commitKey('t/', 22)])
  const damage = await table.snapshot().then(
    () => undefined,
    (error: unknown) => error,
  )
  expect(isStorageError(damage, 'corruption')).toBe(true)
})
