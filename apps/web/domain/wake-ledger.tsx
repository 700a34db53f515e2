'use client'

import { formatDuration } from '@tributary/ui/lib/format'
import { type Column, DataTable } from '@tributary/ui/patterns/data-table'
import { EmptyState } from '@tributary/ui/patterns/empty-state'
import { RelativeTime } from '@tributary/ui/patterns/relative-time'
import { Panel } from '@tributary/ui/primitives/panel'
import Link from 'next/link'
import { operationLabel } from '@/lib/operation-label.ts'
import { routes } from '@/lib/routes.ts'

export interface WakeRecord {
  at: string
  endpointId: string
  cause: string
  clientAddress: string | null
  role: string | null
  database: string | null
  waitMs: number | null
}

export interface WakeLedgerProps {
  projectId: string
  records: readonly WakeRecord[] | undefined
  endpoints: readonly { id: string; host: string }[]
}

/** What woke the computes: the answer to "why is it running?". */
export function WakeLedger({ projectId, records, endpoints }: WakeLedgerProps) {
  const hostOf = (id: string) => endpoints.find((endpoint) => endpoint.id === id)?.host
  const columns: Column<WakeRecord>[] = [
    { key: 'at', header: 'When', width: '7rem', cell: (row) => <RelativeTime at={row.at} /> },
    { key: 'cause', header: 'Woken by', cell: (row) => operationLabel(row.cause) },
    {
      key: 'client',
      header: 'Client',
      hideBelow: 'sm',
      cell: (row) => <span className="font-mono">{row.clientAddress ?? '–'}</span>,
    },
    {
      key: 'as',
      header: 'As',
      hideBelow: 'md',
      cell: (row) => (row.role ? `${row.role} on ${row.database ?? '–'}` : <span className="text-ink-faint">–</span>),
    },
    {
      key: 'endpoint',
      header: 'Endpoint',
      hideBelow: 'lg',
      cell: (row) => (
        <Link className="font-mono hover:text-stream-strong" href={routes.compute(projectId, row.endpointId)}>
          {hostOf(row.endpointId) ?? row.endpointId}
        </Link>
      ),
    },
    {
      key: 'wait',
      header: 'Client waited',
      align: 'end',
      cell: (row) => <span className="tabular">{row.waitMs === null ? '–' : formatDuration(row.waitMs)}</span>,
    },
  ]
  return (
    <Panel
      title="Wake-ups"
      description="Who or what woke a suspended compute, and how long that client waited."
      isFlush
    >
      <DataTable
        label="Wake-ups"
        columns={columns}
        rows={records}
        rowKey={(row) => `${row.at}-${row.endpointId}`}
        skeletonRows={3}
        empty={
          <EmptyState title="No wake-ups yet">
            A suspended compute wakes when a client connects. Which client that was, and how long it waited, is listed
            here.
          </EmptyState>
        }
      />
    </Panel>
  )
}
