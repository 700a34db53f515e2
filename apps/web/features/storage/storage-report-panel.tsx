'use client'

import { formatBytes, formatCount, formatCounted, formatRatio } from '@tributary/ui/lib/format'
import { Bytes } from '@tributary/ui/patterns/bytes'
import { type Column, DataTable } from '@tributary/ui/patterns/data-table'
import { EmptyState } from '@tributary/ui/patterns/empty-state'
import { RelativeTime } from '@tributary/ui/patterns/relative-time'
import { SkeletonLines } from '@tributary/ui/patterns/skeleton'
import { Button } from '@tributary/ui/primitives/button'
import { Panel } from '@tributary/ui/primitives/panel'
import { RefreshCw } from 'lucide-react'
import { StorageReportDocument, type StorageReportQuery } from '@/gql/graphql.ts'
import { useGraphql } from '@/lib/use-graphql.ts'
import { LoadFailure } from '@/shell/load-failure.tsx'
import { objectKind } from './storage-words.ts'

type Report = NonNullable<NonNullable<StorageReportQuery['project']>['storage']['report']>

const staleMs = 300_000

/** Every object of the project accounted for: what there is, what is there twice and why, what is not in columns as it is. */
export function StorageReportPanel({ projectId }: { projectId: string }) {
  const query = useGraphql(StorageReportDocument, { id: projectId }, { staleMs })
  const report = query.data?.project?.storage.report
  return (
    <Panel
      title="Storage report"
      meta={
        report ? (
          <>
            counted <RelativeTime at={report.generatedAt} />
          </>
        ) : undefined
      }
      description="Every object of this project in object storage: what it is, what is stored twice and why."
      actions={
        <Button size="small" isBusy={query.isFetching} onClick={() => void query.refetch()}>
          <RefreshCw /> Count again
        </Button>
      }
      isFlush
    >
      {report ? (
        <Sections report={report} />
      ) : query.error ? (
        <LoadFailure error={query.error} what="the storage report" onRetry={() => void query.refetch()} />
      ) : query.data ? (
        <EmptyState title="No report">The storage of this project is not made yet.</EmptyState>
      ) : (
        <div className="p-4">
          <SkeletonLines count={6} />
        </div>
      )}
    </Panel>
  )
}

function Sections({ report }: { report: Report }) {
  const bytes = report.kinds.reduce((sum, kind) => sum + Number(kind.bytes), 0)
  const kinds = [...report.kinds].sort((a, b) => Number(b.bytes) - Number(a.bytes))
  return (
    <>
      <DataTable
        label="Objects by kind"
        columns={kindColumns(bytes)}
        rows={kinds}
        rowKey={(row) => row.kind}
        empty={<EmptyState title="No objects yet" />}
      />
      <Heading title="Stored twice" note="bytes of the objects concerned: an upper bound" />
      <DataTable
        label="Stored twice"
        columns={duplicateColumns}
        rows={report.duplicates}
        rowKey={(row) => `${row.branchName} ${row.what}`}
        empty={<Nothing>Nothing is in object storage more than once.</Nothing>}
      />
      <Heading title="Kept beside the columns" note="what columns alone cannot give back to Postgres byte for byte" />
      <DataTable
        label="Exceptions"
        columns={exceptionColumns}
        rows={report.exceptions}
        rowKey={(row) => `${row.branchName} ${row.tableOid} ${row.what}`}
        empty={<Nothing>Every page of every table is given back by its columns alone.</Nothing>}
      />
    </>
  )
}

function kindColumns(allBytes: number): Column<Report['kinds'][number]>[] {
  return [
    {
      key: 'kind',
      header: 'Kind',
      cell: ({ kind }) => (
        <span>
          {objectKind(kind).label}
          <span className="block text-ink-faint text-label">{objectKind(kind).explanation}</span>
        </span>
      ),
    },
    {
      key: 'objects',
      header: 'Objects',
      align: 'end',
      cell: ({ objects }) => <span className="tabular">{formatCount(objects)}</span>,
    },
    { key: 'bytes', header: 'Size', align: 'end', cell: ({ bytes }) => <Bytes value={bytes} /> },
    {
      key: 'share',
      header: 'Share',
      hideBelow: 'md',
      width: '30%',
      cell: ({ bytes }) => <Share share={allBytes === 0 ? 0 : Number(bytes) / allBytes} />,
    },
  ]
}

function Share({ share }: { share: number }) {
  return (
    <span className="flex items-center gap-2.5">
      <span className="h-1.5 min-w-0 flex-1 overflow-hidden rounded-full bg-sunken" aria-hidden="true">
        <span className="block h-full rounded-full bg-stream" style={{ width: `${share * 100}%` }} />
      </span>
      <span className="tabular w-14 whitespace-nowrap text-right text-ink-soft">{formatRatio(share)}</span>
    </span>
  )
}

const branchCell = ({ branchName }: { branchName?: string | null }) =>
  branchName ?? <span className="text-ink-faint">kept history</span>

const duplicateColumns: Column<Report['duplicates'][number]>[] = [
  { key: 'branch', header: 'Branch', cell: branchCell },
  {
    key: 'what',
    header: 'What and why',
    cell: ({ what, why }) => <Reason what={what} why={why} />,
  },
  {
    key: 'bytes',
    header: 'At most',
    align: 'end',
    cell: ({ bytes, objects }) => (
      <span className="tabular whitespace-nowrap">
        {formatBytes(bytes)}
        <span className="block text-ink-faint text-label">{formatCounted(objects, 'object')}</span>
      </span>
    ),
  },
]

const exceptionColumns: Column<Report['exceptions'][number]>[] = [
  { key: 'branch', header: 'Branch', cell: branchCell },
  {
    key: 'table',
    header: 'Table',
    cell: ({ tableName, tableOid }) => <span className="font-mono">{tableName ?? `oid ${tableOid}`}</span>,
  },
  {
    key: 'what',
    header: 'What and why',
    cell: ({ what, why }) => <Reason what={what} why={why} />,
  },
  {
    key: 'count',
    header: 'Count',
    align: 'end',
    cell: ({ count }) => <span className="tabular">{formatCount(count)}</span>,
  },
]

function Reason({ what, why }: { what: string; why: string }) {
  return (
    <span>
      {what}
      <span className="block max-w-prose text-ink-faint text-label">{why}</span>
    </span>
  )
}

function Heading({ title, note }: { title: string; note: string }) {
  return (
    <h3 className="border-line border-t px-4 pt-3.5 pb-1 font-medium text-body">
      {title} <span className="font-normal text-data text-ink-faint">{note}</span>
    </h3>
  )
}

function Nothing({ children }: { children: string }) {
  return <p className="px-4 pb-3.5 text-data text-ink-faint">{children}</p>
}
