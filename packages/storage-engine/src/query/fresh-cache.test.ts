import * as fs from 'node:fs'
import * as os from 'node:os'
import * as path from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { nodeDisk } from '../io/node-disk.ts'
import { Lsn } from '../postgres/lsn.ts'
import type { BlockSpan } from '../protocol/snapshot-plan.ts'
import { countBlocks, mergeSpans } from './block-span.ts'
import { type FreshFiles, type FreshKey, type FreshPart, FreshRowsCache, reuseParts, rowsOf } from './fresh-cache.ts'

const spans = fc
  .array(
    fc.tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 1, max: 9 })).map((pair): BlockSpan => pair),
    { maxLength: 8 },
  )
  .map(mergeSpans)

function blocksOf(list: readonly BlockSpan[]): number[] {
  return list.flatMap(([first, count]) => Array.from({ length: count }, (_, i) => first + i))
}

/** Files of which every block has as many rows as its number. */
function filesOf(blocks: readonly BlockSpan[], more: Partial<FreshFiles> = {}): FreshFiles {
  const rowCounts = Uint16Array.from(blocksOf(blocks))
  return { paths: [], sizeBytes: 0, hasOverflow: false, blocks, rowCounts, openBlocks: [], ...more }
}

test('each dirty block is in one kept part or missing, and no kept part has a block that changed', () => {
  fc.assert(
    fc.property(fc.array(spans, { maxLength: 8 }), spans, spans, (all, dirty, changed) => {
      const seen = new Set<number>()
      const parts = all.map((blocks): FreshPart => {
        const own = mergeSpans(blocksOf(blocks).flatMap((b): BlockSpan[] => (seen.has(b) ? [] : [[b, 1]])))
        for (const block of blocksOf(own)) seen.add(block)
        return { files: filesOf(blocks), blocks: own }
      })
      const { kept, missing } = reuseParts(parts, dirty, changed)
      const together = [...kept.flatMap(({ blocks }) => blocksOf(blocks)), ...blocksOf(missing)]
      expect(together.sort((a, b) => a - b)).toEqual(blocksOf(dirty))
      const bad = new Set(blocksOf(changed))
      for (const part of kept) {
        expect(blocksOf(part.blocks).filter((block) => bad.has(block))).toEqual([])
        expect(rowsOf(part)).toBe(blocksOf(part.blocks).reduce((sum, block) => sum + block, 0))
      }
      expect(kept.length).toBeLessThan(4)
    }),
  )
})

test('a part that holds nearly all of the dirty blocks is kept when a few of them change', () => {
  const part = { files: filesOf([[0, 100]]), blocks: [[0, 100] as const] }
  const { kept, missing } = reuseParts([part], [[0, 110]], [[40, 10]])
  expect(countBlocks(kept[0]!.blocks)).toBe(90)
  expect(missing).toEqual([
    [40, 10],
    [100, 10],
  ])
  expect(reuseParts([part], [[0, 110]], [[0, 60]]).kept).toEqual([])
})

test('files stay while a query uses them, then go with their entry; blocks with open transactions are not taken again', async () => {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'tributary-fresh-'))
  try {
    const cache = new FreshRowsCache({ disk: nodeDisk, directory: path.join(directory, 'fresh'), bytesMax: 1000 })
    await cache.open()
    const keyOf = (heap: string): FreshKey => ({ heap, columns: ['x'] })
    const add = async (key: string, lsn: number, openBlocks: readonly BlockSpan[] = []): Promise<FreshPart> => {
      const file = cache.newPath()
      fs.writeFileSync(file, 'rows')
      const blocks: BlockSpan[] = [[0, 10]]
      const part = { files: filesOf(blocks, { paths: [file], sizeBytes: 400, openBlocks }), blocks }
      cache.hold([part])
      await cache.put(keyOf(key), { lsn: Lsn.of(lsn), parts: [part] })
      return part
    }
    const exists = (part: FreshPart): boolean => fs.existsSync(part.files.paths[0]!)
    const a = await add('a', 100, [[3, 1]])
    await cache.release([a])
    expect(cache.take(keyOf('a'), Lsn.of(99))).toBeUndefined()
    const taken = cache.take(keyOf('a'), Lsn.of(100))!
    expect(taken.parts[0]!.blocks).toEqual([
      [0, 3],
      [4, 6],
    ])
    const later = await add('a', 200)
    await add('a', 150)
    expect([exists(a), cache.take(keyOf('a'), Lsn.of(300))!.lsn]).toEqual([true, 200])
    await cache.release(taken.parts)
    expect(exists(a)).toBe(false)
    await add('b', 100)
    await add('c', 100)
    expect([cache.take(keyOf('a'), Lsn.of(300)), exists(later)]).toEqual([undefined, true])
    // Its query, and the one above that took it.
    await cache.release([later, later])
    expect(exists(later)).toBe(false)
    expect(cache.sizeBytes).toBe(1200)
  } finally {
    fs.rmSync(directory, { recursive: true, force: true })
  }
})

test('rows decoded with more columns are taken for fewer, never for other ones; files that entries share count once', async () => {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'tributary-fresh-'))
  try {
    const cache = new FreshRowsCache({ disk: nodeDisk, directory: path.join(directory, 'fresh'), bytesMax: 1000 })
    await cache.open()
    const blocks: BlockSpan[] = [[0, 10]]
    const add = async (key: FreshKey, lsn: number): Promise<FreshPart> => {
      const file = cache.newPath()
      fs.writeFileSync(file, 'rows')
      const part = { files: filesOf(blocks, { paths: [file], sizeBytes: 400 }), blocks }
      cache.hold([part])
      await cache.put(key, { lsn: Lsn.of(lsn), parts: [part] })
      await cache.release([part])
      return part
    }
    const exists = (part: FreshPart): boolean => fs.existsSync(part.files.paths[0]!)
    const taken = async (heap: string, columns: string[], lsn: number): Promise<string | undefined> => {
      const found = cache.take({ heap, columns }, Lsn.of(lsn))
      if (found) await cache.release(found.parts)
      return found?.parts[0]?.files.paths[0]
    }
    const wide = await add({ heap: 'h', columns: ['a', 'b', 'c'] }, 100)
    const widePath = wide.files.paths[0]
    expect(await taken('h', ['b'], 100)).toBe(widePath)
    expect(await taken('h', ['c', 'a', 'b'], 100)).toBe(widePath)
    expect(await taken('h', [], 100)).toBe(widePath)
    expect(await taken('h', ['a', 'd'], 100)).toBeUndefined()
    expect(await taken('h', ['b'], 99)).toBeUndefined()
    expect(await taken('other', ['b'], 100)).toBeUndefined()
    const narrow = await add({ heap: 'h', columns: ['b'] }, 100)
    expect(await taken('h', ['b'], 200)).toBe(narrow.files.paths[0])
    expect(await taken('h', ['c'], 200)).toBe(widePath)
    // The same file under three more keys is no reason to evict anything.
    for (const columns of [['a'], ['c'], ['a', 'c']]) {
      await cache.put({ heap: 'h', columns }, { lsn: Lsn.of(150), parts: [wide] })
    }
    expect([exists(wide), exists(narrow), cache.sizeBytes]).toEqual([true, true, 800])
    // One more does not fit: all that is left of the least recently used goes, a shared file with the last that has it.
    await add({ heap: 'i', columns: [] }, 100)
    expect([exists(narrow), exists(wide), cache.sizeBytes]).toEqual([false, true, 800])
    expect(await taken('h', ['c'], 200)).toBe(widePath)
  } finally {
    fs.rmSync(directory, { recursive: true, force: true })
  }
})
