import { expect, test } from 'vitest'
import { placeLayers, totalsByKind } from './layer-map.ts'

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
