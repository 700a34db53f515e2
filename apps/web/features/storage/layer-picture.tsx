'use client'

import { formatBytes, formatCount } from '@tributary/ui/lib/format'
import { useEffect, useMemo, useRef, useState } from 'react'
import { formatLsn } from '@/lib/lsn.ts'
import { describeKeys } from './layer-keys.ts'
import { type AxisBreak, boxAt, drawBoxes, type LayerMap, type LayerScale, placeLayers } from './layer-map.ts'
import type { Layer } from './layers-panel.tsx'
import { type KindLook, layerLook, layerLooks } from './storage-words.ts'

const heightPx = 340
const layerWidthMinPx = 2
/** To scale a page image has no height at all, and would not be seen. */
const layerHeightMinPx: Record<LayerScale, number> = { steps: 12, true: 4 }

/** Layers as rectangles over keys (across) and the log (up). What is under the pointer is told below. */
export function LayerPicture({ layers, scale }: { layers: readonly Layer[]; scale: LayerScale }) {
  const frame = useRef<HTMLDivElement>(null)
  const [widthPx, setWidthPx] = useState(0)
  const [pointed, setPointed] = useState<number>()
  const map = useMemo(() => placeLayers(layers, scale), [layers, scale])
  useEffect(() => {
    const node = frame.current
    if (!node) return
    const observer = new ResizeObserver(([entry]) => setWidthPx(entry?.contentRect.width ?? 0))
    observer.observe(node)
    return () => observer.disconnect()
  }, [])
  const drawn = useMemo(
    () =>
      widthPx === 0
        ? []
        : drawBoxes(map.boxes, {
            width: widthPx,
            height: heightPx,
            widthMin: layerWidthMinPx,
            heightMin: layerHeightMinPx[scale],
          }),
    [map, widthPx, scale],
  )
  const pointedBox = pointed === undefined ? undefined : drawn[pointed]
  const layer = pointed === undefined ? undefined : map.boxes[pointed]?.layer
  return (
    <figure className="m-0">
      <div className="flex justify-between gap-3 pb-1.5 font-mono text-ink-faint text-label">
        <span>{formatLsn(map.toLsn)}</span>
        <span className="font-sans">newest</span>
      </div>
      <div
        ref={frame}
        className="overflow-hidden rounded-sm border border-line bg-sunken"
        style={{ height: heightPx + 2 }}
      >
        <svg
          width={widthPx}
          height={heightPx}
          role="img"
          aria-label={`${layers.length} layers over keys and the log. The table shows the same.`}
          className="block"
          onPointerMove={(event) => {
            const frameBox = event.currentTarget.getBoundingClientRect()
            setPointed(boxAt(drawn, event.clientX - frameBox.left, event.clientY - frameBox.top))
          }}
          onPointerLeave={() => setPointed(undefined)}
        >
          <defs>
            {Object.entries(layerLooks).map(([kind, look]) => (
              <KindPattern key={kind} id={`layer-${kind}`} look={look} />
            ))}
          </defs>
          {map.grid?.tops.map((top) => (
            <line key={top} x1={0} x2={widthPx} y1={heightPx * top} y2={heightPx * top} stroke="var(--line)" />
          ))}
          {drawn.map((rect, index) => {
            const { kind, name } = map.boxes[index]?.layer ?? { kind: '', name: '' }
            const look = layerLook(kind)
            return (
              <rect
                key={name}
                {...rect}
                fill={kind in layerLooks ? `url(#layer-${kind})` : look.color}
                stroke={look.color}
              />
            )
          })}
          {map.upBreaks.map((each) => (
            <BreakMark key={each.middle} atPx={each.middle * heightPx} lengthPx={widthPx} />
          ))}
          {map.acrossBreaks.map((each) => (
            <BreakMark key={each.middle} atPx={each.middle * widthPx} lengthPx={heightPx} isUpright />
          ))}
          {pointedBox ? <rect {...pointedBox} fill="none" stroke="var(--ink)" strokeWidth="2" /> : null}
        </svg>
      </div>
      <div className="flex flex-wrap justify-between gap-x-3 pt-1.5 font-mono text-ink-faint text-label">
        <span>{formatLsn(map.fromLsn)}</span>
        <span className="font-sans">
          {scale === 'steps' ? 'keys, lowest to highest; each boundary is one step, on both axes' : trueScaleWords(map)}
        </span>
      </div>
      <figcaption className="mt-3 min-h-16 rounded-md bg-sunken px-3 py-2 text-data">
        {layer ? (
          <LayerFacts layer={layer} />
        ) : (
          <span className="text-ink-soft">Point at a layer to see its kind, size and ranges.</span>
        )}
      </figcaption>
    </figure>
  )
}

function trueScaleWords({ grid, upBreaks, acrossBreaks }: LayerMap<unknown>): string {
  const left = (breaks: readonly AxisBreak[]) => breaks.reduce((sum, { length }) => sum + length, 0)
  const leftOut = [
    ...(upBreaks.length > 0 ? [`${formatBytes(left(upBreaks))} of log`] : []),
    ...(acrossBreaks.length > 0 ? [`${formatCount(left(acrossBreaks))} blocks`] : []),
  ]
  return [
    'keys, lowest to highest, by blocks within a relation',
    ...(grid ? [`${formatBytes(grid.bytes)} of log from line to line`] : []),
    ...(leftOut.length > 0 ? [`a zigzag shortens ${leftOut.join(' and ')}`] : []),
  ].join('; ')
}

const zigzagPx = 6
const zigzagHalfPx = 3

/** The axis is cut here: a band with ragged edges across the picture. */
function BreakMark({ atPx, lengthPx, isUpright }: { atPx: number; lengthPx: number; isUpright?: boolean }) {
  const steps = Array.from({ length: Math.ceil(lengthPx / zigzagPx) + 1 }, (_, index) => index)
  const edge = (offsetPx: number) =>
    steps.map((step) => `${step * zigzagPx} ${offsetPx + (step % 2 === 0 ? -zigzagHalfPx : zigzagHalfPx)}`)
  const path = `M${edge(-zigzagHalfPx).join(' L')} L${edge(zigzagHalfPx).toReversed().join(' L')}`
  return (
    <g transform={isUpright ? `translate(${atPx} 0) rotate(90) scale(1 -1)` : `translate(0 ${atPx})`}>
      <path d={path} fill="var(--canvas)" stroke="var(--line-strong)" />
    </g>
  )
}

function LayerFacts({ layer }: { layer: Layer }) {
  return (
    <>
      <p className="font-medium">
        {layerLook(layer.kind).label} · {formatBytes(layer.sizeBytes)} · level {layer.level} ·{' '}
        {layer.isLocal ? 'on local disk' : 'in object storage alone'}
      </p>
      <p className="break-all font-mono text-ink-soft text-label">
        {layer.lsnStart} – {layer.lsnEnd} · {describeKeys(layer.keyStart, layer.keyEnd)}
      </p>
    </>
  )
}

export function KindPattern({ id, look }: { id: string; look: KindLook }) {
  return (
    <pattern id={id} width="7" height="7" patternUnits="userSpaceOnUse">
      <rect width="7" height="7" fill="var(--surface)" />
      <rect width="7" height="7" fill={look.color} fillOpacity={look.hatch === 'none' ? 0.32 : 0.22} />
      {look.hatch === 'rising' ? <path d="M-1 8 L8 -1" stroke={look.color} strokeWidth="1.5" /> : null}
      {look.hatch === 'dots' ? <circle cx="3.5" cy="3.5" r="1.4" fill={look.color} /> : null}
    </pattern>
  )
}
