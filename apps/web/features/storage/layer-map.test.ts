import { expect, test } from 'vitest'
import { describeKeys } from './layer-keys.ts'
import { boxAt, drawBoxes, placeLayers, totalsByKind } from './layer-map.ts'

const layer = (kind: string, keys: [string, string], lsns: [string, string], sizeBytes = '10') => ({
  name: `${kind}-${keys[0]}`,
  kind,
  keyStart: keys[0],
  keyEnd: keys[1],
  lsnStart: lsns[0],
  lsnEnd: lsns[1],
  sizeBytes,
})

test('layers lie side by side in key order and the newest is at the top', () => {
  const map = placeLayers([
    layer('page-image', ['00', '0F'], ['0/200', '0/200']),
    layer('delta', ['00', '0F'], ['0/100', '0/200']),
    layer('delta', ['0F', 'FF'], ['0/200', '0/300']),
  ])
  expect(map.fromLsn).toBe(0x100n)
  expect(map.toLsn).toBe(0x300n)
  expect(map.boxes.map(({ left, right, top, bottom }) => [left, right, top, bottom])).toEqual([
    [0, 0.5, 0.5, 1],
    [0.5, 1, 0, 0.5],
    [0, 0.5, 0.5, 0.5],
  ])
})

test('true to scale, the log goes by bytes and keys by blocks of a relation', () => {
  const key = (relation: string, block: string) => `00${'0000067f'}${'00004004'}${relation}00${block}`
  const map = placeLayers(
    [
      layer('columnar', [key('00004010', '00000000'), key('00004010', '00002000')], ['0/100', '0/101']),
      layer('columnar', [key('00004010', '00002000'), key('00004010', '00008000')], ['0/100', '0/300']),
      layer('delta', [key('00004010', '00000000'), key('00004020', '00000000')], ['0/0', '0/100']),
    ],
    'true',
  )
  const round = (value: number) => Number(value.toFixed(3))
  // 8192, 24576 and, to another relation, one chunk of 8192 blocks.
  expect(map.boxes.map(({ left, right }) => [round(left), round(right)])).toEqual([
    [0, 1],
    [0, 0.2],
    [0.2, 0.8],
  ])
  expect(map.boxes.map(({ top, bottom }) => [round(top), round(bottom)])).toEqual([
    [0.667, 1],
    [0.665, 0.667],
    [0, 0.667],
  ])
  expect(map.grid?.bytes).toBe(0x100n)
  expect(map.grid?.tops.map(round)).toEqual([1, 0.667, 0.333])
  expect([map.acrossBreaks, map.upBreaks]).toEqual([[], []])
})

test('a stretch that to scale would hide all others is broken, said how long it is, and keeps its order', () => {
  const keys: [string, string] = ['00', '01']
  const map = placeLayers(
    [
      layer('delta', keys, ['0/0', '1/0']),
      layer('delta', keys, ['1/0', '1/100']),
      layer('delta', keys, ['1/100', '1/280']),
    ],
    'true',
  )
  const heights = map.boxes.map(({ top, bottom }) => Number((bottom - top).toFixed(3)))
  // 0.15 of what is to scale, then two parts to three.
  expect(heights).toEqual([0.13, 0.348, 0.522])
  expect(map.upBreaks.map(({ middle, length }) => [Number(middle.toFixed(3)), length])).toEqual([[0.935, 2 ** 32]])
  expect(map.grid?.bytes).toBe(0x80n)
  expect(map.grid?.tops).toHaveLength(5)
  expect(placeLayers(map.boxes.map((box) => box.layer)).upBreaks).toEqual([])
})

test('what is pointed at is the smallest box there, and a layer without height can be pointed at', () => {
  const keys: [string, string] = ['00', '01']
  const map = placeLayers(
    [layer('delta', keys, ['0/0', '0/400']), layer('page-image', keys, ['0/200', '0/200'])],
    'true',
  )
  const drawn = drawBoxes(map.boxes, { width: 100, height: 100, widthMin: 2, heightMin: 4 })
  expect(drawn[1]).toMatchObject({ y: 50, height: 4 })
  expect(boxAt(drawn, 10, 52)).toBe(1)
  expect(boxAt(drawn, 10, 60)).toBe(0)
  expect(boxAt(drawn, 100, 60)).toBeUndefined()
})

test('keys are named in the terms of Postgres', () => {
  const relation = '000000067f00004004'
  expect(describeKeys(`${relation}0000404a0000000000`, `${relation}0000404a0000002000`)).toBe(
    'relation 16458 of database 16388, blocks 0 to 8191',
  )
  expect(describeKeys(`${relation}0000404a0200000003`, `${relation}0000404a0200000004`)).toBe(
    'relation 16458 visibility map of database 16388, block 3',
  )
  expect(describeKeys(`${relation}0000404a0000000000`, '710000000000000000000000000000000001')).toBe(
    'relation 16458 of database 16388 to journal of commits',
  )
  expect(describeKeys('nonsense', 'nonsense')).toBe('nonsense – nonsense')
})

test('images are painted over deltas whatever their order in the answer', () => {
  const keys: [string, string] = ['00', '01']
  const map = placeLayers([
    layer('page-image', keys, ['0/2', '0/2']),
    layer('columnar', keys, ['0/2', '0/2']),
    layer('delta', keys, ['0/1', '0/2']),
  ])
  expect(map.boxes.map((box) => box.layer.kind)).toEqual(['delta', 'columnar', 'page-image'])
})

test('LSNs beyond 2^53 keep their order, unreadable ones are left out, and nothing makes an empty map', () => {
  const far = placeLayers([
    layer('delta', ['00', '01'], ['FFFFFFFF/0', 'FFFFFFFF/1']),
    layer('delta', ['00', '01'], ['FFFFFFFF/1', 'FFFFFFFF/2']),
    layer('delta', ['00', '01'], ['nonsense', '0/2']),
  ])
  expect(far.boxes.map(({ top, bottom }) => [top, bottom])).toEqual([
    [0.5, 1],
    [0, 0.5],
  ])
  expect(placeLayers([]).boxes).toEqual([])
})

test('totals count objects and bytes by kind, unknown kinds included', () => {
  const keys: [string, string] = ['00', '01']
  const layers = [
    layer('delta', keys, ['0/1', '0/2'], '5'),
    layer('delta', keys, ['0/1', '0/2'], '7'),
    layer('strange', keys, ['0/1', '0/2'], '1'),
  ]
  expect(totalsByKind(layers)).toEqual([
    { kind: 'delta', count: 2, bytes: 12 },
    { kind: 'columnar', count: 0, bytes: 0 },
    { kind: 'page-image', count: 0, bytes: 0 },
    { kind: 'strange', count: 1, bytes: 1 },
  ])
})
