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
  readonly acrossBreaks: readonly AxisBreak[]
  readonly upBreaks: readonly AxisBreak[]
  /** Lines across at equal distances of the log; none in steps. */
  readonly grid: { readonly tops: readonly number[]; readonly bytes: bigint } | undefined
}

/** A stretch of an axis that is drawn shorter than it is: to scale it would leave no room for the others. */
export interface AxisBreak {
  /** Its middle, between 0 and 1; from the top for the log. */
  readonly middle: number
  /** Blocks, or bytes of the log. */
  readonly length: number
}

/**
 * `steps`: each boundary of a layer is one step from the one before it, on either axis, so that every layer can be seen. `true`: the
 * log by bytes; keys by blocks within a relation, and one step of a chunk between relations, where a distance means nothing.
 * Stretches that would hide all others are broken.
 */
export type LayerScale = 'steps' | 'true'

/** A stretch this many times as long as all others together is broken. */
const breakFrom = 2
const breaksMax = 3
/** Of what is drawn to scale, for each broken stretch. */
const breakShare = 0.15
const gridLines = 5

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
      left: across.of.get(layer.keyStart) ?? 0,
      right: across.of.get(layer.keyEnd) ?? 0,
      top: 1 - (up.of.get(to) ?? 0),
      bottom: 1 - (up.of.get(from) ?? 0),
    }))
    .sort((a, b) => paintOrder(a.layer.kind) - paintOrder(b.layer.kind))
  return {
    boxes,
    fromLsn,
    toLsn,
    acrossBreaks: across.breaks,
    upBreaks: up.breaks.map(({ middle, length }) => ({ middle: 1 - middle, length })),
    grid: scale === 'true' ? gridOf(lsns, up) : undefined,
  }
}

interface Places<Value> {
  /** Between 0 and 1. */
  readonly of: ReadonlyMap<Value, number>
  readonly breaks: readonly AxisBreak[]
  /** Stretches that are drawn to scale, by the place of their first value, and how long they are together. */
  readonly trueFrom: ReadonlySet<number>
  readonly trueLength: number
}

/** Where each of the ascending values lies between 0 and 1, by the distance from one to the next. */
function places<Value>(values: readonly Value[], distance: (from: Value, to: Value) => number): Places<Value> {
  const distances = values.slice(1).map((value, index) => distance(values[index] ?? value, value))
  const trueFrom = new Set(distances.keys())
  let trueLength = distances.reduce((sum, each) => sum + each, 0)
  const longest = [...distances.entries()].toSorted((a, b) => b[1] - a[1]).slice(0, breaksMax)
  for (const [index, length] of longest) {
    const others = trueLength - length
    if (others <= 0 || length <= others * breakFrom) break
    trueFrom.delete(index)
    trueLength = others
  }
  const drawn = distances.map((length, index) => (trueFrom.has(index) ? length : trueLength * breakShare))
  const whole = drawn.reduce((sum, each) => sum + each, 0)
  let sum = 0
  const of = new Map<Value, number>()
  for (const [index, value] of values.entries()) {
    sum += drawn[index - 1] ?? 0
    of.set(value, whole === 0 ? 0 : sum / whole)
  }
  const breaks = distances.flatMap((length, index) => {
    const [from, to] = [values[index], values[index + 1]]
    if (trueFrom.has(index) || from === undefined || to === undefined) return []
    return [{ middle: ((of.get(from) ?? 0) + (of.get(to) ?? 0)) / 2, length }]
  })
  return { of, breaks, trueFrom, trueLength }
}

/** Lines at round LSNs, where the log is to scale. */
function gridOf(lsns: readonly bigint[], up: Places<bigint>): LayerMap<unknown>['grid'] {
  if (up.trueLength <= 0) return undefined
  const bytes = 2n ** BigInt(Math.ceil(Math.log2(Math.max(1, up.trueLength / gridLines))))
  const tops: number[] = []
  for (const index of up.trueFrom) {
    const [from = 0n, to = 0n] = [lsns[index], lsns[index + 1]]
    const [low, high] = [up.of.get(from) ?? 0, up.of.get(to) ?? 0]
    for (let lsn = ((from + bytes - 1n) / bytes) * bytes; lsn < to; lsn += bytes) {
      tops.push(1 - (low + (Number(lsn - from) / Number(to - from)) * (high - low)))
    }
  }
  return { tops, bytes }
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
