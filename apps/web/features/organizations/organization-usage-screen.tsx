'use client'

import { formatBytes, formatCount, formatDuration } from '@tributary/ui/lib/format'
import { Bytes } from '@tributary/ui/patterns/bytes'
import { CalendarDay } from '@tributary/ui/patterns/calendar-day'
import { type Column, DataTable } from '@tributary/ui/patterns/data-table'
import { EmptyState } from '@tributary/ui/patterns/empty-state'
import { PageHeader } from '@tributary/ui/patterns/page-header'
import { Skeleton } from '@tributary/ui/patterns/skeleton'
import { Stat, StatRow } from '@tributary/ui/patterns/stat'
import { Panel } from '@tributary/ui/primitives/panel'
import Link from 'next/link'
import { OrganizationUsageDocument, type OrganizationUsageQuery } from '@/gql/graphql.ts'
import { routes } from '@/lib/routes.ts'
import { useGraphql } from '@/lib/use-graphql.ts'
import { LoadFailure, NotAvailable } from '@/shell/load-failure.tsx'

type ProjectUsage = NonNullable<OrganizationUsageQuery['organization']>['projects']['nodes'][number]

export function OrganizationUsageScreen({ slug }: { slug: string }) {
  const { data, error, refetch } = useGraphql(OrganizationUsageDocument, { slug })
  if (error && !data) return <LoadFailure error={error} what="the usage" onRetry={() => void refetch()} />
  if (data && !data.organization) return <NotAvailable what="this organization" />
  const usage = data?.organization?.usage
  const text = (value: (known: NonNullable<typeof usage>) => string) =>
    usage ? value(usage) : <Skeleton className="mt-1 w-20" />
  return (
    <>
      <PageHeader
        title="Usage"
        description={
          usage ? (
            <>
              Since <CalendarDay at={usage.from} />, all projects together.
            </>
          ) : undefined
        }
      />
      <div className="mb-6">
        <StatRow>
          <Stat label="Compute time" value={text((known) => formatDuration(known.computeSeconds * 1000))} />
          <Stat label="Storage" value={text((known) => formatBytes(known.storageBytes))} />
          <Stat label="Written" value={text((known) => formatBytes(known.writtenBytes))} />
          <Stat label="Branches" value={text((known) => formatCount(known.branches))} />
        </StatRow>
      </div>
      <Panel title="By project" isFlush>
        <DataTable
          label="Usage by project"
          columns={columns}
          rows={data?.organization?.projects.nodes}
          rowKey={(row) => row.id}
          empty={<EmptyState title="No projects, so no usage" />}
        />
      </Panel>
    </>
  )
}

const columns: Column<ProjectUsage>[] = [
  {
    key: 'name',
    header: 'Project',
    cell: (row) => (
      <Link href={routes.project(row.id)} className="font-medium hover:text-stream-strong">
        {row.name}
      </Link>
    ),
  },
  {
    key: 'compute',
    header: 'Compute time',
    align: 'end',
    cell: (row) => <span className="tabular">{formatDuration(row.usage.computeSeconds * 1000)}</span>,
  },
  { key: 'storage', header: 'Storage', align: 'end', cell: (row) => <Bytes value={row.usage.storageBytes} /> },
  {
    key: 'written',
    header: 'Written',
    align: 'end',
    hideBelow: 'sm',
    cell: (row) => <Bytes value={row.usage.writtenBytes} />,
  },
  {
    key: 'branches',
    header: 'Branches',
    align: 'end',
    hideBelow: 'sm',
    cell: (row) => <span className="tabular">{row.usage.branches}</span>,
  },
]
