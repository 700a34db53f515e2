'use client'

import { Bytes } from '@tributary/ui/patterns/bytes'
import { type Column, DataTable } from '@tributary/ui/patterns/data-table'
import { EmptyState } from '@tributary/ui/patterns/empty-state'
import { Lsn } from '@tributary/ui/patterns/lsn'
import { StatusBadge } from '@tributary/ui/patterns/status-badge'
import { Panel } from '@tributary/ui/primitives/panel'
import { isMoving, stateTone } from './storage-words.ts'
import type { StorageState } from './use-storage-state.ts'

type Timeline = NonNullable<StorageState['pageserver']>['timelines'][number]

const columns: Column<Timeline>[] = [
  {
    key: 'branch',
    header: 'Branch',
    cell: (row) =>
      row.branchName ?? (
        <span
          className="text-ink-faint"
          title="Log of a branch that was deleted or restored; kept as long as branches or the restore window need it"
        >
          kept history <span className="font-mono">{row.timelineId.slice(0, 8)}</span>
        </span>
      ),
  },
  { key: 'last', header: 'Last record', cell: (row) => <Lsn value={row.lastRecordLsn} /> },
  {
    key: 'remote',
    header: 'In object storage to',
    hideBelow: 'sm',
    cell: (row) => <Lsn value={row.remoteConsistentLsn} />,
  },
  { key: 'lag', header: 'Behind', align: 'end', cell: (row) => <Bytes value={row.lagBytes} /> },
]

/** How far the PageServer has read the log of each branch, and how far that is in object storage. */
export function PageserverPanel({ state, projectId }: { state: StorageState | undefined; projectId: string }) {
  const pageserver = state?.pageserver
  return (
    <Panel
      title="PageServer"
      description="Reads the log from the SafeKeepers, serves pages, and writes layers to object storage."
      actions={
        state ? (
          <StatusBadge tone={stateTone(pageserver?.state ?? 'unreachable')} isLive={isMoving(pageserver?.state ?? '')}>
            {pageserver?.state ?? 'unreachable'}
          </StatusBadge>
        ) : null
      }
      isFlush
    >
      <DataTable
        label="Branches on the PageServer"
        columns={columns}
        rows={state ? (pageserver?.timelines ?? []).filter((timeline) => timeline.projectId === projectId) : undefined}
        rowKey={(row) => row.timelineId}
        skeletonRows={3}
        empty={
          <EmptyState title="No positions to show">
            The PageServer does not answer, or has not attached a branch of this project yet.
          </EmptyState>
        }
      />
    </Panel>
  )
}
