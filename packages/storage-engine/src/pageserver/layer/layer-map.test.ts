import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Lsn } from '../../postgres/lsn.ts'
import { encodeKey } from '../key.ts'
import type { LayerDescriptor } from './layer-descriptor.ts'
import { LayerMap } from './layer-map.ts'
import { formatLayerName, parseLayerName } from './layer-name.ts'
import { compareKeys } from './packed-key.ts'

const key = (block: number) => encodeKey({ kind: 0, e: block })

const layerArbitrary = fc
  .record({
    isImage: fc.boolean(),
    start: fc.integer({ min: 0, max: 20 }),
    length: fc.integer({ min: 1, max: 12 }),
    startLsn: fc.integer({ min: 1, max: 40 }),
    lsnLength: fc.integer({ min: 1, max: 12 }),
    serial: fc.integer({ min: 1, max: 0xffff_ffff }),
  })
  .map(({ isImage, start, length, startLsn, lsnLength, serial }): LayerDescriptor => {
    const name = {
      kind: isImage ? ('page-image' as const) : ('delta' as const),
      level: 1 as const,
      keyStart: key(start),
      keyEnd: key(start + length),
      startLsn: Lsn.of(startLsn),
      endLsn: Lsn.of(isImage ? startLsn + 1 : startLsn + lsnLength),
      generation: 1,
      serial,
    }
    return { ...name, name: formatLayerName(name), sizeBytes: 1, valueBytes: 1, rowCount: 1, chainLengthMax: 1 }
  })

/** Layers in which deltas that share a key share no LSN, as the index guarantees. */
const layersArbitrary = fc.array(layerArbitrary, { maxLength: 30 }).map((layers) =>
  layers.filter((layer, i) => {
    const collides = layers.slice(0, i).some((other) => {
      const sharesKeys = compareKeys(other.keyStart, layer.keyEnd) < 0 && compareKeys(layer.keyStart, other.keyEnd) < 0
      const sharesLsns = other.startLsn < layer.endLsn && layer.startLsn < other.endLsn
      return other.name === layer.name || (other.kind === layer.kind && sharesKeys && sharesLsns)
    })
    return !collides
  }),
)

/** The definition: deltas that may hold versions above the newest image at or below the LSN, newest first; that image. */
function bruteForce(layers: readonly LayerDescriptor[], at: Uint8Array, lsn: number): string[] {
  const covering = layers.filter((it) => compareKeys(it.keyStart, at) <= 0 && compareKeys(at, it.keyEnd) < 0)
  const images = covering.filter((it) => it.kind === 'page-image' && it.startLsn <= lsn)
  const image = images.sort((a, b) => b.startLsn - a.startLsn)[0]
  const deltas = covering
    .filter((it) => it.kind === 'delta' && it.startLsn <= lsn && it.endLsn - 1 > (image?.startLsn ?? 0))
    .sort((a, b) => b.endLsn - a.endLsn)
  return [...deltas, ...(image ? [image] : [])].map((it) => it.name)
}

test('a search finds the layers that the definition names, in the order of versions', () => {
  fc.assert(
    fc.property(layersArbitrary, (layers) => {
      const map = new LayerMap(layers)
      for (let block = 0; block < 34; block++) {
        for (let lsn = 0; lsn < 55; lsn += 3) {
          expect(map.search(key(block), Lsn.of(lsn)).map((it) => it.name)).toEqual(bruteForce(layers, key(block), lsn))
        }
      }
    }),
    { numRuns: 60 },
  )
})

test('replacing layers gives the map that would have been built of the outcome', () => {
  fc.assert(
    fc.property(layersArbitrary, fc.integer({ min: 0, max: 30 }), (layers, cut) => {
      const removed = new Set(layers.slice(0, cut).map((it) => it.name))
      const added = layers.slice(cut)
      const map = new LayerMap(layers.slice(0, cut)).replace(removed, added)
      expect(map.layers).toEqual(new LayerMap(added).layers)
    }),
    { numRuns: 30 },
  )
})

test('a range counts as covered by images exactly when each of its keys is', () => {
  fc.assert(
    fc.property(
      layersArbitrary,
      fc.nat(25),
      fc.integer({ min: 1, max: 8 }),
      fc.nat(40),
      (layers, start, length, from) => {
        const map = new LayerMap(layers)
        const to = from + 10
        const images = layers.filter((it) => it.kind === 'page-image' && it.startLsn >= from && it.startLsn <= to)
        const isCovered = (block: number) =>
          images.some((it) => compareKeys(it.keyStart, key(block)) <= 0 && compareKeys(key(block), it.keyEnd) < 0)
        const blocks = Array.from({ length }, (_, i) => start + i)
        expect(map.coveredByImages(key(start), key(start + length), from, to)).toBe(blocks.every(isCovered))
      },
    ),
  )
})

test('a layer name says what the layer is, and no other text passes for one', () => {
  fc.assert(
    fc.property(layerArbitrary, (layer) => {
      const { kind, level, keyStart, keyEnd, startLsn, endLsn, generation, serial } = layer
      const parsed = parseLayerName(layer.name)
      expect(parsed).toEqual({ kind, level, keyStart, keyEnd, startLsn, endLsn, generation, serial })
      expect(parseLayerName(`${layer.name}0`)).toBeUndefined()
      expect(parseLayerName(layer.name.toUpperCase())).toBeUndefined()
    }),
  )
  expect(parseLayerName('index-00000001.json')).toBeUndefined()
})
