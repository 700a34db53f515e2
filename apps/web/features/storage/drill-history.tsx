import { formatCount, formatDuration } from '@tributary/ui/lib/format'
import { type Column, DataTable } from '@tributary/ui/patterns/data-table'
import { RelativeTime } from '@tributary/ui/patterns/relative-time'
import { OperationStateBadge } from '@/domain/state-badges.tsx'
import type { Drill } from './drill-report.tsx'
import { drillTitle } from './storage-words.ts'

export interface DrillHistoryProps {
  drills: readonly Drill[]
  openId: string | undefined
  onOpen(id: string): void
}

/** Drills of before; each opens its report. */
export function DrillHistory({ drills, openId, onOpen }: DrillHistoryProps) {
  if (drills.length === 0) return null
  const columns: Column<Drill>[] = [
    {
      key: 'kind',
      header: 'Earlier drills',
      cell: (drill) => (
        <button
          type="button"
          aria-expanded={drill.id === openId}
          className="text-left text-stream-strong hover:underline"
          onClick={() => onOpen(drill.id)}
        >
          {drillTitle(drill)}
        </button>
      ),
    },
    { key: 'at', header: 'When', hideBelow: 'sm', cell: (drill) => <RelativeTime at={drill.startedAt} /> },
    {
      key: 'lost',
      header: 'Lost',
      align: 'end',
      cell: ({ lost }) => <span className="tabular">{lost === null ? '–' : formatCount(lost)}</span>,
    },
    {
      key: 'away',
      header: 'Without service',
      align: 'end',
      hideBelow: 'md',
      cell: ({ unavailableMs }) => (
        <span className="tabular">{unavailableMs === null ? '–' : formatDuration(unavailableMs)}</span>
      ),
    },
    { key: 'state', header: 'State', cell: (drill) => <OperationStateBadge state={drill.state} /> },
  ]
  return (
    <div className="-mx-4 -mb-4 border-line border-t">
      <DataTable label="Earlier drills" columns={columns} rows={drills} rowKey={(drill) => drill.id} empty={null} />
    </div>
  )
}
