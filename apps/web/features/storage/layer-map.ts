import { parseLsn } from '../../lib/lsn.ts'

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
 * Places layers on the plane of keys and LSNs. Both are sparse: keys over an enormous space, LSNs in bursts of writing. So each
 * boundary of a layer is one step from the one before it, on either axis. A layer whose LSNs cannot be read is left out.
 */
export function placeLayers<Layer extends LayerSpan>(layers: readonly Layer[]): LayerMap<Layer> {
  const spans = layers.flatMap((layer) => {
    const from = parseLsn(layer.lsnStart)
    const to = parseLsn(layer.lsnEnd)
    return from === undefined || to === undefined ? [] : [{ layer, from, to: to < from ? from : to }]
  })
  const keys = [...new Set(spans.flatMap(({ layer }) => [layer.keyStart, layer.keyEnd]))].sort(compare)
  const rank = new Map(keys.map((key, index) => [key, index]))
  const steps = Math.max(1, keys.length - 1)
  const lsns = [...new Set(spans.flatMap(({ from, to }) => [from, to]))].sort(compare)
  const lsnRank = new Map(lsns.map((lsn, index) => [lsn, index]))
  const fromLsn = lsns[0] ?? 0n
  const toLsn = lsns.at(-1) ?? 0n
  const height = Math.max(1, lsns.length - 1)
  const depth = (lsn: bigint) => 1 - (lsnRank.get(lsn) ?? 0) / height
  const boxes = spans
    .map(({ layer, from, to }) => ({
      layer,
      left: (rank.get(layer.keyStart) ?? 0) / steps,
      right: (rank.get(layer.keyEnd) ?? 0) / steps,
      top: depth(to),
      bottom: depth(from),
    }))
    .sort((a, b) => paintOrder(a.layer.kind) - paintOrder(b.layer.kind))
  return { boxes, fromLsn, toLsn }
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
