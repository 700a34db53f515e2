'use client'

import { formatCounted, formatDuration } from '@tributary/ui/lib/format'
import { Callout } from '@tributary/ui/patterns/callout'
import { CodeBlock } from '@tributary/ui/patterns/code-block'
import { EmptyState } from '@tributary/ui/patterns/empty-state'
import { Button } from '@tributary/ui/primitives/button'
import { Menu } from '@tributary/ui/primitives/menu'
import { Segmented } from '@tributary/ui/primitives/segmented'
import { Spinner } from '@tributary/ui/primitives/spinner'
import { Download } from 'lucide-react'
import dynamic from 'next/dynamic'
import { useEffect, useState } from 'react'
import { ResultGrid } from '@/domain/result-grid.tsx'
import { chartChoice } from './chart-data.ts'
import { errorPlace } from './error-place.ts'
import { download, toCsv, toJson } from './export-result.ts'
import { FreshnessReceipt } from './receipt.tsx'
import type { SqlResult, SqlRun } from './use-run-sql.ts'

const ResultChart = dynamic(() => import('./result-chart.tsx'), { ssr: false })

type Statement = SqlResult['statements'][number]

/** What came of the last run: progress, rows, messages, an error with its place, the receipt. */
export function SqlResultView({ run, onCancel }: { run: SqlRun | undefined; onCancel(): void }) {
  const [chosen, setChosen] = useState(0)
  const statements = run?.result?.statements ?? []
  // A new answer opens at its last statement, which is usually the one that was meant.
  useEffect(() => setChosen(Math.max(0, statements.length - 1)), [statements.length])
  if (!run) {
    return (
      <EmptyState title="Nothing has run yet">
        Write a statement and press Ctrl-Enter. With text selected, only that part runs.
      </EmptyState>
    )
  }
  if (!run.result && !run.failure) return <Running run={run} onCancel={onCancel} />
  if (run.failure) {
    return (
      <div className="p-4">
        <Callout tone="danger" title="No answer came">
          {run.failure} Whether a change was made is not known; look before you run it again.
        </Callout>
      </div>
    )
  }
  const statement = statements[chosen]
  return (
    <div>
      {run.result?.error && isCancelled(run.result.error) ? (
        <div className="p-4">
          <Callout tone="caution" title="Cancelled">
            {run.input.engine === 'POSTGRES'
              ? 'The statement was stopped, and what it had changed is undone. Statements before it keep their results.'
              : 'The query was stopped.'}
          </Callout>
        </div>
      ) : run.result?.error ? (
        <SqlFailure sql={run.input.sql} error={run.result.error} />
      ) : null}
      {statements.length > 1 ? (
        <div className="overflow-x-auto px-4 pt-3">
          <Segmented
            label="Statement"
            value={String(chosen)}
            onChange={(value) => setChosen(Number(value))}
            options={statements.map((each, index) => ({ value: String(index), label: `${index + 1} ${each.command}` }))}
          />
        </div>
      ) : null}
      {statement ? <StatementView key={chosen} statement={statement} /> : null}
      {run.result?.receipt ? <FreshnessReceipt receipt={run.result.receipt} /> : null}
    </div>
  )
}

/** SQLSTATE 57014, query_canceled; a timeout of the server has the same state, and other words. */
function isCancelled({ sqlState, message }: NonNullable<SqlResult['error']>): boolean {
  return message === 'cancelled' || (sqlState === '57014' && /user request/.test(message))
}

function Running({ run, onCancel }: { run: SqlRun; onCancel(): void }) {
  const [nowMs, setNowMs] = useState(Date.now())
  useEffect(() => {
    const timer = setInterval(() => setNowMs(Date.now()), 100)
    return () => clearInterval(timer)
  }, [])
  return (
    <div className="flex items-center gap-3 px-4 py-8 text-body" role="status">
      <Spinner />
      <span>{run.isCancelling ? 'Cancelling' : 'Running'}</span>
      <span aria-hidden="true" className="tabular text-ink-faint">
        {formatDuration(Math.max(0, nowMs - run.startedMs))}
      </span>
      <Button size="small" disabled={run.isCancelling} onClick={onCancel}>
        Cancel
      </Button>
    </div>
  )
}

