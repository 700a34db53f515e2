import { CorruptionError } from '../base/errors.ts'
import { LAYER_KEY, type LayerDescription } from '../columnar/columnar-encoder.ts'
import type { Disk } from '../io/disk.ts'
import { type ByteSource, ParquetFile } from '../parquet/file-reader.ts'
import type { Engine } from './engine.ts'
import { type LayerTransactions, readLayerTransactions } from './layer-visibility.ts'

/** Layers whose facts are kept: some KiB each, more where every row has a transaction of its own. */
const LAYERS_MAX = 512
/** Transactions named by the layers that are kept, at about 40 bytes each. */
const TRANSACTIONS_MAX = 4_000_000

export interface LayerFacts {
  readonly description: LayerDescription
  readonly hasOverflow: boolean
  readonly transactions: LayerTransactions
}

/** What a layer file says of itself and of its rows; read once, as files never change. */
export class LayerFactsCache {
  readonly #disk: Disk
  /** Least recently used first. */
  readonly #facts = new Map<string, LayerFacts>()
  #transactionCount = 0

  constructor(disk: Disk) {
    this.#disk = disk
  }

  async get(engine: Engine, objectKey: string, path: string): Promise<LayerFacts> {
    const known = this.#facts.get(objectKey)
    if (known) {
      this.#facts.delete(objectKey)
      this.#facts.set(objectKey, known)
      return known
    }
    const { description, hasOverflow } = await this.#readFooter(objectKey, path)
    const facts = { description, hasOverflow, transactions: await readLayerTransactions(engine, path) }
    this.#facts.set(objectKey, facts)
    this.#transactionCount += countOf(facts)
    this.#shrink()
    return facts
  }

  async #readFooter(objectKey: string, path: string): Promise<Omit<LayerFacts, 'transactions'>> {
    const file = await this.#disk.open(path, 'read')
    try {
      const source: ByteSource = {
        sizeBytes: file.sizeBytes(),
        async read(start, end) {
          const bytes = new Uint8Array(end - start)
          const got = await file.read(bytes, start)
          if (got !== bytes.length)
            throw new CorruptionError('layer ends too early', { objectKey, offset: start + got })
          return bytes
        },
      }
      const { metadata, leaves } = await ParquetFile.open(source, { sealed: true })
      const text = metadata.keyValues.get(LAYER_KEY)
      if (text === undefined) throw new CorruptionError('parquet file is no columnar layer', { objectKey })
      const overflow = leaves.find((leaf) => leaf.path[0] === '_pg_overflow')
      const hasOverflow = metadata.rowGroups.some((group) => {
        const chunk = overflow && group.columns[overflow.index]
        return chunk?.statistics?.nullCount !== group.rowCount
      })
      return { description: JSON.parse(text) as LayerDescription, hasOverflow }
    } finally {
      await file.close()
    }
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
