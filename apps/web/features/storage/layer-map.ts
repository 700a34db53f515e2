import { parseLsn } from '../../lib/lsn.ts'
import { blocksBetween } from './layer-keys.ts'

export const layerKinds = ['delta', 'columnar', 'page-image'] as const
export type LayerKind = (typeof layerKinds)[number]

export interface LayerSpan {
  readonly name: string
  readonly kind: string
  readonly keyStart: string
  readonly keyEnd: string
  readonly lsnStart: string
  readonly lsnEnd: string
  readonly sizeBytes: string
}

/** A layer in the unit square: x over keys, y over the log with the newest at the top. */
export interface LayerBox<Layer> {
  readonly layer: Layer
  readonly left: number
  readonly right: number
  readonly top: number
  readonly bottom: number
}

export interface LayerMap<Layer> {
  readonly boxes: readonly LayerBox<Layer>[]
  readonly fromLsn: bigint
  readonly toLsn: bigint
}

/**
 * `steps`: each boundary of a layer is one step from the one before it, on either axis, so that every layer can be seen. `true`: the
 * log by bytes; keys by blocks within a relation, and one step of a chunk between relations, where a distance means nothing.
 */
export type LayerScale = 'steps' | 'true'

/** Blocks of a table that one columnar layer holds. */
const chunkBlocks = 8192

/** Places layers on the plane of keys and LSNs. A layer whose LSNs cannot be read is left out. */
export function placeLayers<Layer extends LayerSpan>(
  layers: readonly Layer[],
  scale: LayerScale = 'steps',
): LayerMap<Layer> {
  const spans = layers.flatMap((layer) => {
    const from = parseLsn(layer.lsnStart)
    const to = parseLsn(layer.lsnEnd)
    return from === undefined || to === undefined ? [] : [{ layer, from, to: to < from ? from : to }]
  })
  const keys = [...new Set(spans.flatMap(({ layer }) => [layer.keyStart, layer.keyEnd]))].sort(compare)
  const across = places(keys, (from, to) => (scale === 'steps' ? 1 : (blocksBetween(from, to) ?? chunkBlocks)))
  const lsns = [...new Set(spans.flatMap(({ from, to }) => [from, to]))].sort(compare)
  const up = places(lsns, (from, to) => (scale === 'steps' ? 1 : Number(to - from)))
  const fromLsn = lsns[0] ?? 0n
  const toLsn = lsns.at(-1) ?? 0n
  const boxes = spans
    .map(({ layer, from, to }) => ({
      layer,
      left: across.get(layer.keyStart) ?? 0,
      right: across.get(layer.keyEnd) ?? 0,
      top: 1 - (up.get(to) ?? 0),
      bottom: 1 - (up.get(from) ?? 0),
    }))
    .sort((a, b) => paintOrder(a.layer.kind) - paintOrder(b.layer.kind))
  return { boxes, fromLsn, toLsn }
}

/** Where each of the ascending values lies between 0 and 1, by the distance from one to the next. */
function places<Value>(values: readonly Value[], distance: (from: Value, to: Value) => number): Map<Value, number> {
  let sum = 0
  const sums = values.map((value, index) => {
    const before = index === 0 ? undefined : values[index - 1]
    if (before !== undefined) sum += distance(before, value)
    return [value, sum] as const
  })
  return new Map(sums.map(([value, place]) => [value, sum === 0 ? 0 : place / sum]))
}

/** A box on screen, in pixels. */
export interface DrawnBox {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** Boxes as they are drawn: none of them too small to be seen. */
export function drawBoxes(
  boxes: readonly LayerBox<unknown>[],
  { width, height, widthMin, heightMin }: { width: number; height: number; widthMin: number; heightMin: number },
): DrawnBox[] {
  return boxes.map(({ left, right, top, bottom }) => {
    const boxHeight = Math.max(heightMin, (bottom - top) * height)
    return {
      x: Math.min(left * width, width - widthMin),
      y: Math.min(top * height, height - boxHeight),
      width: Math.max(widthMin, (right - left) * width - 1),
      height: boxHeight,
    }
  })
}

/** The smallest box at a place, so that none hides behind a larger one; undefined beside all. */
export function boxAt(drawn: readonly DrawnBox[], x: number, y: number): number | undefined {
  let found: number | undefined
  let foundArea = Number.POSITIVE_INFINITY
  drawn.forEach((box, index) => {
    if (x < box.x || x > box.x + box.width || y < box.y || y > box.y + box.height) return
    const area = box.width * box.height
    if (area > foundArea) return
    found = index
    foundArea = area
  })
  return found
}

/** LSNs at which the log's axis is marked, true to scale: `count` parts of equal length. */
export function lsnTicks({ fromLsn, toLsn }: Pick<LayerMap<unknown>, 'fromLsn' | 'toLsn'>, count: number): bigint[] {
  const length = toLsn - fromLsn
  if (length <= 0n) return [fromLsn]
  return Array.from({ length: count + 1 }, (_, index) => fromLsn + (length * BigInt(index)) / BigInt(count))
}

function compare<Value extends string | bigint>(a: Value, b: Value): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** Thin ones over thick ones. */
function paintOrder(kind: string): number {
  const place = (layerKinds as readonly string[]).indexOf(kind)
  return place < 0 ? layerKinds.length : place
}

export interface KindTotal {
  readonly kind: string
  readonly count: number
  readonly bytes: number
}

/** Objects and bytes of each kind, the known kinds first and always there. */
export function totalsByKind(layers: readonly Pick<LayerSpan, 'kind' | 'sizeBytes'>[]): KindTotal[] {
  const totals = new Map<string, { count: number; bytes: number }>(
    layerKinds.map((kind) => [kind, { count: 0, bytes: 0 }]),
  )
  for (const { kind, sizeBytes } of layers) {
    const total = totals.get(kind) ?? { count: 0, bytes: 0 }
    totals.set(kind, { count: total.count + 1, bytes: total.bytes + Number(sizeBytes) })
  }
  return [...totals].map(([kind, total]) => ({ kind, ...total }))
}
