import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { CorruptionError } from '../../base/errors.ts'
import { nodeDisk } from '../../io/node-disk.ts'
import { encodeKey, KEY_BYTES } from '../key.ts'
import { BlockCache } from './block-cache.ts'
import { ChainBuilder } from './chain-builder.ts'
import { DELTA_SORT_KEY_BYTES, DeltaLayer, DeltaLayerWriter } from './delta-layer.ts'
import { PageImageLayer, PageImageLayerWriter } from './page-image-layer.ts'
import { ROW_LOCATION_BYTES } from './sorted-file.ts'

const folder = await mkdtemp(join(tmpdir(), 'tributary-layer-files-'))
afterAll(() => rm(folder, { recursive: true, force: true }))

const timelineId = Uint8Array.from({ length: 16 }, (_, i) => i)
const key = (block: number) => encodeKey({ kind: 0, a: 1663, b: 5, c: 16384, e: block })
let fileSerial = 0

interface Version {
  readonly block: number
  readonly lsn: number
  readonly willInit: boolean
  readonly value: Uint8Array
}

/** Some keys with long chains, some values larger than a block, some that do not compress, one empty. */
function makeVersions(keyCount: number): Version[] {
  let state = 1
  const random = () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0
    return state >>> 8
  }
  const versions: Version[] = []
  for (let block = 0; block < keyCount; block++) {
    const count = block % 10 === 3 ? 40 : 1 + (block % 3)
    for (let i = 0; i < count; i++) {
      const length = block === 5 ? 50_000 : block === 6 && i === 0 ? 0 : random() % 300
      const value = Uint8Array.from({ length }, (_, at) => (block % 2 ? random() & 255 : at & 15))
      versions.push({ block, lsn: 1000 + 10 * i + (block % 7), willInit: i === 0 || random() % 5 === 0, value })
    }
  }
  return versions
}

async function writeDelta(versions: readonly Version[]): Promise<string> {
  const path = join(folder, `delta-${++fileSerial}`)
  const file = await nodeDisk.open(path, 'create')
  const writer = new DeltaLayerWriter(file, timelineId)
  for (const { block, lsn, willInit, value } of versions) writer.add(key(block), lsn, willInit, value)
  const { sizeBytes } = writer.finish(1000, 2000)
  expect(file.sizeBytes()).toBe(sizeBytes)
  await file.close()
  return path
}

async function writeImages(versions: readonly Version[]): Promise<string> {
  const path = join(folder, `image-${++fileSerial}`)
  const file = await nodeDisk.open(path, 'create')
  const writer = new PageImageLayerWriter(file, timelineId)
  for (const { block, value } of versions) writer.add(key(block), value)
  writer.finish(key(0), key(10_000), 1500)
  await file.close()
  return path
}

function options(path: string, cacheBytes: number) {
  const file = nodeDisk.openNow(path, 'read')
  return { file, objectName: path, layerNumber: 1, cache: new BlockCache(cacheBytes) }
}

function expectedChain(versions: readonly Version[], block: number, floorLsn: number, lsn: number): Version[] {
  const chain: Version[] = []
  for (const version of versions.filter((it) => it.block === block && it.lsn <= lsn && it.lsn > floorLsn).reverse()) {
    chain.push(version)
    if (version.willInit) break
  }
  return chain
}

test.each([0, 1 << 20])(
  'a delta layer gives back every chain at every LSN (block cache of %i bytes)',
  async (cacheBytes) => {
    const versions = makeVersions(1200)
    const layer = new DeltaLayer(options(await writeDelta(versions), cacheBytes))
    expect(layer.reader.summary).toMatchObject({ rowCount: versions.length, startLsn: 1000, endLsn: 2000 })
    expect(layer.reader.timelineId).toEqual(timelineId)
    for (let block = 0; block < 1201; block += block < 40 ? 1 : 37) {
      for (const [floorLsn, lsn] of [
        [0, 999],
        [0, 1000],
        [0, 1003],
        [0, 1100],
        [1003, 1211],
        [0, 5000],
      ] as const) {
        const chain = new ChainBuilder()
        layer.collect(key(block), 0, floorLsn, lsn, chain)
        const expected = expectedChain(versions, block, floorLsn, lsn)
        expect(chain.lsns).toEqual(expected.map((it) => it.lsn))
        expect(chain.values.map((it) => Buffer.from(it))).toEqual(expected.map((it) => Buffer.from(it.value)))
        expect(chain.complete).toBe(expected.at(-1)?.willInit ?? false)
      }
    }
    const visited: Uint8Array[] = []
    layer.visitKeys(key(10), key(1100), 1003, (it) => {
      visited.push(it.slice())
      return true
    })
    const blocks = [...new Set(versions.filter((it) => it.lsn <= 1003).map((it) => it.block))]
    expect(visited).toEqual(blocks.filter((it) => it >= 10 && it < 1100).map(key))
    await layer.reader.close()
  },
)

