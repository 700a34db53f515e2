import { expect, test } from 'vitest'
import { AssertionError } from '../../base/assert.ts'
import { CorruptionError } from '../../base/errors.ts'
import { TimelineId } from '../../postgres/ids.ts'
import { Lsn } from '../../postgres/lsn.ts'
import { encodeKey } from '../key.ts'
import type { LayerDescriptor } from '../layer/layer-descriptor.ts'
import { formatLayerName } from '../layer/layer-name.ts'
import { decodeIndex, encodeIndex, type TimelineIndex } from './index-file.ts'
import { assertIndexInvariants } from './index-invariants.ts'

function layer(change: Partial<LayerDescriptor> = {}): LayerDescriptor {
  const name = {
    kind: 'delta' as const,
    level: 0 as const,
    keyStart: encodeKey({ kind: 0, e: 1 }),
    keyEnd: encodeKey({ kind: 0, e: 9 }),
    startLsn: Lsn.of(2 ** 40),
    endLsn: Lsn.of(2 ** 40 + 100),
    generation: 3,
    serial: 7,
    ...change,
  }
  return { sizeBytes: 1000, valueBytes: 4000, rowCount: 12, chainLengthMax: 5, ...name, name: formatLayerName(name) }
}

const index: TimelineIndex = {
  timelineId: TimelineId.parse('0123456789abcdef0123456789abcdef'),
  generation: 3,
  startLsn: Lsn.of(2 ** 40),
  ancestor: { timelineId: TimelineId.parse('fedcba9876543210fedcba9876543210'), lsn: Lsn.of(2 ** 40 - 8) },
  consistentLsn: Lsn.of(2 ** 40 + 99),
  gcCutoffLsn: Lsn.of(2 ** 40 + 50),
  retainedLsns: [Lsn.of(2 ** 40 + 3)],
  leases: [{ id: 'compute-7', lsn: Lsn.of(2 ** 40 + 60), endUnixMs: 1_800_000_000_000 }],
  attributes: { systemIdentifier: '7412345678901234567', name: 'größe' },
  layers: [layer()],
  damagedLayers: [{ name: layer().name, found: 'a checksum fails' }],
}

test('an index comes back as it was written', () => {
  expect(decodeIndex(encodeIndex(index), 'key')).toEqual(index)
  const counts = { wholePages: 1, undecodablePages: 0, patchedPages: 2, rawValues: 3, overflowValues: 4 }
  const withExceptions = { ...index, layers: [{ ...layer(), exceptions: counts }] }
  expect(decodeIndex(encodeIndex(withExceptions), 'key')).toEqual(withExceptions)
  const bare = {
    ...index,
    ancestor: undefined,
    layers: [],
    retainedLsns: [],
    leases: [],
    attributes: {},
    damagedLayers: [],
  }
  expect(decodeIndex(encodeIndex(bare), 'key')).toEqual(bare)
})

test('a flipped bit or a cut anywhere in an index is corruption that names the object', () => {
  const bytes = encodeIndex(index)
  for (let at = 0; at < bytes.length; at++) {
    for (const bit of [0, 3, 7]) {
      const damaged = bytes.slice()
      damaged[at]! ^= 1 << bit
      expect(() => decodeIndex(damaged, 'the-key'), `byte ${at}`).toThrow(/the-key/)
      expect(() => decodeIndex(damaged, 'the-key')).toThrow(CorruptionError)
    }
    expect(() => decodeIndex(bytes.subarray(0, at), 'key')).toThrow(CorruptionError)
  }
})

test('an index of a later format version is refused', () => {
  const text = new TextDecoder().decode(encodeIndex(index))
  expect(() =>
    decodeIndex(new TextEncoder().encode(text.replace('"formatVersion":1', '"formatVersion":2')), 'k'),
  ).toThrow(CorruptionError)
})

test.each<[string, TimelineIndex]>([
  ['a layer named twice', { ...index, layers: [layer(), layer()] }],
  ['a layer that is not what its name says', { ...index, layers: [{ ...layer(), startLsn: Lsn.of(2 ** 40 + 1) }] }],
  ['a layer of a later generation', { ...index, layers: [layer({ generation: 4 })] }],
  ['a layer beyond the consistent lsn', { ...index, consistentLsn: Lsn.of(2 ** 40 + 98) }],
  ['deltas that share a key and an lsn', { ...index, layers: [layer(), layer({ serial: 8, level: 1 })] }],
  ['a delta below the branch point', { ...index, layers: [layer({ startLsn: Lsn.of(2 ** 40 - 9) })] }],
  ['a cutoff beyond the history', { ...index, gcCutoffLsn: Lsn.of(2 ** 40 + 100) }],
])('an index with %s is not published', (_what, wrong) => {
  assertIndexInvariants(index)
  expect(() => assertIndexInvariants(wrong)).toThrow(AssertionError)
})
