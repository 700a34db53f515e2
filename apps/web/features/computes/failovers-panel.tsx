import { formatDuration } from '@tributary/ui/lib/format'
import { RelativeTime } from '@tributary/ui/patterns/relative-time'
import { Panel } from '@tributary/ui/primitives/panel'
import { ChevronRight } from 'lucide-react'
import type { FailoverDetailsFragment } from '@/gql/graphql.ts'
import { operationLabel } from '@/lib/operation-label.ts'
import { FailoverReport, LossBadge } from './failover-report.tsx'

/** The newest report in full, those before it as a line each that opens. */
export function FailoversPanel({ reports }: { reports: readonly FailoverDetailsFragment[] }) {
  const [newest, ...earlier] = reports
  if (!newest) return null
  return (
    <Panel title="Failovers" meta={reports.length} isFlush>
      <ul>
        <li className="border-line border-b p-4 last:border-b-0">
          <FailoverReport report={newest} />
        </li>
        {earlier.map((report) => (
          <li key={report.id} className="border-line border-b last:border-b-0">
            <details className="group">
              <summary className="flex cursor-pointer list-none flex-wrap items-center gap-x-3 gap-y-1 px-4 py-2.5 text-data outline-offset-[-2px] hover:bg-hover/50 [&::-webkit-details-marker]:hidden">
                <ChevronRight
                  className="size-3.5 shrink-0 text-ink-faint transition-transform group-open:rotate-90"
                  aria-hidden="true"
                />
                <LossBadge transactions={report.rpoTransactions} />
                <span className="min-w-0 flex-1 truncate">{operationLabel(report.cause)}</span>
                <span className="tabular whitespace-nowrap text-ink-faint">
                  {report.rtoMs === null ? 'running' : `${formatDuration(report.rtoMs)} without service`}
                </span>
                <RelativeTime at={report.requestedAt} className="w-21 text-right text-ink-faint max-sm:hidden" />
              </summary>
              <div className="px-4 pt-1 pb-4">
                <FailoverReport report={report} />
              </div>
            </details>
          </li>
        ))}
      </ul>
    </Panel>
  )
}
