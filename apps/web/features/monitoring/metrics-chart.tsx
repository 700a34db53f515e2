'use client'

import type { AxisUnit } from '@tributary/ui/charts/nice-ticks'
import { EmptyState } from '@tributary/ui/patterns/empty-state'
import { Skeleton } from '@tributary/ui/patterns/skeleton'
import { Panel } from '@tributary/ui/primitives/panel'
import dynamic from 'next/dynamic'
import { useMemo } from 'react'
import { chartRows, hasValues, idleSpans, latestValue, type Series } from './chart-series.ts'

const colors = ['var(--chart-1)', 'var(--chart-2)']
const heightClass = 'h-[180px] w-full'

/** The chart library is large: it comes after the page. */
const TimeSeries = dynamic(() => import('@tributary/ui/charts/time-series').then((module) => module.TimeSeries), {
  ssr: false,
  loading: () => <Skeleton className={heightClass} />,
})

export interface MetricsChartProps {
  title: string
  description: string
  /** undefined: still loading. */
  series: Readonly<Record<string, Series>> | undefined
  names: Readonly<Record<string, string>>
  format(value: number): string
  unit?: AxisUnit | undefined
  isSparse?: boolean | undefined
  fromMs: number
  toMs: number
}

/** One measure over the chosen time, with its latest value in the head. */
export function MetricsChart({
  title,
  description,
  series,
  names,
  format,
  unit,
  isSparse,
  fromMs,
  toMs,
}: MetricsChartProps) {
  const rows = useMemo(() => (series ? chartRows(series) : []), [series])
  const keys = Object.keys(names)
  const latest = keys.flatMap((key, index) => {
    const value = series?.[key] ? latestValue(series[key]) : undefined
    return value === undefined ? [] : [{ name: names[key] ?? key, text: format(value), color: colors[index] }]
  })
  return (
    <Panel
      title={title}
      description={keys.length > 1 && latest.length > 0 ? <Latest values={latest} /> : description}
      actions={keys.length > 1 ? undefined : <Latest values={latest} />}
    >
      {series === undefined ? (
        <div role="status" aria-label={`Loading ${title}`}>
          <Skeleton className={heightClass} />
        </div>
      ) : hasValues(series) ? (
        <TimeSeries
          data={rows}
          lines={keys.map((key, index) => ({ key, name: names[key] ?? key, color: colors[index] }))}
          format={format}
          unit={unit}
          isSparse={isSparse}
          idle={idleSpans(series)}
          fromMs={fromMs}
          toMs={toMs}
          label={`${title}, ${description} Latest: ${latest.map(({ name, text }) => `${name} ${text}`).join(', ') || 'none'}.`}
        />
      ) : (
        <EmptyState title="Nothing measured">No compute ran in this time.</EmptyState>
      )}
    </Panel>
  )
}

interface LatestValue {
  name: string
  text: string
  color: string | undefined
}

/** The newest values; with more than one line, its colour and name too. */
function Latest({ values }: { values: readonly LatestValue[] }) {
  return (
    <span className="tabular flex gap-x-4 whitespace-nowrap font-medium text-data text-ink">
      {values.map(({ name, text, color }) => (
        <span key={name} className="flex items-center gap-1.5">
          {values.length > 1 ? (
            <>
              <span aria-hidden="true" className="h-0.5 w-3" style={{ background: color }} />
              <span className="font-normal text-ink-soft">{name}</span>
            </>
          ) : null}
          {text}
        </span>
      ))}
    </span>
  )
}
