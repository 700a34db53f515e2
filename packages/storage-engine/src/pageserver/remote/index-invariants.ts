import { assert } from '../../base/assert.ts'
import { Lsn } from '../../postgres/lsn.ts'
import { LayerMap } from '../layer/layer-map.ts'
import { formatLayerName } from '../layer/layer-name.ts'
import { compareKeys } from '../layer/packed-key.ts'
import type { TimelineIndex } from './index-file.ts'

/** A reason not to publish the index, or undefined. */
export type IndexInvariant = (index: TimelineIndex, map: LayerMap) => string | undefined

/** What must hold of every index file; the one function that writes index files runs them all. */
export const indexInvariants: readonly IndexInvariant[] = [
  function namesAreUnique({ layers }) {
    return new Set(layers.map((layer) => layer.name)).size === layers.length ? undefined : 'a layer is named twice'
  },

  function namesSayWhatLayersAre({ layers }) {
    const wrong = layers.find((layer) => formatLayerName(layer) !== layer.name)
    return wrong && `layer ${wrong.name} is described otherwise than its name says`
  },

  function damagedLayersAreNamed({ layers, damagedLayers }) {
    const names = new Set(layers.map((layer) => layer.name))
    const wrong = damagedLayers.find(({ name }) => !names.has(name))
    return wrong && `layer ${wrong.name} is damaged and not named`
  },

  function layersAreOfThisOrAnOlderGeneration({ layers, generation }) {
    const wrong = layers.find((layer) => layer.generation > generation)
    return wrong && `layer ${wrong.name} comes from a later generation`
  },

  function layersEndAtOrBelowTheConsistentLsn({ layers, consistentLsn }) {
    const wrong = layers.find((layer) => layer.endLsn > consistentLsn + 1)
    return wrong && `layer ${wrong.name} ends after ${Lsn.format(consistentLsn)}`
  },

  function aBranchHasNoDeltasBelowItsBranchPoint({ layers, ancestor }) {
    const wrong = ancestor && layers.find((layer) => layer.kind === 'delta' && layer.startLsn <= ancestor.lsn)
    return wrong && `layer ${wrong.name} reaches below the branch point`
  },

  function deltasThatShareAKeyShareNoLsn(_index, map) {
    if (map.layers.length === 0) return undefined
    for (const { layers } of map.pieces(new Uint8Array(18), new Uint8Array(18).fill(255))) {
      let older: { startLsn: number; name: string } | undefined
      for (const layer of layers) {
        if (layer.kind !== 'delta') continue
        if (older && layer.endLsn > older.startLsn) return `layers ${older.name} and ${layer.name} overlap`
        older = layer
      }
    }
    return undefined
  },

  function theCutoffLiesWithinTheHistory({ gcCutoffLsn, consistentLsn }) {
    return gcCutoffLsn <= consistentLsn ? undefined : 'the gc cutoff lies beyond the consistent lsn'
  },

  function keyRangesAreNotEmpty({ layers }) {
    const wrong = layers.find((layer) => compareKeys(layer.keyStart, layer.keyEnd) >= 0)
    return wrong && `layer ${wrong.name} covers no key`
  },
]

/** Throws an AssertionError when an invariant does not hold: publishing would make the damage durable. */
export function assertIndexInvariants(index: TimelineIndex, map: LayerMap = new LayerMap(index.layers)): void {
  for (const invariant of indexInvariants) {
    const reason = invariant(index, map)
    assert(reason === undefined, () => `index invariant ${invariant.name}: ${reason}`)
  }
}
