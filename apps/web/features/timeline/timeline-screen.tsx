'use client'

import { EmptyState } from '@tributary/ui/patterns/empty-state'
import { PageHeader } from '@tributary/ui/patterns/page-header'
import { Skeleton } from '@tributary/ui/patterns/skeleton'
import { IconButton } from '@tributary/ui/primitives/icon-button'
import { Panel } from '@tributary/ui/primitives/panel'
import { Segmented } from '@tributary/ui/primitives/segmented'
import { Maximize2, ZoomIn, ZoomOut } from 'lucide-react'
import { memo, useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { ProjectTimelineDocument } from '@/gql/graphql.ts'
import { useGraphql } from '@/lib/use-graphql.ts'
import { LoadFailure, NotAvailable } from '@/shell/load-failure.tsx'
import { EventsTable } from './events-table.tsx'
import { PointPanel } from './point-panel.tsx'
import { TimelineCanvas } from './timeline-canvas.tsx'
import { TimelineLegend } from './timeline-legend.tsx'
import { type Axis, extentOf, type Lane, layoutLanes, type Mark, type MarkKind } from './timeline-model.ts'
import { lanesHeightPx } from './timeline-painter.ts'
import { fitView, zoomView } from './timeline-scale.ts'
import { createViewStore, type ViewStore } from './timeline-view.ts'
import { markKinds, type PickedPoint } from './timeline-words.ts'

/** A moment that is picked, a live tip: what stands around the picture has no part in them. */
const SteadyEventsTable = memo(EventsTable)
const SteadyLegend = memo(TimelineLegend)
const SteadyActions = memo(TimelineActions)

/** Marks come with the whole answer; tips move by subscription in between. */
const refetchEveryMs = 10_000
/** Checkpoints are many and tell little: shown on request. */
const hiddenAtFirst: readonly MarkKind[] = ['CHECKPOINT']
const zoomStep = 1.6
/** The width that buttons zoom by; any will do, the middle stays the middle. */
const buttonZoomPx = 1000

export function TimelineScreen({ projectId }: { projectId: string }) {
  const query = useGraphql(ProjectTimelineDocument, { id: projectId }, { refetchEveryMs })
  const [axis, setAxis] = useState<Axis>('time')
  const [view] = useState(createViewStore)
  const [picked, setPicked] = useState<PickedPoint>()
  const [hidden, setHidden] = useState<ReadonlySet<MarkKind>>(new Set(hiddenAtFirst))
  const isShown = useCallback((kind: MarkKind) => !hidden.has(kind), [hidden])
  const timeline = query.data?.project?.timeline
  const lanes = useMemo(() => (timeline ? layoutLanes(timeline.lanes) : undefined), [timeline])

  const counts = useMemo(() => countKinds(lanes ?? []), [lanes])
  const panel = useRef<HTMLDivElement>(null)
  const [fromTable, setFromTable] = useState<PickedPoint>()
  const pickMark = useCallback((lane: Lane, mark: Mark) => {
    const point: PickedPoint = { branchId: lane.branchId, axis: 'lsn', position: mark.lsnBytes }
    setPicked(point)
    setFromTable(point)
  }, [])
  // A row far down was pressed: what it opened may be out of sight.
  useEffect(() => {
    if (fromTable) panel.current?.scrollIntoView({ block: 'nearest' })
  }, [fromTable])

  const toggle = useCallback((kind: MarkKind) => setHidden((before) => toggled(before, kind)), [])
  const fit = useCallback(() => view.set(undefined), [view])
  const changeAxis = useCallback(
    (next: Axis) => {
      view.set(undefined)
      setAxis(next)
    },
    [view],
  )
  const zoom = useCallback(
    (factor: number) => {
      const extent = extentOf(lanes ?? [], axis)
      const change = { factor, anchorPx: buttonZoomPx / 2, widthPx: buttonZoomPx, extent, axis }
      view.set(zoomView(view.current() ?? fitView(extent), change))
    },
    [lanes, axis, view],
  )

  if (query.data && !query.data.project) return <NotAvailable what="this project" />
  const pickedLane = lanes?.find((lane) => lane.branchId === picked?.branchId)
  return (
    <>
      <PageHeader
        title="Timeline"
        description="Every branch of this project on one axis. Pick any moment to look at it, query it, branch from it or restore to it."
        actions={<SteadyActions axis={axis} onAxis={changeAxis} onZoom={zoom} onFit={fit} />}
      />
      <div className={`grid items-start gap-6 ${picked && pickedLane ? 'lg:grid-cols-[minmax(0,1fr)_20rem]' : ''}`}>
        {query.error ? (
          <Panel>
            <LoadFailure error={query.error} what="the timeline" onRetry={() => void query.refetch()} />
          </Panel>
        ) : (
          <div className="min-w-0 overflow-hidden rounded-lg border border-line bg-surface">
            <Picture lanes={lanes} axis={axis} view={view} isShown={isShown} picked={picked} onPick={setPicked} />
            <div className="border-line border-t px-4 py-3">
              <SteadyLegend hidden={hidden} counts={counts} onToggle={toggle} />
            </div>
          </div>
        )}
        {picked && pickedLane ? (
          // Beside the picture and the events on a wide screen, where it stays in sight; between them on a phone.
          <div className="lg:row-span-2 lg:sticky lg:top-19 lg:col-start-2 lg:row-start-1">
            <div ref={panel} className="scroll-mt-16 rounded-lg border border-line bg-surface">
              <PointPanel
                projectId={projectId}
                lane={pickedLane}
                point={picked}
                marks={marksAt(pickedLane, picked)}
                canWrite={query.data?.project?.viewerCanWrite ?? false}
                onMove={setPicked}
                onClose={() => setPicked(undefined)}
              />
            </div>
          </div>
        ) : null}
        <Panel title="Events" isFlush className="min-w-0">
          <SteadyEventsTable lanes={lanes} isShown={isShown} isNarrow={pickedLane !== undefined} onPick={pickMark} />
        </Panel>
      </div>
    </>
  )
}

function TimelineActions(props: { axis: Axis; onAxis(axis: Axis): void; onZoom(factor: number): void; onFit(): void }) {
  return (
    <>
      <Segmented
        label="Axis"
        value={props.axis}
        onChange={props.onAxis}
        options={[
          { value: 'time', label: 'Time' },
          { value: 'lsn', label: 'WAL (LSN)' },
        ]}
      />
      <div className="flex gap-1">
        <IconButton label="Zoom out" onClick={() => props.onZoom(zoomStep)}>
          <ZoomOut />
        </IconButton>
        <IconButton label="Zoom in" onClick={() => props.onZoom(1 / zoomStep)}>
          <ZoomIn />
        </IconButton>
        <IconButton label="Show everything" onClick={props.onFit}>
          <Maximize2 />
        </IconButton>
      </div>
    </>
  )
}

interface PictureProps {
  lanes: readonly Lane[] | undefined
  axis: Axis
  view: ViewStore
  isShown(kind: MarkKind): boolean
  picked: PickedPoint | undefined
  onPick(point: PickedPoint): void
}

function Picture({ lanes, ...props }: PictureProps) {
  if (!lanes) {
    return (
      <div role="status" aria-label="Loading the timeline" className="flex h-96 flex-col justify-center gap-7 px-6">
        {['w-11/12', 'w-2/3 ml-24', 'w-1/2 ml-40'].map((width) => (
          <Skeleton key={width} className={`h-1.5 ${width}`} />
        ))}
      </div>
    )
  }
  if (lanes.length === 0) return <EmptyState title="No branches">A project always has one; try to reload.</EmptyState>
  // As high as its lanes need, within what a window can show.
  const height = `clamp(13rem, ${lanesHeightPx(lanes.length) + 28}px, min(30rem, 70dvh))`
  return <TimelineCanvas {...props} lanes={lanes} height={height} />
}

function countKinds(lanes: readonly Lane[]): Record<MarkKind, number> {
  const counts = Object.fromEntries(markKinds.map((kind) => [kind, 0])) as Record<MarkKind, number>
  for (const lane of lanes) for (const mark of lane.marks) counts[mark.kind] = (counts[mark.kind] ?? 0) + 1
  return counts
}

function toggled(set: ReadonlySet<MarkKind>, kind: MarkKind): ReadonlySet<MarkKind> {
  const next = new Set(set)
  if (!next.delete(kind)) next.add(kind)
  return next
}

function marksAt(lane: Lane, point: PickedPoint): readonly Mark[] {
  return point.axis === 'lsn' ? lane.marks.filter((mark) => mark.lsnBytes === point.position) : []
}
