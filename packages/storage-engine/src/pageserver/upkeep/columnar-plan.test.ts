import { expect, test } from 'vitest'
import { Lsn } from '../../postgres/lsn.ts'
import { encodeKey } from '../key.ts'
import { COLUMNAR_LAYER_PAGES } from '../layer/columnar-segments.ts'
import type { LayerDescriptor } from '../layer/layer-descriptor.ts'
import { LayerMap } from '../layer/layer-map.ts'
import { formatLayerName, parseLayerName } from '../layer/layer-name.ts'
import { compareKeys } from '../layer/packed-key.ts'
import { blockRange, planColumns, type UserHeap } from './columnar-plan.ts'

const heap = (relNumber: number, blockCount: number): UserHeap => ({
  locator: { spcOid: 1663, dbOid: 5, relNumber },
  tableOid: relNumber,
  definition: { name: 't', attributes: [] },
  isUtf8: true,
  blockCount,
})

const whole = { start: encodeKey({ kind: 0 }), end: encodeKey({ kind: 0x80 }) }

test('chunks and the rest cover what was to get images, and no key lies in two of them', () => {
  const { chunks, rest } = planColumns([whole], [heap(200, COLUMNAR_LAYER_PAGES + 5), heap(100, 40)], {
    blocksMin: 1,
    isColumnar: () => false,
  })
  expect(chunks.map(({ heap: { tableOid }, firstBlock, blockCount }) => [tableOid, firstBlock, blockCount])).toEqual([
    [100, 0, 40],
    [200, 0, COLUMNAR_LAYER_PAGES],
    [200, COLUMNAR_LAYER_PAGES, 5],
  ])
  const pieces = [...chunks.map(({ range }) => range), ...rest].sort((a, b) => compareKeys(a.start, b.start))
  expect(compareKeys(pieces[0]!.start, whole.start)).toBe(0)
  expect(compareKeys(pieces.at(-1)!.end, whole.end)).toBe(0)
  for (let i = 1; i < pieces.length; i++) expect(compareKeys(pieces[i - 1]!.end, pieces[i]!.start)).toBe(0)
})

test('a range that touches part of a chunk takes the whole chunk; small heaps stay rows unless they are columns already', () => {
  const range = blockRange(heap(100, 0).locator, 10, 20)
  const small = planColumns([range], [heap(100, 31)], { blocksMin: 32, isColumnar: () => false })
  expect(small).toEqual({ chunks: [], rest: [range] })
  const kept = planColumns([range], [heap(100, 31)], { blocksMin: 32, isColumnar: () => true })
  expect(kept.rest).toEqual([])
  expect(kept.chunks.map(({ firstBlock, blockCount }) => [firstBlock, blockCount])).toEqual([[0, 31]])
  const other = planColumns([range], [heap(101, 100)], { blocksMin: 1, isColumnar: () => false })
  expect(other.chunks).toEqual([])
})

let serial = 0
function layer(kind: 'delta' | 'page-image' | 'columnar', startLsn: number, endLsn = startLsn + 1): LayerDescriptor {
  const { start, end } = blockRange(heap(100, 0).locator, 0, COLUMNAR_LAYER_PAGES)
  const name = {
    kind,
    level: 1 as const,
    keyStart: start,
    keyEnd: end,
    startLsn: Lsn.of(startLsn),
    endLsn: Lsn.of(endLsn),
    generation: 1,
    serial: ++serial,
    ...(kind === 'columnar' ? { table: { oid: 100, columnsCrc: 7 } } : {}),
  }
  return { ...name, name: formatLayerName(name), sizeBytes: 1, valueBytes: 8192, rowCount: 1, chainLengthMax: 1 }
}

test('the name of a columnar layer says its table, and no other layer’s may', () => {
  const columnar = layer('columnar', 100)
  expect(columnar.name.endsWith('-00000064-00000007.parquet')).toBe(true)
  expect(parseLayerName(columnar.name)).toMatchObject({ kind: 'columnar', table: { oid: 100, columnsCrc: 7 } })
  expect(parseLayerName(columnar.name.replace('-c1-', '-i1-'))).toBeUndefined()
  expect(parseLayerName(layer('page-image', 100).name.replace('-i1-', '-c1-'))).toBeUndefined()
})

test('a damaged image is passed over only for an older one from which all WAL is still there', () => {
  const key = blockRange(heap(100, 0).locator, 3, 4).start
  const baseOf = (layers: LayerDescriptor[], damaged: LayerDescriptor[] = [], gcCutoffLsn = 300) => {
    const covering = new LayerMap(layers).covering(key)
    return LayerMap.baseBelow(covering, 300, new Map(damaged.map(({ name }) => [name, new Error()])), gcCutoffLsn)
  }
  const older = layer('columnar', 100)
  const newer = layer('columnar', 200)
  const bridge = [layer('delta', 90, 150), layer('delta', 150, 201)]
  const above = layer('delta', 201, 260)
  expect(baseOf([older, newer, ...bridge, above])).toMatchObject({ image: newer, floorLsn: 200, damaged: undefined })
  expect(baseOf([older, newer, ...bridge, above], [newer])).toMatchObject({ image: older, floorLsn: 100 })
  // Garbage collection took one delta between the two.
  expect(baseOf([older, newer, bridge[1]!, above], [newer])).toMatchObject({ image: undefined, floorLsn: 149 })
  expect(baseOf([older, newer, bridge[0]!, above], [newer])).toMatchObject({ image: undefined, floorLsn: 200 })
  expect(baseOf([older, newer, ...bridge, above], [newer, older])).toMatchObject({ image: undefined, floorLsn: 89 })
  // Above the cutoff none was taken: deltas in between were of other keys, and the key did not change.
  for (const gcCutoffLsn of [0, 100]) {
    expect(baseOf([older, newer, above], [newer], gcCutoffLsn)).toMatchObject({ image: older, floorLsn: 100 })
  }
  expect(baseOf([older, newer, above], [newer], 101)).toMatchObject({ image: undefined, floorLsn: 101 })
  expect(baseOf([older, newer, bridge[0]!], [newer], 120)).toMatchObject({ image: older, floorLsn: 100 })
})
