import type { Lsn } from '../../postgres/lsn.ts'
import type { LayerDescriptor } from './layer-descriptor.ts'
import { isImage } from './layer-name.ts'
import { compareKeys } from './packed-key.ts'

/** Layers whose object is damaged, by name, with what was found. */
export type DamagedLayers = ReadonlyMap<string, Error>

export interface ReadBase {
  readonly image: LayerDescriptor | undefined
  /** Versions at or below are not to be read from deltas. */
  readonly floorLsn: number
  /** The damaged image that was passed over: then nothing but the deltas above `floorLsn`, and `image`, may be read. */
  readonly damaged: string | undefined
}

/** A part of the key space whose keys all have the same layers, in visiting order. */
export interface LayerMapPiece {
  readonly start: Uint8Array
  readonly end: Uint8Array
  readonly layers: readonly LayerDescriptor[]
}

/**
 * The layers of one timeline, immutable: every change makes a new map, so a read keeps what it started with.
 *
 * The key space is cut at every start and end of a layer; each piece lists its layers in the order in which a read must
 * visit them. Delta layers that share a key never share an LSN (index-invariants.ts), so for one key the order by end
 * LSN is the order of its versions. An image comes before the deltas that end with it, since it holds their outcome.
 */
export class LayerMap {
  static readonly empty = new LayerMap([])

  /** Newest first. */
  readonly layers: readonly LayerDescriptor[]
  /** Delta layers that are not cut by key yet. */
  readonly level0Count: number
  /** Start of each piece, ascending; the last piece is empty and ends the last layer. */
  readonly #boundaries: Uint8Array[]
  readonly #pieces: LayerDescriptor[][]

