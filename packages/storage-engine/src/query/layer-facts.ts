import type { Workers } from '../io/workers.ts'
import type { Engine } from './engine.ts'
import type { InspectLayerTask, LayerInspection } from './inspect-layer.ts'
import { type LayerTransactions, readLayerTransactions } from './layer-visibility.ts'

/** Layers whose facts are kept: some KiB each, more where every row has a transaction of its own. */
const LAYERS_MAX = 512
/** Transactions named by the layers that are kept, at about 40 bytes each. */
const TRANSACTIONS_MAX = 4_000_000

export interface LayerFacts extends LayerInspection {
  readonly transactions: LayerTransactions
}

/** What a layer file says of itself and of its rows; read once, as files never change. */
export class LayerFactsCache {
  readonly #workers: Workers
  /** Least recently used first. */
  readonly #facts = new Map<string, LayerFacts>()
  #transactionCount = 0

  constructor(workers: Workers) {
    this.#workers = workers
  }

  /** Throws `corruption` when the file is damaged. */
  async get(engine: Engine, objectKey: string, path: string): Promise<LayerFacts> {
    const known = this.#facts.get(objectKey)
    if (known) {
      this.#facts.delete(objectKey)
      this.#facts.set(objectKey, known)
      return known
    }
    const inspection = await this.#workers.run<InspectLayerTask, LayerInspection>('inspect-layer', { objectKey, path })
    const facts = { ...inspection, transactions: await readLayerTransactions(engine, path) }
    this.#facts.set(objectKey, facts)
    this.#transactionCount += countOf(facts)
    this.#shrink()
    return facts
  }

  #shrink(): void {
    for (const [key, facts] of this.#facts) {
      if (this.#facts.size <= LAYERS_MAX && this.#transactionCount <= TRANSACTIONS_MAX) return
      if (this.#facts.size === 1) return
      this.#facts.delete(key)
      this.#transactionCount -= countOf(facts)
    }
  }
}

function countOf({ transactions }: LayerFacts): number {
  return transactions.inserters.size + transactions.deleters.size
}
