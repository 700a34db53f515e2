import type { ColumnarCounts } from '../../columnar/columnar-encoder.ts'
import type { Metrics } from '../../io/metrics.ts'

/** Counters of what went into columns, and of what did not go as it should. */
export class ColumnarMetrics {
  readonly #pages
  readonly #wholePages
  readonly #patchedPages
  readonly #rows
  readonly #rawValues
  readonly #overflowValues

  constructor(metrics: Metrics) {
    const counter = (name: string, help: string) => metrics.counter(`tributary_pageserver_columnar_${name}`, help)
    this.#pages = counter('pages_total', 'Heap pages put into columns.')
    this.#wholePages = counter('whole_pages_total', 'Heap pages kept whole in columnar layers: exceptions.')
    this.#patchedPages = counter('patched_pages_total', 'Heap pages put into columns with a patch.')
    this.#rows = counter('rows_total', 'Tuples put into columns.')
    this.#rawValues = counter('raw_values_total', 'Values kept with their page bytes besides: exceptions.')
    this.#overflowValues = counter('overflow_values_total', 'Values that their column type cannot hold.')
  }

  observe(counts: ColumnarCounts): void {
    this.#pages.add(counts.pages)
    this.#wholePages.add(counts.wholePages)
    this.#patchedPages.add(counts.patchedPages)
    this.#rows.add(counts.rows)
    this.#rawValues.add(counts.rawValues)
    this.#overflowValues.add(counts.overflowValues)
  }
}
