'use client'

import { formatBytes } from '@tributary/ui/lib/format'
import { type Column, DataTable } from '@tributary/ui/patterns/data-table'
import { EmptyState } from '@tributary/ui/patterns/empty-state'
import { Lsn } from '@tributary/ui/patterns/lsn'
import { RelativeTime } from '@tributary/ui/patterns/relative-time'
import { Button } from '@tributary/ui/primitives/button'
import { useMemo, useState } from 'react'
import { MarkGlyph } from './timeline-legend.tsx'
import type { Lane, Mark, MarkKind } from './timeline-model.ts'
import { markWords } from './timeline-words.ts'

interface Row {
  lane: Lane
  mark: Mark
}

const pageSize = 50

/** Every mark as a row, newest first: for reading, searching and for those who cannot use the picture. */
export function EventsTable({
  lanes,
  isShown,
  isNarrow,
  onPick,
}: {
  lanes: readonly Lane[] | undefined
  isShown(kind: MarkKind): boolean
  /** Something stands beside it: the positions give way to the words. */
  isNarrow: boolean
  onPick(lane: Lane, mark: Mark): void
}) {
  const [limit, setLimit] = useState(pageSize)
  const rows = useMemo(
    () =>
      lanes
        ?.flatMap((lane) => lane.marks.filter((mark) => isShown(mark.kind)).map((mark) => ({ lane, mark })))
        .toSorted(
          (left, right) =>
            (right.mark.timeMs ?? 0) - (left.mark.timeMs ?? 0) || right.mark.lsnBytes - left.mark.lsnBytes,
        ),
    [lanes, isShown],
  )
  const columns: Column<Row>[] = [
    {
      key: 'kind',
      header: 'What',
      cell: ({ lane, mark }) => (
        <span className="flex items-center gap-2">
          <MarkGlyph kind={mark.kind} />
          <span>
            <span className="whitespace-nowrap">{markWords[mark.kind].label}</span>
            <span className="line-clamp-2 max-w-40 text-pretty text-ink-faint text-label md:hidden">
              <span className="sm:hidden">{lane.name} · </span>
              {mark.summary}
            </span>
          </span>
        </span>
      ),
    },
    { key: 'branch', header: 'Branch', hideBelow: 'sm', cell: ({ lane }) => lane.name },
    {
      key: 'summary',
      header: 'Details',
      hideBelow: 'md',
      cell: ({ mark }) => <span className="break-words">{mark.summary}</span>,
    },
    {
      key: 'size',
      header: 'WAL',
      align: 'end',
      hideBelow: 'lg',
      cell: ({ mark }) => (
        <span className="tabular whitespace-nowrap">
          {mark.sizeBytes === undefined ? '–' : formatBytes(mark.sizeBytes)}
        </span>
      ),
    },
    { key: 'lsn', header: 'LSN', hideBelow: 'sm', cell: ({ mark }) => <Lsn value={mark.lsn} /> },
    {
      key: 'time',
      header: 'When',
      cell: ({ mark }) => <RelativeTime at={mark.timeMs === undefined ? null : new Date(mark.timeMs).toISOString()} />,
    },
    {
      key: 'pick',
      header: <span className="sr-only">Actions</span>,
      align: 'end',
      cell: ({ lane, mark }) => (
        <Button size="small" variant="quiet" onClick={() => onPick(lane, mark)}>
          Pick
        </Button>
      ),
    },
  ]
  return (
    <DataTable
      label="Timeline events"
      columns={isNarrow ? columns.filter(({ key }) => key !== 'size' && key !== 'lsn') : columns}
      rows={rows?.slice(0, limit)}
      rowKey={({ lane, mark }) => `${lane.branchId}-${mark.lsn}-${mark.kind}-${mark.summary}`}
      hasMore={(rows?.length ?? 0) > limit}
      onLoadMore={() => setLimit(limit + pageSize)}
      empty={
        <EmptyState title="No events yet">
          Schema changes, large transactions, failovers, snapshots and branch points appear here as they happen.
        </EmptyState>
      }
    />
  )
}
