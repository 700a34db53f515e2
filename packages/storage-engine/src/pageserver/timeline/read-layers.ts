/**
 * Reads over one timeline and its ancestors. All of it is synchronous: a layer whose file is not local is put on a list
 * of what to fetch, and the caller starts again when it is here.
 */
import { StorageError } from '../../base/errors.ts'
import type { TimelineId } from '../../postgres/ids.ts'
import { Lsn } from '../../postgres/lsn.ts'
import { encodePageImage } from '../../redo/page-change.ts'
import { KEY_BYTES } from '../key.ts'
import { ChainBuilder } from '../layer/chain-builder.ts'
import {
  blockInLayer,
  type ColumnarSegments,
  columnarBlockCount,
  pageOfSegment,
  SEGMENT_PAGES,
  type SegmentPages,
} from '../layer/columnar-segments.ts'
import type { LayerDescriptor } from '../layer/layer-descriptor.ts'
import { type DamagedLayers, LayerMap, type LayerMapPiece, type ReadBase } from '../layer/layer-map.ts'
import { isImage } from '../layer/layer-name.ts'
import type { LayerFiles, OpenLayerFile } from '../layer/layer-reader.ts'
import { localPagesName } from '../layer/local-pages.ts'
import { blockOf, writeBlock } from '../layer/open-layer-index.ts'
import { compareKeys, comparePacked } from '../layer/packed-key.ts'
import type { StorageVersion } from './storage-version.ts'

/** One timeline of the line from a branch to its root. */
export interface ReadLink {
  /** Where this link's layers are. */
  readonly place: LayerPlace
  readonly version: StorageVersion
  /** Highest LSN to read here: the branch point, or no bound for the timeline that is asked. */
  readonly lsnMax: Lsn
  readonly lastRecordLsn: Lsn
  /** Where this link's own WAL begins. */
  readonly startLsn: Lsn
  /** No layer of `version` with a version above this was removed. */
  readonly gcCutoffLsn: Lsn
}

export interface LayerPlace {
  readonly timelineId: TimelineId
  objectKey(layer: LayerDescriptor): string
  path(layerName: string): string
}

export interface MissingLayer {
  readonly descriptor: LayerDescriptor
  readonly place: LayerPlace
}

export interface MissingSegment extends MissingLayer {
  readonly segment: number
}

/** What the last key of a link was found under: neighbours mostly share it. */
interface PieceInUse {
  readonly piece: LayerMapPiece
  readonly lsn: Lsn
  readonly base: ReadBase
}

/** Fewer than LayerFiles leaves open when it closes files that are idle. */
const OPENED_KNOWN_MAX = 64

/** Segments that a read has loaded: they stay for its whole length. */
export type HeldSegments = Map<string, Map<number, SegmentPages>>

export class LayerReads {
  readonly #files: LayerFiles
  readonly #segments: ColumnarSegments
  readonly #links: readonly ReadLink[]
  readonly #held: HeldSegments
  readonly #isScan: boolean
  readonly #unreadable: DamagedLayers
  readonly #opened = new Map<string, OpenLayerFile>()
  readonly #pieces = new Map<ReadLink, PieceInUse>()
  /** Layers to fetch before the read can be answered, by name. */
  readonly missing = new Map<string, MissingLayer>()
  /** Segments of columnar layers to load before the read can be answered. */
  readonly missingSegments = new Map<string, MissingSegment>()

  constructor(
    files: LayerFiles,
    segments: ColumnarSegments,
    links: readonly ReadLink[],
    held: HeldSegments = new Map(),
    /** Blocks of layers are read once and not kept. */
    isScan = false,
  ) {
    this.#files = files
    this.#segments = segments
    this.#unreadable = segments.unreadable
    this.#links = links
    this.#held = held
    this.#isScan = isScan
  }

