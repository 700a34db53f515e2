/**
 * Values that lie out of line, fetched from a TOAST relation as of the source's LSN: rows of (chunk_id oid, chunk_seq int4,
 * chunk_data bytea), found through its index (src/backend/access/common/toast_internals.c, PG 18).
 */
import { CorruptionError } from '../base/errors.ts'
import { i32, u32 } from '../columnar/little-endian.ts'
import type { ToastPointer } from '../columnar/varlena.ts'
import { varlenaForm, varlenaSize, varlenaStart } from '../columnar/varlena.ts'
import { PAGE_SIZE } from '../postgres/constants.ts'
import { ItemIdFlag, itemFlags, itemIdByte, itemLength, itemOffset, maxOffsetNumber } from '../postgres/item-id.ts'
import { hasPlausiblePageHeader, readPageLower } from '../postgres/page-header.ts'
import type { RelationLocator } from '../postgres/two-phase.ts'
import { BtreeLookup, type TupleId } from './btree-lookup.ts'
import type { SnapshotSource } from './snapshot-source.ts'
import type { TransactionStatus } from './transaction-status.ts'

/** 256 x 8 KiB = 2 MiB: neighbouring values share pages. */
const CACHED_PAGES_MAX = 256

export class ToastValues {
  readonly #source: SnapshotSource
  readonly #transactions: Pick<TransactionStatus, 'load' | 'isVisible'>
  readonly #heap: RelationLocator
  readonly #index: BtreeLookup
  readonly #pages = new Map<number, Uint8Array>()

  constructor(
    source: SnapshotSource,
    transactions: Pick<TransactionStatus, 'load' | 'isVisible'>,
    heap: RelationLocator,
    index: RelationLocator,
  ) {
    this.#source = source
    this.#transactions = transactions
    this.#heap = heap
    this.#index = new BtreeLookup(source, index)
  }

  /** The stored bytes of a value (compressed, if it is), or undefined when not all of its chunks are there. */
  async fetch(pointer: ToastPointer): Promise<Uint8Array | undefined> {
    const chunks = new Map<number, Uint8Array>()
    let sizeBytes = 0
    for (const id of await this.#index.find(pointer.valueId)) {
      const chunk = await this.#chunk(id, pointer.valueId)
      if (!chunk || chunks.has(chunk.sequence)) continue
      chunks.set(chunk.sequence, chunk.data)
      sizeBytes += chunk.data.length
      if (sizeBytes > pointer.storedSizeBytes) break
    }
    if (sizeBytes !== pointer.storedSizeBytes) return undefined
    const value = new Uint8Array(sizeBytes)
    let at = 0
    for (let sequence = 0; sequence < chunks.size; sequence++) {
      const data = chunks.get(sequence)
      if (!data) return undefined
      value.set(data, at)
      at += data.length
    }
    return value
  }

  /** Undefined for a dead entry of the index. */
  async #chunk(id: TupleId, valueId: number): Promise<{ sequence: number; data: Uint8Array } | undefined> {
    const page = await this.#page(id.block)
    await this.#transactions.load([page])
    if (!page || id.offsetNumber > maxOffsetNumber(readPageLower(page))) return undefined
    const item = u32(page, itemIdByte(id.offsetNumber))
    const start = itemOffset(item)
    const end = start + itemLength(item)
    if (itemFlags(item) !== ItemIdFlag.normal || end > PAGE_SIZE || end - start < 36) return undefined
    const data = start + page[start + 22]!
    if (u32(page, data) !== valueId || !this.#transactions.isVisible(page, start)) return undefined
    const from = varlenaStart(page, data + 8, start, 4)
    const size = varlenaSize(page, from)
    const form = varlenaForm(page, from)
    if (form === 'external' || form === 'compressed' || from + size > end) {
      throw new CorruptionError('toast chunk', { relNumber: this.#heap.relNumber, block: id.block })
    }
    return { sequence: i32(page, data + 4), data: page.slice(from + (form === 'short' ? 1 : 4), from + size) }
  }

  async #page(block: number): Promise<Uint8Array | undefined> {
    const known = this.#pages.get(block)
    if (known) {
      this.#pages.delete(block)
      this.#pages.set(block, known)
      return known
    }
    const pages = await this.#source.readPages(this.#heap, block, 1)
    const page = pages[0]?.slice()
    if (!page) return undefined
    if (!hasPlausiblePageHeader(page)) {
      throw new CorruptionError('not a heap page', { relNumber: this.#heap.relNumber, block })
    }
    this.#pages.set(block, page)
    if (this.#pages.size > CACHED_PAGES_MAX) this.#pages.delete(this.#pages.keys().next().value ?? 0)
    return page
  }
}
