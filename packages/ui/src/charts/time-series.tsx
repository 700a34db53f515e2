'use client'

import { useId } from 'react'
import {
  Area,
  AreaChart,
  CartesianGrid,
  Line,
  ReferenceArea,
  ResponsiveContainer,
  Tooltip,
  XAxis,
  YAxis,
} from 'recharts'
import { formatExactTime } from '../lib/format.ts'
import { axisStyle, seriesColors } from './chart-theme.ts'
import { type AxisUnit, niceTicks } from './nice-ticks.ts'

export interface TimeSeriesLine {
  key: string
  name: string
  color?: string | undefined
}

export interface TimeSeriesProps {
  /** One record a moment: `timeMs` and a value (or null for a gap) for each line's key. */
  data: readonly ({ timeMs: number } & Record<string, number | null>)[]
  lines: readonly TimeSeriesLine[]
  format(value: number): string
  /** What the values count, for steps of the axis that read well. */
  unit?: AxisUnit | undefined
  /** Spans drawn hatched: nothing ran, so nothing was measured. */
  idle?: readonly { fromMs: number; toMs: number }[]
  fromMs: number
  toMs: number
  height?: number
  /** Values come less often than records: they are joined over the gaps. */
  isSparse?: boolean | undefined
  /** Says what the picture shows, for those who cannot see it. */
  label: string
}

/** Values over time. Gaps stay gaps; idle spans are hatched instead of reading zero. */
export function TimeSeries({
  data,
  lines,
  format,
  unit,
  idle = [],
  fromMs,
  toMs,
  height = 180,
  isSparse = false,
  label,
}: TimeSeriesProps) {
  const hatchId = useId()
  const fillId = useId()
  // Joined values need no dots; a single one would not be seen without.
  const isDotted = !isSparse || data.filter((record) => lines.some(({ key }) => record[key] != null)).length === 1
  const ticks = niceTicks(maxValue(data, lines), unit)
  return (
    <figure aria-label={label} className="m-0">
      <ResponsiveContainer width="100%" height={height}>
        <AreaChart data={[...data]} margin={{ top: 6, right: 6, bottom: 0, left: 0 }}>
          <defs>
            <pattern id={hatchId} width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
              <line x1="0" y1="0" x2="0" y2="6" stroke="var(--hatch)" strokeWidth="2" />
            </pattern>
            <linearGradient id={fillId} x1="0" y1="0" x2="0" y2="1">
              <stop offset="0%" stopColor={lines[0]?.color ?? seriesColors[0]} stopOpacity={0.22} />
              <stop offset="100%" stopColor={lines[0]?.color ?? seriesColors[0]} stopOpacity={0} />
            </linearGradient>
          </defs>
          <CartesianGrid vertical={false} stroke="var(--line)" />
          <XAxis
            dataKey="timeMs"
            type="number"
            domain={[fromMs, toMs]}
            tickFormatter={(timeMs: number) => formatTick(timeMs, toMs - fromMs)}
            tick={axisStyle}
            tickLine={false}
            axisLine={{ stroke: 'var(--line)' }}
            minTickGap={48}
            height={22}
          />
          <YAxis
            ticks={ticks}
            domain={[0, ticks.at(-1) ?? 1]}
            tickFormatter={(value: number) => format(value).replace(/\.0+(?=\D|$)/, '')}
            tick={axisStyle}
            tickLine={false}
            axisLine={false}
            width={58}
          />
          {idle.map((span) => (
            <ReferenceArea
              key={span.fromMs}
              x1={Math.max(span.fromMs, fromMs)}
              x2={Math.min(span.toMs, toMs)}
              fill={`url(#${hatchId})`}
              fillOpacity={1}
            />
          ))}
          <Tooltip
            isAnimationActive={false}
            cursor={{ stroke: 'var(--line-strong)' }}
            labelFormatter={(timeMs) => formatExactTime(Number(timeMs))}
            formatter={(value, name) => [format(Number(value)), name]}
            contentStyle={{
              background: 'var(--raised)',
              border: '1px solid var(--line)',
              borderRadius: 6,
              boxShadow: 'var(--shadow)',
              fontSize: 12,
            }}
            labelStyle={{ color: 'var(--ink-faint)' }}
            itemStyle={{ color: 'var(--ink)' }}
          />
          {lines.map((line, index) =>
            index === 0 ? (
              <Area
                key={line.key}
                dataKey={line.key}
                name={line.name}
                stroke={line.color ?? seriesColors[0]}
                strokeWidth={1.75}
                fill={`url(#${fillId})`}
                isAnimationActive={false}
                connectNulls={isSparse}
                dot={
                  isDotted
                    ? (point) => <LoneDot {...point} key={point.index} values={data} lineKey={line.key} />
                    : false
                }
              />
            ) : (
              <Line
                key={line.key}
                dataKey={line.key}
                name={line.name}
                stroke={line.color ?? seriesColors[index % seriesColors.length]}
                strokeWidth={1.5}
                isAnimationActive={false}
                connectNulls={isSparse}
                dot={
                  isDotted
                    ? (point) => <LoneDot {...point} key={point.index} values={data} lineKey={line.key} />
                    : false
                }
              />
            ),
          )}
        </AreaChart>
      </ResponsiveContainer>
    </figure>
  )
}

function maxValue(data: TimeSeriesProps['data'], lines: TimeSeriesProps['lines']): number {
  let max = 0
  for (const record of data) for (const { key } of lines) max = Math.max(max, record[key] ?? 0)
  return max
}

interface LoneDotProps {
  cx?: number | undefined
  cy?: number | undefined
  index: number
  stroke?: string | undefined
  values: TimeSeriesProps['data']
  lineKey: string
}

/** A value between two gaps: a line alone would not show it. */
function LoneDot({ cx, cy, index, stroke, values, lineKey }: LoneDotProps) {
  const isKnown = (place: number) => typeof values[place]?.[lineKey] === 'number'
  if (!isKnown(index) || isKnown(index - 1) || isKnown(index + 1)) return null
  return <circle cx={cx} cy={cy} r={2} fill={stroke} />
}

function formatTick(timeMs: number, spanMs: number): string {
  const date = new Date(timeMs)
  if (spanMs > 2 * 86_400_000) return date.toLocaleDateString('en-GB', { day: '2-digit', month: 'short' })
  const seconds = spanMs < 5 * 60_000 ? ({ second: '2-digit' } as const) : {}
  return date.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit', ...seconds })
}
