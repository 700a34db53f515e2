import { forEachTuple, Infomask, tupleInfomask } from '../../catalog/heap-tuple.ts'
import type { SnapshotSource } from '../../catalog/snapshot-source.ts'
import { ToastValues } from '../../catalog/toast-values.ts'
import type { TableDefinition } from '../../columnar/table-definition.ts'
import { planTableLayout } from '../../columnar/table-layout.ts'
import { type ToastReader, TupleDecoder } from '../../columnar/tuple-decoder.ts'
import type { ToastPointer } from '../../columnar/varlena.ts'
import type { RelationLocator } from '../../postgres/two-phase.ts'

/** Values of one page that are held at a time; what goes beyond is shown as null and marked as overflow. */
const PAGE_VALUES_BYTES_MAX = 256 * 1024 * 1024

/**
 * Brings the out-of-line values of one heap page here before its tuples are decoded. Chunks count whether or not their
 * transaction has ended: a tuple and its chunks are of one transaction, and ids of values are not used twice while any
 * chunk of the old value is left.
 */
export class ToastPrefetch {
  readonly #values: ToastValues
  readonly #probe: TupleDecoder
  #wanted: ToastPointer[] = []
  readonly #loaded = new Map<number, Uint8Array>()

  constructor(
    source: SnapshotSource,
    toast: { readonly heap: RelationLocator; readonly index: RelationLocator },
    table: { readonly table: TableDefinition; readonly isUtf8: boolean },
  ) {
    const everything = { load: () => Promise.resolve(), isVisible: () => true }
    this.#values = new ToastValues(source, everything, toast.heap, toast.index)
    this.#probe = new TupleDecoder(planTableLayout(table.table, table), (pointer) => {
      this.#wanted.push(pointer)
      return undefined
    })
  }

  /** Of the page loaded last. */
  readonly read: ToastReader = (pointer) => this.#loaded.get(pointer.valueId)

  async load(page: Uint8Array, block: number): Promise<void> {
    this.#loaded.clear()
    let hasExternal = false
    forEachTuple(page, (start) => {
      if ((tupleInfomask(page, start) & Infomask.hasExternal) !== 0) hasExternal = true
    })
    if (!hasExternal) return
    this.#wanted = []
    this.#probe.decodePage(page, block)
    this.#probe.clear()
    let sizeBytes = 0
    for (const pointer of this.#wanted) {
      if (this.#loaded.has(pointer.valueId)) continue
      if (sizeBytes + pointer.storedSizeBytes > PAGE_VALUES_BYTES_MAX) continue
      const value = await this.#values.fetch(pointer)
      if (!value) continue
      this.#loaded.set(pointer.valueId, value)
      sizeBytes += value.length
    }
  }
}
