'use client'

import { formatBytes, formatCount } from '@tributary/ui/lib/format'
import { Bytes } from '@tributary/ui/patterns/bytes'
import { type Column, DataTable } from '@tributary/ui/patterns/data-table'
import { EmptyState } from '@tributary/ui/patterns/empty-state'
import { Skeleton } from '@tributary/ui/patterns/skeleton'
import { Button } from '@tributary/ui/primitives/button'
import { Panel } from '@tributary/ui/primitives/panel'
import { Segmented } from '@tributary/ui/primitives/segmented'
import { useState } from 'react'
import type { BranchLayersQuery } from '@/gql/graphql.ts'
import { LoadFailure } from '@/shell/load-failure.tsx'
import { describeKeys } from './layer-keys.ts'
import { type KindTotal, type LayerScale, totalsByKind } from './layer-map.ts'
import { KindPattern, LayerPicture } from './layer-picture.tsx'
import { layerLook } from './storage-words.ts'

export type Layer = NonNullable<NonNullable<BranchLayersQuery['project']>['branch']>['layers'][number]

/** More than this would be neither a picture nor a quick answer. */
export const layersMax = 5000
const tablePage = 50

const columns: Column<Layer>[] = [
  { key: 'kind', header: 'Kind', cell: (row) => <KindName kind={row.kind} /> },
  { key: 'size', header: 'Size', align: 'end', cell: (row) => <Bytes value={row.sizeBytes} /> },
  {
    key: 'lsn',
    header: 'LSNs',
    cell: (row) => (
      <span className="whitespace-nowrap font-mono">
        {row.lsnStart} – {row.lsnEnd}
      </span>
    ),
  },
  {
    key: 'keys',
    header: 'Keys',
    hideBelow: 'lg',
    cell: (row) => (
      <span className="text-label" title={`${row.keyStart} – ${row.keyEnd}`}>
        {describeKeys(row.keyStart, row.keyEnd)}
      </span>
    ),
  },
  { key: 'level', header: 'Level', align: 'end', hideBelow: 'md', cell: (row) => row.level },
  { key: 'local', header: 'Local copy', hideBelow: 'md', cell: (row) => (row.isLocal ? 'yes' : 'no') },
]

export interface LayersPanelProps {
  layers: readonly Layer[] | undefined
  error: Error | null
  onRetry(): void
  branchName: string | undefined
}

/** What of a branch lies in storage: as a picture, or as a table of the same. */
export function LayersPanel({ layers, error, onRetry, branchName }: LayersPanelProps) {
  const [view, setView] = useState<'picture' | 'table'>('picture')
  const [scale, setScale] = useState<LayerScale>('steps')
  const [shownCount, setShownCount] = useState(tablePage)
  return (
    <Panel
      title="Layer map"
      meta={branchName ? `of ${branchName}` : undefined}
      description="What storage holds: which keys, over which part of the log."
      actions={
        <>
          {view === 'picture' ? (
            <Segmented
              label="Scale of the picture"
              value={scale}
              onChange={setScale}
              options={[
                { value: 'steps', label: 'In steps' },
                { value: 'true', label: 'To scale' },
              ]}
            />
          ) : null}
          <Segmented
            label="Show layers as"
            value={view}
            onChange={setView}
            options={[
              { value: 'picture', label: 'Picture' },
              { value: 'table', label: 'Table' },
            ]}
          />
        </>
      }
      isFlush
    >
      {error && !layers ? (
        <LoadFailure error={error} what="the layers" onRetry={onRetry} />
      ) : layers === undefined ? (
        <div className="p-4" role="status" aria-label="Loading the layers">
          <Skeleton className="h-80 w-full" />
        </div>
      ) : layers.length === 0 ? (
        <EmptyState title="No layers of its own yet">
          What was written is still in memory and on the SafeKeepers, or is shared with the parent branch.
        </EmptyState>
      ) : (
        <>
          <Legend totals={totalsByKind(layers)} />
          {view === 'picture' ? (
            <div className="p-4">
              <LayerPicture layers={layers} scale={scale} />
            </div>
          ) : (
            <DataTable
              label="Layers"
              columns={columns}
              rows={layers.slice(0, shownCount)}
              rowKey={(row) => row.name}
              empty={null}
            />
          )}
          {view === 'table' && shownCount < layers.length ? (
            <div className="flex justify-center border-line border-t p-2.5">
              <Button size="small" variant="quiet" onClick={() => setShownCount(shownCount + tablePage)}>
                Show more ({formatCount(layers.length - shownCount)} left)
              </Button>
            </div>
          ) : null}
          {layers.length === layersMax ? (
            <p className="border-line border-t px-4 py-2 text-data text-ink-soft">
              The first {formatCount(layersMax)} layers are shown.
            </p>
          ) : null}
        </>
      )}
    </Panel>
  )
}

function Legend({ totals }: { totals: readonly KindTotal[] }) {
  return (
    <ul className="flex flex-wrap gap-x-6 gap-y-2 border-line border-b px-4 py-3" aria-label="Kinds of layers">
      {totals.map(({ kind, count, bytes }) => (
        <li key={kind} className="flex items-center gap-2 text-data" title={layerLook(kind).explanation}>
          <KindName kind={kind} />
          <span className="tabular text-ink-soft">
            {formatCount(count)} {count === 1 ? 'object' : 'objects'}, {formatBytes(bytes)}
          </span>
        </li>
      ))}
    </ul>
  )
}

function KindName({ kind }: { kind: string }) {
  const look = layerLook(kind)
  return (
    <span className="inline-flex items-center gap-2 whitespace-nowrap">
      <svg viewBox="0 0 14 14" className="size-3.5 shrink-0" aria-hidden="true">
        <defs>
          <KindPattern id={`legend-${kind}`} look={look} />
        </defs>
        <rect x="0.5" y="0.5" width="13" height="13" rx="2" fill={`url(#legend-${kind})`} stroke={look.color} />
      </svg>
      {look.label}
    </span>
  )
}
