import { formatBytes, formatCount } from '@tributary/ui/lib/format'
import { Lsn } from '@tributary/ui/patterns/lsn'
import { PhaseBar } from '@tributary/ui/patterns/phase-bar'
import { RelativeTime } from '@tributary/ui/patterns/relative-time'
import type { SqlResult } from './use-run-sql.ts'

/** What an analytic answer says of itself: which moment it shows, how far behind it is, what it was made of. */
export function FreshnessReceipt({ receipt }: { receipt: NonNullable<SqlResult['receipt']> }) {
  const lag = receipt.lagBytes === null || receipt.lagBytes === undefined ? undefined : Number(receipt.lagBytes)
  // The sum stands above, with the statement.
  const steps = receipt.steps.filter(({ name }) => name !== 'total')
  const facts = [
    { term: 'As of', value: <Lsn value={receipt.lsn} /> },
    { term: 'Last commit', value: <RelativeTime at={receipt.commitTime} /> },
    { term: 'Lag', value: lag === undefined ? '–' : lag === 0 ? 'none' : formatBytes(lag) },
    { term: 'Rows from columns', value: formatCount(receipt.rowsFromColumns) },
    { term: 'Fresh rows', value: formatCount(receipt.rowsFresh) },
    { term: 'Column layers', value: formatCount(receipt.layersRead) },
    ...(receipt.dirtyBlocks === null || receipt.dirtyBlocks === undefined
      ? []
      : [{ term: 'Dirty blocks', value: formatCount(receipt.dirtyBlocks) }]),
  ]
  return (
    <section aria-label="Freshness receipt" className="border-line border-t bg-sunken/60 px-4 py-3">
      <h3 className="mb-2 font-medium text-ink-soft text-label">Freshness receipt</h3>
      <dl className="grid grid-cols-[repeat(auto-fill,minmax(6.75rem,1fr))] gap-x-4 gap-y-2">
        {facts.map(({ term, value }) => (
          <div key={term}>
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