  get isComplete(): boolean {
    return this.missing.size === 0 && this.missingSegments.size === 0
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
        if (descriptor.kind === 'columnar') {
          visitColumnarKeys(descriptor, start, end, visit)
          continue
        }
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
    const found = this.#pieceOf(link, keys, offset, lsn)
    if (!found) return true
    const { image, floorLsn, damaged } = found.base
    for (const descriptor of found.piece.layers) {
      if (isImage(descriptor) || descriptor.startLsn > lsn) continue
      if (descriptor.endLsn <= floorLsn + 1) break
      const file = this.#open(descriptor, link)
      if (!file) return false
      if (file.kind === 'delta') file.layer.collect(keys, offset, floorLsn, lsn, chain)
      if (chain.isDone) return true
    }
    if (!image) {
      // What the damaged layer held is nowhere else, unless this timeline's own WAL is whole from its first byte on.
      if (damaged !== undefined && floorLsn > link.startLsn) throw this.#unreadable.get(damaged)!
      return true
    }
    if (image.kind === 'columnar') return this.#collectFromColumns(image, link, keys, offset, chain)
    const file = this.#open(image, link)
    if (file?.kind !== 'page-image') return false
    file.layer.collect(keys, offset, chain)
    return true
  }

  #pieceOf(link: ReadLink, keys: Uint8Array, offset: number, lsn: Lsn): PieceInUse | undefined {
    const last = this.#pieces.get(link)
    if (
      last?.lsn === lsn &&
      comparePacked(keys, offset, last.piece.end, 0, KEY_BYTES) < 0 &&
      comparePacked(keys, offset, last.piece.start, 0, KEY_BYTES) >= 0
    ) {
      return last
    }
    const piece = link.version.map.pieceAt(keys.subarray(offset, offset + KEY_BYTES))
    if (!piece) return undefined
    const found = { piece, lsn, base: LayerMap.baseBelow(piece.layers, lsn, this.#unreadable, link.gcCutoffLsn) }
    this.#pieces.set(link, found)
    return found
  }

  #collectFromColumns(
    image: LayerDescriptor,
    link: ReadLink,
    keys: Uint8Array,
    offset: number,
    chain: ChainBuilder,
  ): boolean {
    const local = this.#openNow(localPagesName(image.name))
    if (local?.kind === 'page-image') {
      local.layer.collect(keys, offset, chain)
      return true
    }
    const position = blockInLayer(image, keys, offset)
    if (position < columnarBlockCount(image)) {
      const segment = Math.floor(position / SEGMENT_PAGES)
      const pages = this.#held.get(image.name)?.get(segment) ?? this.#segments.get(image.name, segment)
      if (!pages) {
        const missing = { descriptor: image, place: link.place, segment }
        this.missingSegments.set(`${image.name}/${segment}`, missing)
        return false
      }
      const page = pageOfSegment(pages, position)
      if (page) chain.add(image.startLsn, encodePageImage(page), true)
    }
    chain.isDone = true
    return true
  }

  #open(descriptor: LayerDescriptor, link: ReadLink): OpenLayerFile | undefined {
    const file = this.#openNow(descriptor.name)
    if (!file) this.missing.set(descriptor.name, { descriptor, place: link.place })
    return file
  }

  /** One read runs without a pause, so that what it has opened lately stays open. */
  #openNow(name: string): OpenLayerFile | undefined {
    const known = this.#opened.get(name)
    if (known) return known
    const file = this.#files.openNow(name)
    if (!file) return undefined
    file.layer.reader.keepsBlocks = !this.#isScan
    if (this.#opened.size >= OPENED_KNOWN_MAX) this.#opened.clear()
    this.#opened.set(name, file)
    return file
  }
}

/** Every block that the layer's file holds. */
function visitColumnarKeys(
  layer: LayerDescriptor,
  start: Uint8Array,
  end: Uint8Array,
  visit: (key: Uint8Array) => void,
): void {
  const key = layer.keyStart.slice()
  const firstBlock = blockOf(key, 0)
  for (let i = 0; i < columnarBlockCount(layer); i++) {
    writeBlock(key, firstBlock + i)
    if (compareKeys(key, start) >= 0 && compareKeys(key, end) < 0) visit(key)
  }
}

function requireIngested(link: ReadLink, lsn: Lsn): void {
  if (lsn <= link.lastRecordLsn) return
  throw new StorageError('unavailable', 'lsn is not ingested yet', {
    lsn: Lsn.format(lsn),
    lastRecordLsn: Lsn.format(link.lastRecordLsn),
  })
}
