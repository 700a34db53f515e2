'use client'

import { axisStyle, seriesColors } from '@tributary/ui/charts/chart-theme'
import { formatCompact } from '@tributary/ui/lib/format'
import { Bar, BarChart, CartesianGrid, ResponsiveContainer, Tooltip, XAxis, YAxis } from 'recharts'
import { type ChartChoice, chartPoints, chartPointsMax } from './chart-data.ts'
import type { ResultTable } from './export-result.ts'

/** An answer as bars: names along the bottom, up to three numbers each. Loaded on its own. */
export default function ResultChart({ table, choice }: { table: ResultTable; choice: ChartChoice }) {
  return (
    <figure className="m-0 p-4" aria-label="Chart of the result">
      <ResponsiveContainer width="100%" height={300}>
        <BarChart data={chartPoints(table, choice)} margin={{ top: 6, right: 6, bottom: 0, left: 0 }}>
          <CartesianGrid vertical={false} stroke="var(--line)" />
          <XAxis
            dataKey="label"
            tick={axisStyle}
            tickLine={false}
            axisLine={{ stroke: 'var(--line)' }}
            minTickGap={16}
          />
          <YAxis tickFormatter={formatCompact} tick={axisStyle} tickLine={false} axisLine={false} width={58} />
          <Tooltip
            isAnimationActive={false}
            cursor={{ fill: 'var(--hover)' }}
            contentStyle={{
              background: 'var(--raised)',
              border: '1px solid var(--line)',
              borderRadius: 6,
              fontSize: 12,
            }}
            labelStyle={{ color: 'var(--ink-faint)' }}
            itemStyle={{ color: 'var(--ink)' }}
          />
          {choice.valueIndexes.map((index, place) => (
            <Bar
              key={index}
              dataKey={`v${index}`}
              name={table.columns[index]?.name}
              fill={seriesColors[place % seriesColors.length]}
              isAnimationActive={false}
            />
          ))}
        </BarChart>
      </ResponsiveContainer>
      {table.rows.length > chartPointsMax ? (
        <figcaption className="mt-2 text-ink-faint text-label">The first {chartPointsMax} rows.</figcaption>
      ) : null}
    </figure>
  )
}
