'use client'

import { Callout } from '@tributary/ui/patterns/callout'
import { StatusBadge } from '@tributary/ui/patterns/status-badge'
import { Button } from '@tributary/ui/primitives/button'
import { Panel } from '@tributary/ui/primitives/panel'
import { Pause, Play } from 'lucide-react'
import Link from 'next/link'
import { ServerInfoDocument, SetDemoWorkloadDocument } from '@/gql/graphql.ts'
import { routes } from '@/lib/routes.ts'
import { useAction } from '@/lib/use-action.ts'
import { useGraphql } from '@/lib/use-graphql.ts'
import { viewOnlyReason } from '@/shell/view-only-badge.tsx'

/** On the demo project alone: its trickle of transactions, which can be paused, and where to look first. */
export function DemoPanel({ projectId, canWrite }: { projectId: string; canWrite: boolean }) {
  const server = useGraphql(ServerInfoDocument, {}, { staleMs: 10_000 }).data?.serverInfo
  const change = useAction(SetDemoWorkloadDocument, (data) => data.setDemoWorkload)
  if (server?.demoProjectId !== projectId) return null
  const isRunning = server.demoWorkloadRunning ?? false
  return (
    <Panel
      title="Demo"
      meta={
        <StatusBadge tone={isRunning ? 'positive' : 'neutral'} isLive={isRunning}>
          {isRunning ? 'Transactions are running' : 'Transactions are paused'}
        </StatusBadge>
      }
      actions={
        <Button
          size="small"
          disabled={!canWrite}
          title={canWrite ? undefined : viewOnlyReason}
          isBusy={change.isBusy}
          onClick={() => void change.run({ running: !isRunning })}
        >
          {isRunning ? <Pause /> : <Play />} {isRunning ? 'Pause' : 'Resume'}
        </Button>
      }
    >
      <p className="text-data text-ink-soft">
        A shop with customers, orders and line items, made on this machine. A trickle of orders comes in, so that every
        page has something to show; while it runs the compute of main does not sleep.
      </p>
      <ul className="mt-3 grid grid-cols-[auto_1fr] gap-x-4 gap-y-1.5 text-data">
        {firstSteps(projectId).map(({ href, label, what }) => (
          <li key={href} className="contents">
            <Link href={href} className="font-medium text-stream-strong hover:underline">
              {label}
            </Link>
            <span className="text-ink-soft">{what}</span>
          </li>
        ))}
      </ul>
      {change.error ? (
        <Callout tone="danger" className="mt-3">
          {change.error.message}
        </Callout>
      ) : null}
    </Panel>
  )
}

function firstSteps(projectId: string) {
  const page = routes.projectPage
  return [
    { href: page(projectId, 'timeline'), label: 'Timeline', what: 'branches, and every moment to go back to' },
    { href: page(projectId, 'sql'), label: 'SQL editor', what: 'one text, by Postgres or by analytics' },
    { href: page(projectId, 'tables'), label: 'Tables', what: 'as they are and as they were, without a compute' },
    { href: page(projectId, 'storage'), label: 'Storage', what: 'stop a SafeKeeper and see that nothing is lost' },
  ]
}
