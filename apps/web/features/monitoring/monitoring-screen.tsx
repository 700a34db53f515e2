'use client'

import type { AxisUnit } from '@tributary/ui/charts/nice-ticks'
import { formatBytes, formatCompact, formatDuration, formatRatio } from '@tributary/ui/lib/format'
import { PageHeader } from '@tributary/ui/patterns/page-header'
import { Panel } from '@tributary/ui/primitives/panel'
import { Segmented } from '@tributary/ui/primitives/segmented'
import { useEffect, useState } from 'react'
import { WakeLedger } from '@/domain/wake-ledger.tsx'
import { ProjectMonitoringDocument, type ProjectMonitoringQuery, ProjectWakeLedgerDocument } from '@/gql/graphql.ts'
import { useGraphql } from '@/lib/use-graphql.ts'
import { LoadFailure, NotAvailable } from '@/shell/load-failure.tsx'
import { MetricsChart } from './metrics-chart.tsx'

const ranges = {
  '15m': { label: '15 min', spanMs: 15 * 60_000, refreshMs: 10_000 },
  '1h': { label: '1 h', spanMs: 3_600_000, refreshMs: 15_000 },
  '6h': { label: '6 h', spanMs: 6 * 3_600_000, refreshMs: 60_000 },
  '24h': { label: '24 h', spanMs: 24 * 3_600_000, refreshMs: 60_000 },
  '7d': { label: '7 d', spanMs: 7 * 24 * 3_600_000, refreshMs: 300_000 },
} as const
type Range = keyof typeof ranges
const pointCount = 120

type Key = Exclude<keyof NonNullable<ProjectMonitoringQuery['project']>, 'id'>

interface Chart {
  title: string
  /** `step` is how much time a point of the line stands for. */
  description: string | ((step: string) => string)
  names: Partial<Record<Key, string>>
  format(value: number): string
  unit?: AxisUnit
  /** Measured less often than a point is wide. */
  isSparse?: boolean
}

const perSecond = (value: number) => `${formatCompact(value)}/s`

const charts: readonly Chart[] = [
  { title: 'Transactions', description: 'Commits a second.', names: { tps: 'Commits' }, format: perSecond },
  {
    title: 'Commit latency',
    description: 'Time per commit.',
    names: { commitP50: 'p50', commitP99: 'p99' },
    format: formatDuration,
  },
  {
    title: 'Cache hits',
    description: 'Pages found in the memory of the compute.',
    names: { cacheHit: 'Hits' },
    format: formatRatio,
    unit: 'ratio',
  },
  {
    title: 'Page reads',
    description: 'Pages asked from storage, a second.',
    names: { pageReads: 'Reads' },
    format: perSecond,
  },
  {
    title: 'LSN lag',
    description: 'How far the PageServer is behind the quorum.',
    names: { lsnLag: 'Lag' },
    format: formatBytes,
    unit: 'bytes',
  },
  {
    title: 'Connections',
    description: 'Clients at the same time.',
    names: { connections: 'Clients' },
    format: formatCompact,
    unit: 'whole',
  },
  {
    title: 'Compute time',
    description: (step) => `Seconds of running in every ${step}.`,
    names: { computeSeconds: 'Compute' },
    format: (value) => `${formatCompact(value)} s`,
  },
  {
    title: 'Written',
    description: (step) => `Write-ahead log (WAL) in every ${step}.`,
    names: { writtenBytes: 'Written' },
    format: formatBytes,
    unit: 'bytes',
  },
  {
    title: 'Storage',
    description: 'Of all branches.',
    names: { storageBytes: 'Data', objectBytes: 'Objects' },
    isSparse: true,
    format: formatBytes,
    unit: 'bytes',
  },
]

/** What the computes of a project did. Renews itself, faster for shorter ranges. */
export function MonitoringScreen({ projectId }: { projectId: string }) {
  const [range, setRange] = useState<Range>('1h')
  const { fromMs, toMs } = useSpan(range)
  const variables = { from: new Date(fromMs).toISOString(), to: new Date(toMs).toISOString(), points: pointCount }
  const query = useGraphql(ProjectMonitoringDocument, { id: projectId, ...variables }, { keepPrevious: true })
  const wakes = useGraphql(ProjectWakeLedgerDocument, { id: projectId }, { refetchEveryMs: 30_000 })
  if (query.data && !query.data.project) return <NotAvailable what="this project" />
  const project = query.data?.project
  const step = formatDuration((toMs - fromMs) / pointCount)
  return (
    <>
      <PageHeader
        title="Monitoring"
        description="All computes of this project. Hatched: no compute ran, so nothing was measured."
        actions={
          <Segmented
            label="Range"
            value={range}
            onChange={setRange}
            options={(Object.keys(ranges) as Range[]).map((value) => ({ value, label: ranges[value].label }))}
          />
        }
      />
      {query.error && !project ? (
        <Panel>
          <LoadFailure error={query.error} what="the measures" onRetry={() => void query.refetch()} />
        </Panel>
      ) : (
        <div className="grid gap-4 md:grid-cols-2 xl:grid-cols-3">
          {charts.map((chart) => (
            <MetricsChart
              key={chart.title}
              title={chart.title}
              description={typeof chart.description === 'string' ? chart.description : chart.description(step)}
              names={chart.names as Record<string, string>}
              format={chart.format}
              unit={chart.unit}
              isSparse={chart.isSparse}
              series={
                project
                  ? Object.fromEntries((Object.keys(chart.names) as Key[]).map((key) => [key, project[key]]))
                  : undefined
              }
              fromMs={fromMs}
              toMs={toMs}
            />
          ))}
        </div>
      )}
      <div className="mt-6">
        {wakes.error && !wakes.data ? (
          <Panel title="Wake-ups">
            <LoadFailure error={wakes.error} what="the wake-ups" onRetry={() => void wakes.refetch()} />
          </Panel>
        ) : (
          <WakeLedger
            projectId={projectId}
            records={wakes.data?.project?.wakeLedger}
            endpoints={wakes.data?.project?.endpoints ?? []}
          />
        )}
      </div>
    </>
  )
}

/** The span that ends now; moves on as often as the range is renewed, and not while the page is hidden. */
function useSpan(range: Range): { fromMs: number; toMs: number } {
  const { spanMs, refreshMs } = ranges[range]
  const [nowMs, setNowMs] = useState(() => Date.now())
  useEffect(() => {
    setNowMs(Date.now())
    const timer = setInterval(() => {
      if (!document.hidden) setNowMs(Date.now())
    }, refreshMs)
    return () => clearInterval(timer)
  }, [refreshMs])
  const toMs = Math.floor(nowMs / 1000) * 1000
  return { fromMs: toMs - spanMs, toMs }
}
