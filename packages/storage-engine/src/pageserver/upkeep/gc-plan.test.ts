import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Lsn } from '../../postgres/lsn.ts'
import { encodeKey } from '../key.ts'
import type { LayerDescriptor } from '../layer/layer-descriptor.ts'
import { LayerMap } from '../layer/layer-map.ts'
import { formatLayerName } from '../layer/layer-name.ts'
import { nextHorizon } from './gc.ts'
import { planGc } from './gc-plan.ts'

const KEYS = 8
const key = (block: number) => encodeKey({ kind: 0, e: block })
let serial = 0

function layer(
  kind: 'delta' | 'page-image',
  from: number,
  to: number,
  startLsn: number,
  endLsn: number,
): LayerDescriptor {
  const name = {
    kind,
    level: 1 as const,
    keyStart: key(from),
    keyEnd: key(to),
    startLsn: Lsn.of(startLsn),
    endLsn: Lsn.of(endLsn),
    generation: 1,
    serial: ++serial,
  }
  return { ...name, name: formatLayerName(name), sizeBytes: 1, valueBytes: 1, rowCount: 1, chainLengthMax: 1 }
}

/**
 * A history of one write to every key at every LSN, in delta layers that tile it, and images. A read of (key, lsn) is
 * answered when every LSN from the newest image below it on lies in a delta layer that is there.
 */
function isReadable(layers: readonly LayerDescriptor[], block: number, lsn: number, firstLsn: number): boolean {
  const covering = new LayerMap(layers).covering(key(block))
  const image = LayerMap.imageBelow(covering, lsn)
  for (let at = image ? image.startLsn + 1 : firstLsn; at <= lsn; at++) {
    if (!covering.some((it) => it.kind === 'delta' && it.startLsn <= at && at < it.endLsn)) return false
  }
  return true
}

/** Delta layers over every key and every LSN from 1 to 40, cut at random, and images of random ranges. */
const historyArbitrary = fc
  .record({
    lsnCuts: fc.uniqueArray(fc.integer({ min: 2, max: 40 }), { maxLength: 5 }),
    keyCuts: fc.array(fc.uniqueArray(fc.integer({ min: 1, max: KEYS - 1 }), { maxLength: 3 }), {
      minLength: 6,
      maxLength: 6,
    }),
    images: fc.array(
      fc.record({
        from: fc.nat(KEYS - 1),
        length: fc.integer({ min: 1, max: KEYS }),
        lsn: fc.integer({ min: 1, max: 40 }),
      }),
      { maxLength: 12 },
    ),
  })
  .map(({ lsnCuts, keyCuts, images }) => {
    const layers: LayerDescriptor[] = []
    const lsns = [1, ...[...lsnCuts].sort((a, b) => a - b), 41]
    for (let i = 0; i + 1 < lsns.length; i++) {
      const cuts = [0, ...[...keyCuts[i]!].sort((a, b) => a - b), KEYS]
      for (let k = 0; k + 1 < cuts.length; k++) {
        layers.push(layer('delta', cuts[k]!, cuts[k + 1]!, lsns[i]!, lsns[i + 1]!))
      }
    }
    for (const { from, length, lsn } of images) {
      layers.push(layer('page-image', from, Math.min(KEYS, from + length), lsn, lsn + 1))
    }
    return layers
  })

test('after a collection everything that must be readable is readable, around images that are damaged, too', () => {
  let removedTotal = 0
  fc.assert(
    fc.property(
      historyArbitrary,
      fc.integer({ min: 0, max: 40 }),
      fc.uniqueArray(fc.integer({ min: 1, max: 40 }), { maxLength: 3 }),
      fc.array(fc.boolean(), { maxLength: 12 }),
      (layers, cutoffLsn, retained, areDamaged) => {
        const retainedLsns = retained.filter((lsn) => lsn < cutoffLsn)
        const images = layers.filter(({ kind }) => kind === 'page-image')
        const damaged = new Map(images.filter((_, i) => areDamaged[i]).map(({ name }) => [name, new Error('bad')]))
        const removed = new Set(planGc(new LayerMap(layers), { cutoffLsn, retainedLsns }, damaged).map((it) => it.name))
        removedTotal += removed.size
        const left = layers.filter((it) => !removed.has(it.name) && !damaged.has(it.name))
        for (let block = 0; block < KEYS; block++) {
          for (let lsn = 1; lsn <= 40; lsn++) {
            if (lsn < cutoffLsn && !retainedLsns.includes(lsn)) continue
            expect(isReadable(left, block, lsn, 1), `key ${block} at ${lsn}`).toBe(true)
          }
        }
      },
    ),
    { numRuns: 400 },
  )
  expect(removedTotal).toBeGreaterThan(100)
})

test('a layer that begins at or below the cutoff and that no permitted read visits is removed', () => {
  fc.assert(
    fc.property(historyArbitrary, fc.integer({ min: 1, max: 40 }), (layers, cutoffLsn) => {
      const removed = new Set(planGc(new LayerMap(layers), { cutoffLsn, retainedLsns: [] }).map((it) => it.name))
      const map = new LayerMap(layers)
      const visited = new Set<string>()
      for (let block = 0; block < KEYS; block++) {
        for (let lsn = cutoffLsn; lsn <= 41; lsn++) {
          for (const it of map.search(key(block), Lsn.of(lsn))) visited.add(it.name)
        }
      }
      // Images of one range at one LSN are interchangeable: a search picks one of them.
      const twins = (it: LayerDescriptor) =>
        layers.some((other) => other !== it && other.kind === 'page-image' && other.startLsn === it.startLsn)
      for (const it of layers) {
        if (it.startLsn > cutoffLsn) continue
        if (!visited.has(it.name) && !(it.kind === 'page-image' && twins(it))) expect(removed.has(it.name)).toBe(true)
      }
    }),
    { numRuns: 200 },
  )
})

test('the cutoff never moves back or beyond what is durable, and nothing given up is retained again', () => {
  const index = { gcCutoffLsn: Lsn.of(50), retainedLsns: [Lsn.of(10), Lsn.of(20)], consistentLsn: Lsn.of(90) }
  expect(nextHorizon(index, { horizonLsn: Lsn.of(40), retainLsns: [] }, [])).toEqual({
    gcCutoffLsn: 50,
    retainedLsns: [],
  })
  expect(nextHorizon(index, { horizonLsn: Lsn.of(99), retainLsns: [Lsn.of(95)] }, [])).toEqual({
    gcCutoffLsn: 90,
    retainedLsns: [],
  })
  const { retainedLsns } = nextHorizon(index, { horizonLsn: Lsn.of(80), retainLsns: [Lsn.of(30), Lsn.of(70)] }, [
    Lsn.of(10),
    Lsn.of(60),
  ])
  expect(retainedLsns).toEqual([10, 60, 70])
})
