/**
 * Reads over one timeline and its ancestors. All of it is synchronous: a layer whose file is not local is put on a list
 * of what to fetch, and the caller starts again when it is here.
 */
import { StorageError } from '../../base/errors.ts'
import { Lsn } from '../../postgres/lsn.ts'
import { KEY_BYTES } from '../key.ts'
import { ChainBuilder } from '../layer/chain-builder.ts'
import type { LayerDescriptor } from '../layer/layer-descriptor.ts'
import { LayerMap } from '../layer/layer-map.ts'
import type { LayerFiles, OpenLayerFile } from '../layer/layer-reader.ts'
import { compareKeys } from '../layer/packed-key.ts'
import type { StorageVersion } from './storage-version.ts'

/** One timeline of the line from a branch to its root. */
export interface ReadLink {
  /** Where this link's layers are. */
  readonly place: LayerPlace
  readonly version: StorageVersion
  /** Highest LSN to read here: the branch point, or no bound for the timeline that is asked. */
  readonly lsnMax: Lsn
  readonly lastRecordLsn: Lsn
}

export interface LayerPlace {
  objectKey(layerName: string): string
  path(layerName: string): string
}

export interface MissingLayer {
  readonly descriptor: LayerDescriptor
  readonly place: LayerPlace
}

export class LayerReads {
  readonly #files: LayerFiles
  readonly #links: readonly ReadLink[]
  /** Layers to fetch before the read can be answered, by name. */
  readonly missing = new Map<string, MissingLayer>()

  constructor(files: LayerFiles, links: readonly ReadLink[]) {
    this.#files = files
    this.#links = links
  }

  /** Chains of packed keys; of no use when `missing` is not empty. */
  collect(packedKeys: Uint8Array, keyCount: number, lsn: Lsn): ChainBuilder[] {
    const chains: ChainBuilder[] = []
    for (let i = 0; i < keyCount; i++) {
      const chain = new ChainBuilder()
      this.#collectKey(packedKeys, i * KEY_BYTES, lsn, chain)
      chains.push(chain)
    }
    return chains
  }

  /** Distinct keys in [start, end) with a version at or below `lsn` anywhere, ascending; some may be tombstones. */
  keys(start: Uint8Array, end: Uint8Array, lsn: Lsn): Uint8Array[] {
    const found: Uint8Array[] = []
    const visit = (key: Uint8Array) => {
      found.push(key.slice())
      return true
    }
    let bound = lsn
    for (const link of this.#links) {
      bound = Lsn.min(bound, link.lsnMax)
      requireIngested(link, bound)
      link.version.open.visitKeys(start, end, bound, visit)
      for (const { layer } of link.version.frozen) layer.visitKeys(start, end, bound, visit)
      for (const descriptor of link.version.map.overlapping(start, end)) {
        if (descriptor.startLsn > bound) continue
        const file = this.#open(descriptor, link)
        if (file?.kind === 'delta') file.layer.visitKeys(start, end, bound, visit)
        else file?.layer.visitKeys(start, end, visit)
      }
    }
    found.sort(compareKeys)
    return found.filter((key, i) => i === 0 || compareKeys(found[i - 1]!, key) !== 0)
  }

  /** All versions of a key in (fromLsn, toLsn], newest first. Images that upkeep made are no versions. */
  history(key: Uint8Array, fromLsn: Lsn, toLsn: Lsn): { lsn: Lsn; value: Uint8Array }[] {
    const found: { lsn: Lsn; value: Uint8Array }[] = []
    let bound = toLsn
    for (const link of this.#links) {
      bound = Lsn.min(bound, link.lsnMax)
      if (bound <= fromLsn) break
      requireIngested(link, bound)
      found.push(...link.version.open.history(key, fromLsn, bound))
      for (const { layer } of link.version.frozen) found.push(...layer.history(key, fromLsn, bound))
      for (const descriptor of link.version.map.covering(key)) {
        if (descriptor.kind !== 'delta' || descriptor.startLsn > bound || descriptor.endLsn <= fromLsn) continue
        const file = this.#open(descriptor, link)
        if (file?.kind === 'delta') found.push(...file.layer.history(key, fromLsn, bound))
      }
    }
    return found
  }

  #collectKey(keys: Uint8Array, offset: number, lsn: Lsn, chain: ChainBuilder): void {
    let bound = lsn
    for (const link of this.#links) {
      bound = Lsn.min(bound, link.lsnMax)
      requireIngested(link, bound)
      const { open, frozen, map } = link.version
      open.collect(keys, offset, 0, bound, chain)
      if (chain.isDone) return
      for (const { layer, afterLsn } of frozen) {
        if (afterLsn >= bound) continue
        layer.collect(keys, offset, 0, bound, chain)
        if (chain.isDone) return
      }
      if (map.layers.length > 0 && !this.#collectFromMap(link, keys, offset, bound, chain)) return
      if (chain.isDone) return
    }
  }

  /** False when a layer is missing: the chain cannot go on. */
  #collectFromMap(link: ReadLink, keys: Uint8Array, offset: number, lsn: Lsn, chain: ChainBuilder): boolean {
    const layers = link.version.map.covering(keys.subarray(offset, offset + KEY_BYTES))
    const image = LayerMap.imageBelow(layers, lsn)
    const floorLsn = image ? image.startLsn : 0
    for (const descriptor of layers) {
      if (descriptor.kind === 'page-image' || descriptor.startLsn > lsn) continue
      if (descriptor.endLsn <= floorLsn + 1) break
      const file = this.#open(descriptor, link)
      if (!file) return false
      if (file.kind === 'delta') file.layer.collect(keys, offset, floorLsn, lsn, chain)
      if (chain.isDone) return true
    }
    if (!image) return true
    const file = this.#open(image, link)
    if (file?.kind !== 'page-image') return false
    file.layer.collect(keys, offset, chain)
    return true
  }

  #open(descriptor: LayerDescriptor, link: ReadLink): OpenLayerFile | undefined {
    const file = this.#files.openNow(descriptor.name)
    if (!file) this.missing.set(descriptor.name, { descriptor, place: link.place })
    return file
  }
}

function requireIngested(link: ReadLink, lsn: Lsn): void {
  if (lsn <= link.lastRecordLsn) return
  throw new StorageError('unavailable', 'lsn is not ingested yet', {
    lsn: Lsn.format(lsn),
    lastRecordLsn: Lsn.format(link.lastRecordLsn),
  })
}