/** The server's words, the place in the text, and what it suggests. */
function SqlFailure({ sql, error }: { sql: string; error: NonNullable<SqlResult['error']> }) {
  const place = errorPlace(sql, error.position)
  return (
    <div className="p-4">
      <Callout tone="danger" title={error.message}>
        {place ? (
          <div className="mt-2">
            <p>
              Line {place.line}, column {place.column}
            </p>
            <pre className="mt-1 overflow-x-auto rounded-sm bg-surface px-2 py-1 font-mono text-data text-ink">
              {place.lineText}
              {'\n'}
              {' '.repeat(Math.max(0, [...place.lineText.slice(0, place.column - 1)].length))}^
            </pre>
          </div>
        ) : null}
        {error.detail ? <p className="mt-1">{error.detail}</p> : null}
        {error.hint ? <p className="mt-1">Hint: {error.hint}</p> : null}
        {error.sqlState ? <p className="mt-1 font-mono text-label">SQLSTATE {error.sqlState}</p> : null}
      </Callout>
    </div>
  )
}

type Shape = 'grid' | 'chart' | 'plan'

function StatementView({ statement }: { statement: Statement }) {
  const choice = chartChoice(statement)
  const hasPlan = statement.plan !== null && statement.plan !== undefined
  const [shape, setShape] = useState<Shape>(hasPlan ? 'plan' : 'grid')
  const shapes = [
    { value: 'grid' as const, label: 'Grid' },
    ...(choice ? [{ value: 'chart' as const, label: 'Chart' }] : []),
    ...(hasPlan ? [{ value: 'plan' as const, label: 'Plan' }] : []),
  ]
  return (
    <div>
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2 px-4 py-2.5 text-data">
        {statement.command ? <span className="font-medium">{statement.command}</span> : null}
        <span className="tabular text-ink-soft">{rowsText(statement)}</span>
        <span className="tabular text-ink-faint">{formatDuration(statement.durationMs)}</span>
        <div className="ml-auto flex items-center gap-2">
          {shapes.length > 1 ? <Segmented label="Show as" value={shape} onChange={setShape} options={shapes} /> : null}
          {statement.columns.length > 0 ? <ExportMenu statement={statement} /> : null}
        </div>
      </div>
      {statement.notices.map((notice, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: notices may repeat
        <p key={index} className="px-4 pb-2 text-data text-ink-soft">
          {notice}
        </p>
      ))}
      {shape === 'plan' && hasPlan ? (
        <div className="px-4 pb-4">
          <CodeBlock label="Plan" text={planText(statement.plan)} />
        </div>
      ) : shape === 'chart' && choice ? (
        <ResultChart table={statement} choice={choice} />
      ) : statement.columns.length === 0 ? (
        <p className="px-4 pb-4 text-data text-ink-faint">This statement returns no rows.</p>
      ) : (
        <ResultGrid label={`Result of ${statement.command}`} columns={statement.columns} rows={statement.rows} />
      )}
    </div>
  )
}

/** A statement that was stopped at the limit does not know how many rows it would have had. */
function rowsText({ rowCount, rows, truncated }: Statement): string {
  if (truncated) return `the first ${formatCounted(rows.length, 'row')}; there are more`
  return rowCount === null || rowCount === undefined ? '' : formatCounted(rowCount, 'row')
}

function planText(plan: unknown): string {
  return typeof plan === 'string' ? plan : JSON.stringify(plan, null, 2)
}

/** Its code is loaded by the first export. */
async function downloadParquet(statement: Statement): Promise<void> {
  const { toParquet } = await import('./parquet-file.ts')
  download(toParquet(statement), 'result.parquet', 'application/vnd.apache.parquet')
}

function ExportMenu({ statement }: { statement: Statement }) {
  return (
    <Menu
      trigger={
        <Button size="small">
          <Download /> Export
        </Button>
      }
      entries={[
        { label: 'CSV', onSelect: () => download(toCsv(statement), 'result.csv', 'text/csv') },
        { label: 'JSON', onSelect: () => download(toJson(statement), 'result.json', 'application/json') },
        { label: 'Parquet', onSelect: () => void downloadParquet(statement) },
      ]}
    />
  )
}