test('an image layer gives back its values and says of every other key of its range that it does not exist', async () => {
  const versions = makeVersions(1200).filter((it, i, all) => all[i - 1]?.block !== it.block && it.block % 2 === 0)
  const layer = new PageImageLayer(options(await writeImages(versions), 0))
  for (let block = 0; block < 1200; block += 1 + (block % 3)) {
    const chain = new ChainBuilder()
    layer.collect(key(block), 0, chain)
    const expected = versions.find((it) => it.block === block)
    expect(chain.isDone).toBe(true)
    expect(chain.complete).toBe(expected !== undefined)
    expect(chain.values.map((it) => Buffer.from(it))).toEqual(expected ? [Buffer.from(expected.value)] : [])
  }
  await layer.reader.close()
})

test('a scan of a delta layer unpacks each block once, and leaves no data block in the cache', async () => {
  const versions = makeVersions(1200)
  const opened = options(await writeDelta(versions), 64 * 1024 * 1024)
  const layer = new DeltaLayer(opened)
  layer.reader.keepsBlocks = false
  for (let block = 0; block < 1200; block++) {
    const chain = new ChainBuilder()
    layer.collect(key(block), 0, 0, 5000, chain)
    const expected = expectedChain(versions, block, 0, 5000)
    expect(chain.values.map((it) => Buffer.from(it))).toEqual(expected.map((it) => Buffer.from(it.value)))
  }
  expect(layer.reader.blockCount).toBeGreaterThan(20)
  expect(opened.cache.missCount).toBeLessThanOrEqual(layer.reader.blockCount)
  // All index blocks, and nothing else.
  expect(opened.cache.sizeBytes).toBe(versions.length * (DELTA_SORT_KEY_BYTES + ROW_LOCATION_BYTES))
  await layer.reader.close()
})

/** Everything that a reader could ask the file. */
function readAll(open: () => DeltaLayer | PageImageLayer): string {
  const layer = open()
  try {
    const { reader } = layer
    const parts = [JSON.stringify(reader.summary, (_, value) => (value instanceof Uint8Array ? [...value] : value))]
    parts.push(Buffer.from(reader.timelineId).toString('hex'))
    for (let row = 0; row < reader.rowCount; row++) {
      const at = reader.rowOffset(row)
      const rowKey = reader.rowsOf(row).subarray(at, at + reader.kind.sortKeyBytes)
      parts.push(
        `${Buffer.from(rowKey).toString('hex')} ${reader.flag(row)} ${Buffer.from(reader.value(row)).toString('hex')}`,
      )
    }
    reader.verify()
    return parts.join('\n')
  } finally {
    void layer.reader.close()
  }
}

test.each(['delta', 'image'] as const)(
  'a flipped bit anywhere in a %s layer is corruption that names object and offset',
  async (kind) => {
    const versions = makeVersions(24).filter((it) => it.value.length < 1000)
    const firsts = versions.filter((it, i) => versions[i - 1]?.block !== it.block)
    const path = kind === 'delta' ? await writeDelta(versions) : await writeImages(firsts)
    const open = () =>
      kind === 'delta' ? new DeltaLayer(options(path, 1 << 20)) : new PageImageLayer(options(path, 1 << 20))
    const intact = readAll(open)
    expect(intact).toContain('true')
    const file = await nodeDisk.open(path, 'write')
    const original = new Uint8Array(1)
    const fileBytes = file.sizeBytes()
    for (let at = 0; at < fileBytes; at++) {
      file.readNow(original, at)
      file.writeNow(Uint8Array.of(original[0]! ^ (1 << (at % 8))), at)
      let error: unknown
      try {
        readAll(open)
      } catch (caught) {
        error = caught
      }
      expect(error, `byte ${at} of ${fileBytes}`).toBeInstanceOf(CorruptionError)
      const { fields } = error as CorruptionError
      expect(fields.object).toBe(path)
      expect(typeof fields.offsetBytes).toBe('number')
      file.writeNow(original, at)
    }
    expect(readAll(open)).toBe(intact)
    for (let length = 0; length < fileBytes; length += 97) {
      await file.truncate(fileBytes - 1 - length)
      expect(() => readAll(open)).toThrow(CorruptionError)
    }
    await file.close()
  },
)

test('a key range ends right after the last key, also where that carries over', async () => {
  const path = await writeDelta([{ block: 0xffff_ffff, lsn: 1000, willInit: true, value: new Uint8Array(1) }])
  const layer = new DeltaLayer(options(path, 0))
  expect(layer.reader.summary.keyEnd).toEqual(encodeKey({ kind: 0, a: 1663, b: 5, c: 16384, d: 1, e: 0 }))
  expect(layer.reader.summary.keyStart.length).toBe(KEY_BYTES)
  await layer.reader.close()
})