  constructor(layers: readonly LayerDescriptor[]) {
    this.layers = [...layers].sort(visitOrder)
    this.level0Count = layers.filter(({ kind, level }) => kind === 'delta' && level === 0).length
    this.#boundaries = sortedUnique(layers.flatMap((layer) => [layer.keyStart, layer.keyEnd]))
    this.#pieces = this.#boundaries.map(() => [])
    for (const layer of this.layers) {
      const from = this.#pieceOf(layer.keyStart)
      for (let piece = from; compareKeys(this.#boundaries[piece]!, layer.keyEnd) < 0; piece++) {
        this.#pieces[piece]!.push(layer)
      }
    }
  }

  /** The same with some layers replaced by others. */
  replace(removed: ReadonlySet<string>, added: readonly LayerDescriptor[]): LayerMap {
    return new LayerMap([...this.layers.filter((layer) => !removed.has(layer.name)), ...added])
  }

  /** All layers that cover the key, in visiting order. */
  covering(key: Uint8Array): readonly LayerDescriptor[] {
    const piece = this.#pieceOf(key)
    return piece < 0 ? [] : this.#pieces[piece]!
  }

  /** The piece that the key lies in: every key in [start, end) has the same layers. Undefined outside of all layers. */
  pieceAt(key: Uint8Array): LayerMapPiece | undefined {
    const piece = this.#pieceOf(key)
    const end = this.#boundaries[piece + 1]
    return piece < 0 || !end ? undefined : { start: this.#boundaries[piece]!, end, layers: this.#pieces[piece]! }
  }

  /** The newest image at or below `lsn` among layers in visiting order. */
  static imageBelow(layers: readonly LayerDescriptor[], lsn: number): LayerDescriptor | undefined {
    for (const layer of layers) if (isImage(layer) && layer.startLsn <= lsn) return layer
    return undefined
  }

  /**
   * Where a read at `lsn` of a key under `layers` (in visiting order) ends. An image in `damaged` is passed over when an
   * older one, and all WAL between the two, are there to take its place.
   */
  static baseBelow(
    layers: readonly LayerDescriptor[],
    lsn: number,
    damaged: DamagedLayers,
    gcCutoffLsn: number,
  ): ReadBase {
    const image = LayerMap.imageBelow(layers, lsn)
    if (!image || !damaged.has(image.name)) return { image, floorLsn: image?.startLsn ?? 0, damaged: undefined }
    // No delta with a version above the cutoff was ever removed: where none covers the key, nothing changed it. Below the
    // cutoff GC removes deltas one by one: what it left counts only as far down as it has no gap.
    let wholeDownToLsn: number = Math.min(image.startLsn, gcCutoffLsn)
    for (const layer of layers) {
      if (isImage(layer)) {
        const takesOver = layer.startLsn <= lsn && layer.startLsn >= wholeDownToLsn && !damaged.has(layer.name)
        if (takesOver) return { image: layer, floorLsn: layer.startLsn, damaged: image.name }
      } else if (layer.endLsn > wholeDownToLsn && layer.startLsn <= wholeDownToLsn) {
        wholeDownToLsn = layer.startLsn - 1
      }
    }
    return { image: undefined, floorLsn: wholeDownToLsn, damaged: image.name }
  }

  /** What a read of `key` at `lsn` visits: deltas above the newest image, newest first, then that image. */
  search(key: Uint8Array, lsn: Lsn): LayerDescriptor[] {
    const layers = this.covering(key)
    const image = LayerMap.imageBelow(layers, lsn)
    const found: LayerDescriptor[] = []
    for (const layer of layers) {
      if (isImage(layer) || layer.startLsn > lsn) continue
      if (image && layer.endLsn <= image.endLsn) break
      found.push(layer)
    }
    if (image) found.push(image)
    return found
  }

  /** True when images with an LSN in [fromLsn, toLsn], none of them in `damaged`, together cover [start, end). */
  coveredByImages(
    start: Uint8Array,
    end: Uint8Array,
    fromLsn: number,
    toLsn: number,
    damaged: DamagedLayers = NONE_DAMAGED,
  ): boolean {
    const covers = (it: LayerDescriptor) =>
      isImage(it) && it.startLsn >= fromLsn && it.startLsn <= toLsn && !damaged.has(it.name)
    for (let piece = this.#pieceOf(start); ; piece++) {
      const layers = piece < 0 ? undefined : this.#pieces[piece]
      if (!layers) return false
      if (!layers.some(covers)) return false
      const next = this.#boundaries[piece + 1]
      if (!next) return false
      if (compareKeys(next, end) >= 0) return true
    }
  }

  /** The pieces of [start, end) with their layers in visiting order; pieces without layers are left out. */
  pieces(start: Uint8Array, end: Uint8Array): LayerMapPiece[] {
    const found = []
    for (let piece = Math.max(0, this.#pieceOf(start)); piece < this.#boundaries.length - 1; piece++) {
      const from = this.#boundaries[piece]!
      const to = this.#boundaries[piece + 1]!
      if (compareKeys(from, end) >= 0) break
      if (this.#pieces[piece]!.length === 0 || compareKeys(to, start) <= 0) continue
      found.push({
        start: compareKeys(from, start) < 0 ? start : from,
        end: compareKeys(to, end) > 0 ? end : to,
        layers: this.#pieces[piece]!,
      })
    }
    return found
  }

  /** Layers with a key in [start, end), in visiting order. */
  overlapping(start: Uint8Array, end: Uint8Array): LayerDescriptor[] {
    return this.layers.filter((it) => compareKeys(it.keyStart, end) < 0 && compareKeys(it.keyEnd, start) > 0)
  }

  /** Number of the last piece that starts at or below the key, or -1. */
  #pieceOf(key: Uint8Array): number {
    let low = 0
    let high = this.#boundaries.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (compareKeys(this.#boundaries[middle]!, key) <= 0) low = middle + 1
      else high = middle
    }
    return low - 1
  }
}

const NONE_DAMAGED: DamagedLayers = new Map()

/** Of layers that end at one LSN. */
const KIND_ORDER = { columnar: 0, 'page-image': 1, delta: 2 } as const

function visitOrder(a: LayerDescriptor, b: LayerDescriptor): number {
  if (a.endLsn !== b.endLsn) return b.endLsn - a.endLsn
  if (a.kind !== b.kind) return KIND_ORDER[a.kind] - KIND_ORDER[b.kind]
  if (a.startLsn !== b.startLsn) return b.startLsn - a.startLsn
  return a.name < b.name ? -1 : 1
}

function sortedUnique(keys: Uint8Array[]): Uint8Array[] {
  const sorted = [...keys].sort(compareKeys)
  return sorted.filter((key, i) => i === 0 || compareKeys(sorted[i - 1]!, key) !== 0)
}
