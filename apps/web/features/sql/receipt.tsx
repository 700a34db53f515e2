import { formatBytes, formatCount, formatCounted } from '@tributary/ui/lib/format'
import { Lsn } from '@tributary/ui/patterns/lsn'
import { PhaseBar } from '@tributary/ui/patterns/phase-bar'
import { RelativeTime } from '@tributary/ui/patterns/relative-time'
import type { ReactNode } from 'react'
import type { SqlResult } from './use-run-sql.ts'

/** What an analytic answer says of itself: which moment it shows, how far behind it is, what it was made of. */
export function FreshnessReceipt({ receipt }: { receipt: NonNullable<SqlResult['receipt']> }) {
  const lag = receipt.lagBytes === null || receipt.lagBytes === undefined ? undefined : Number(receipt.lagBytes)
  // The sum stands above, with the statement.
  const steps = receipt.steps.filter(({ name }) => name !== 'total')
  const facts: { term: string; value: ReactNode; explanation?: string }[] = [
    { term: 'As of', value: <Lsn value={receipt.lsn} /> },
    { term: 'Last commit', value: <RelativeTime at={receipt.commitTime} /> },
    {
      term: 'Lag',
      value: lag === undefined ? '–' : lag === 0 ? 'none' : formatBytes(lag),
      explanation: 'How far the answer is behind the moment that was asked for',
    },
    {
      term: 'From columns',
      value: formatCounted(Number(receipt.rowsFromColumns), 'row'),
      explanation: 'Rows read from columnar layers in object storage',
    },
    {
      term: 'Fresh',
      value: formatCounted(Number(receipt.rowsFresh), 'row'),
      explanation: 'Rows too new for the columns, read from pages and merged in',
    },
    { term: 'Column layers', value: formatCount(receipt.layersRead), explanation: 'Columnar files that were read' },
    ...(receipt.dirtyBlocks === null || receipt.dirtyBlocks === undefined
      ? []
      : [
          {
            term: 'Dirty blocks',
            value: formatCount(receipt.dirtyBlocks),
            explanation: 'Blocks of 8 KiB that changed after the columns were made',
          },
        ]),
  ]
  return (
    <section aria-label="Freshness receipt" className="border-line border-t bg-sunken/60 px-4 py-3">
      <h3 className="mb-2 font-medium text-ink-soft text-label">Freshness receipt</h3>
      <dl className="grid grid-cols-[repeat(auto-fill,minmax(6.5rem,1fr))] gap-x-3 gap-y-2 lg:grid-cols-[7.5rem_repeat(6,minmax(0,1fr))]">
        {facts.map(({ term, value, explanation }) => (
          <div key={term} title={explanation}>
            <dt className="text-ink-faint text-label">{term}</dt>
            <dd className="tabular text-data">{value}</dd>
          </div>
        ))}
      </dl>
      {steps.length > 0 ? (
        <div className="mt-3">
          <PhaseBar phases={steps} label="Time in each step" />
        </div>
      ) : null}
    </section>
  )
}
