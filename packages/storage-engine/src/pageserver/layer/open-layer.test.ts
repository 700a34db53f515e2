import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { CorruptionError, isStorageError, StorageError } from '../../base/errors.ts'
import type { Disk, DiskFile } from '../../io/disk.ts'
import { nodeDisk } from '../../io/node-disk.ts'
import { Lsn } from '../../postgres/lsn.ts'
import { encodeKey } from '../key.ts'
import { writeDeltaLayer } from '../upkeep/write-delta-layer.ts'
import { BlockCache } from './block-cache.ts'
import { ChainBuilder } from './chain-builder.ts'
import { DeltaLayer } from './delta-layer.ts'
import { OpenLayer } from './open-layer.ts'
import { OPEN_LAYER_CHUNK_BYTES, OpenLayerPool } from './open-layer-pool.ts'

const folder = await mkdtemp(join(tmpdir(), 'tributary-open-layer-'))
afterAll(() => rm(folder, { recursive: true, force: true }))
let serial = 0
const newPath = () => join(folder, `file-${++serial}`)

const puts = fc.array(
  fc.record({
    relation: fc.integer({ min: 0, max: 300 }),
    block: fc.oneof(fc.integer({ min: 0, max: 5 }), fc.constant(0xffff_ffff)),
    length: fc.integer({ min: 0, max: 100 }),
    willInit: fc.boolean(),
    lsnStep: fc.integer({ min: 1, max: 3 }),
  }),
  { minLength: 1, maxLength: 600 },
)

test('every chain can be collected at every LSN, and the delta layer written from it holds the same', () => {
  fc.assert(
    fc.property(puts, (steps) => {
      const layer = new OpenLayer({
        pool: new OpenLayerPool(),
        disk: nodeDisk,
        path: newPath(),
        residentBytesMax: 1 << 30,
      })
      const written: { key: Uint8Array; lsn: Lsn; willInit: boolean; value: Uint8Array }[] = []
      let lsn = 2 ** 33
      for (const { relation, block, length, willInit, lsnStep } of steps) {
        lsn += lsnStep
        const key = encodeKey({ kind: 0, c: relation, e: block })
        const value = Uint8Array.from({ length }, (_, i) => (i + lsn) & 255)
        layer.put(key, Lsn.of(lsn), willInit, value)
        written.push({ key, lsn: Lsn.of(lsn), willInit, value })
      }
      const path = newPath()
      const task = { timelineId: '0'.repeat(32), source: layer.pack(), path, startLsn: 2 ** 33, endLsn: lsn + 1 }
      writeDeltaLayer(nodeDisk, task)
      const file = nodeDisk.openNow(path, 'read')
      const delta = new DeltaLayer({ file, objectName: path, layerNumber: 1, cache: new BlockCache(1 << 20) })
      for (const { key, lsn: at } of written.filter((_, i) => i % 7 === 0)) {
        for (const bound of [at - 1, at, lsn]) {
          const versions = written.filter((it) => Buffer.compare(it.key, key) === 0 && it.lsn <= bound).reverse()
          const end = versions.findIndex((it) => it.willInit)
          const expected = end < 0 ? versions : versions.slice(0, end + 1)
          for (const source of [layer, delta]) {
            const chain = new ChainBuilder()
            source.collect(key, 0, 0, bound, chain)
            expect(chain.lsns).toEqual(expected.map((it) => it.lsn))
            expect(chain.values.map((it) => Buffer.from(it))).toEqual(expected.map((it) => Buffer.from(it.value)))
            expect(chain.complete).toBe(end >= 0)
          }
        }
      }
      void file.close()
    }),
    { numRuns: 40 },
  )
})

async function spilled(disk: Disk = nodeDisk): Promise<{ layer: OpenLayer; path: string; values: Uint8Array[] }> {
  const path = newPath()
  const layer = new OpenLayer({ pool: new OpenLayerPool(), disk, path, residentBytesMax: OPEN_LAYER_CHUNK_BYTES })
  const values: Uint8Array[] = []
  for (let i = 0; i < 60; i++) {
    // One value larger than two chunks among small ones.
    const length = i === 31 ? 2 * OPEN_LAYER_CHUNK_BYTES + 5 : 90_000 + i
    const value = new Uint8Array(length).fill(i + 1)
    values.push(value)
    layer.put(encodeKey({ kind: 0, e: i }), Lsn.of(100 + i), true, value)
  }
  return { layer, path, values }
}

function read(layer: OpenLayer, block: number): Uint8Array {
  const chain = new ChainBuilder()
  layer.collect(encodeKey({ kind: 0, e: block }), 0, 0, 1000, chain)
  return chain.values[0]!
}

test('values are the same after they were spilled to the file, and memory is within its bound', async () => {
  const { layer, values } = await spilled()
  expect(layer.mustSpill).toBe(true)
  await layer.spill()
  expect(layer.mustSpill).toBe(false)
  values.forEach((value, i) => {
    expect(Buffer.compare(read(layer, i), value)).toBe(0)
  })
  const path = newPath()
  const { summary } = writeDeltaLayer(nodeDisk, {
    timelineId: '0'.repeat(32),
    source: layer.pack(),
    path,
    startLsn: 100,
    endLsn: 200,
  })
  expect(summary.rowCount).toBe(60)
  const { spillPath } = layer.pack()
  await layer.release()
  expect(await nodeDisk.stat(spillPath!)).toBeUndefined()
})

test('a damaged spill file is corruption, for reads and for the flush', async () => {
  const { layer, path } = await spilled()
  await layer.spill()
  const bytes = (await nodeDisk.readFile(path))!
  bytes[50_000]! ^= 4
  await writeFile(path, bytes)
  expect(() => read(layer, 0)).toThrow(CorruptionError)
  const task = { timelineId: '0'.repeat(32), source: layer.pack(), path: newPath(), startLsn: 100, endLsn: 200 }
  expect(() => writeDeltaLayer(nodeDisk, task)).toThrow(CorruptionError)
  await layer.release()
})

test('a full disk loses no value: spilling fails, reads go on, and it succeeds once there is room', async () => {
  let isFull = true
  const disk: Disk = {
    ...nodeDisk,
    async open(path, mode): Promise<DiskFile> {
      const file = await nodeDisk.open(path, mode)
      const write = file.write.bind(file)
      file.write = (bytes, position) => {
        if (isFull) return Promise.reject(new StorageError('exhausted', 'no space left on the disk'))
        return write(bytes, position)
      }
      return file
    },
  }
  const { layer, values } = await spilled(disk)
  await expect(layer.spill()).rejects.toSatisfy((error) => isStorageError(error, 'exhausted'))
  expect(layer.mustSpill).toBe(true)
  expect(Buffer.compare(read(layer, 0), values[0]!)).toBe(0)
  isFull = false
  await layer.spill()
  expect(layer.mustSpill).toBe(false)
  expect(Buffer.compare(read(layer, 0), values[0]!)).toBe(0)
  await layer.release()
})

test('two values of one key at one LSN are refused', () => {
  const layer = new OpenLayer({ pool: new OpenLayerPool(), disk: nodeDisk, path: newPath(), residentBytesMax: 1 << 20 })
  layer.put(encodeKey({ kind: 0 }), Lsn.of(5), true, new Uint8Array(1))
  expect(() => layer.put(encodeKey({ kind: 0 }), Lsn.of(5), true, new Uint8Array(1))).toThrow()
})
