import { formatCounted, formatDuration } from '@tributary/ui/lib/format'
import { RelativeTime } from '@tributary/ui/patterns/relative-time'
import { type StepItem, Steps } from '@tributary/ui/patterns/steps'
import { Badge } from '@tributary/ui/primitives/badge'
import type { FailoverDetailsFragment } from '@/gql/graphql.ts'
import { operationLabel } from '@/lib/operation-label.ts'
import { failoverSteps } from './failover-steps.ts'

/** What a failover cost: in time for those who waited, in transactions for those who had been told "committed". */
export function FailoverReport({ report }: { report: FailoverDetailsFragment }) {
  const steps: StepItem[] = failoverSteps(report).map((step) => ({
    key: step.name,
    name: step.name,
    state: step.state,
    meta: step.atMs === undefined ? undefined : `${formatDuration(step.tookMs ?? 0)} · at ${formatDuration(step.atMs)}`,
  }))
  return (
    <div className="grid gap-x-8 gap-y-4 sm:grid-cols-[minmax(0,1fr)_minmax(0,1.4fr)]">
      <div>
        <p className="flex flex-wrap items-center gap-2">
          <LossBadge transactions={report.rpoTransactions} />
          <span className="text-data text-ink-faint">{operationLabel(report.cause)}</span>
        </p>
        <dl className="mt-3 grid grid-cols-[auto_1fr] gap-x-4 gap-y-1 text-data">
          <dt className="text-ink-faint">Without service (RTO)</dt>
          <dd className="tabular font-medium">{report.rtoMs === null ? 'running' : formatDuration(report.rtoMs)}</dd>
          <dt className="text-ink-faint">Lost (RPO)</dt>
          <dd className="tabular font-medium">{formatCounted(report.rpoTransactions, 'transaction')}</dd>
          <dt className="text-ink-faint">Term</dt>
          <dd className="tabular">
            {report.oldTerm ?? '–'} → {report.newTerm ?? '–'}
          </dd>
          <dt className="text-ink-faint">When</dt>
          <dd>
            <RelativeTime at={report.requestedAt} />
          </dd>
        </dl>
      </div>
      <Steps label="Steps of the failover" steps={steps} />
    </div>
  )
}

export function LossBadge({ transactions }: { transactions: number }) {
  return (
    <Badge tone={transactions === 0 ? 'positive' : 'danger'}>
      {transactions === 0 ? 'nothing lost' : `${formatCounted(transactions, 'transaction')} lost`}
    </Badge>
  )
}
