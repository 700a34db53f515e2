'use client'

import { formatBytes } from '@tributary/ui/lib/format'
import { useEffect, useMemo, useRef, useState } from 'react'
import { formatLsn } from '@/lib/lsn.ts'
import { placeLayers } from './layer-map.ts'
import type { Layer } from './layers-panel.tsx'
import { type KindLook, layerLook, layerLooks } from './storage-words.ts'

const heightPx = 340
const layerWidthMinPx = 2
const layerHeightMinPx = 12

/** Layers as rectangles over keys (across) and the log (up). What is under the pointer is told below. */
export function LayerPicture({ layers }: { layers: readonly Layer[] }) {
  const frame = useRef<HTMLDivElement>(null)
  const [widthPx, setWidthPx] = useState(0)
  const [pointed, setPointed] = useState<number>()
  const map = useMemo(() => placeLayers(layers), [layers])
  useEffect(() => {
    const node = frame.current
    if (!node) return
    const observer = new ResizeObserver(([entry]) => setWidthPx(entry?.contentRect.width ?? 0))
    observer.observe(node)
    return () => observer.disconnect()
  }, [])
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
            const index = (event.target as Element).getAttribute('data-box')
            setPointed(index === null ? undefined : Number(index))
          }}
          onPointerLeave={() => setPointed(undefined)}
        >
          <defs>
            {Object.entries(layerLooks).map(([kind, look]) => (
              <KindPattern key={kind} id={`layer-${kind}`} look={look} />
            ))}
          </defs>
          {widthPx > 0
            ? map.boxes.map((box, index) => {
                const look = layerLook(box.layer.kind)
                const height = Math.max(layerHeightMinPx, (box.bottom - box.top) * heightPx)
                return (
                  <rect
                    key={box.layer.name}
                    data-box={index}
                    x={box.left * widthPx}
                    y={Math.min(box.top * heightPx, heightPx - height)}
                    width={Math.max(layerWidthMinPx, (box.right - box.left) * widthPx - 1)}
                    height={height}
                    fill={box.layer.kind in layerLooks ? `url(#layer-${box.layer.kind})` : look.color}
                    stroke={index === pointed ? 'var(--ink)' : look.color}
                    strokeWidth={index === pointed ? 2 : 1}
                  />
                )
              })
            : null}
        </svg>
      </div>
      <div className="flex flex-wrap justify-between gap-x-3 pt-1.5 font-mono text-ink-faint text-label">
        <span>{formatLsn(map.fromLsn)}</span>
        <span className="font-sans">keys, lowest to highest; each boundary is one step, on both axes</span>
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

function LayerFacts({ layer }: { layer: Layer }) {
  return (
    <>
      <p className="font-medium">
        {layerLook(layer.kind).label} · {formatBytes(layer.sizeBytes)} · level {layer.level} ·{' '}
        {layer.isLocal ? 'on local disk' : 'in object storage alone'}
      </p>
      <p className="break-all font-mono text-ink-soft text-label">
        {layer.lsnStart} – {layer.lsnEnd} · keys {layer.keyStart} – {layer.keyEnd}
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
