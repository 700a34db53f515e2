/**
 * Finds entries of a B-tree index by their first column, an oid (src/include/access/nbtree.h, PG 18).
 *   block 0       at 24: u32 magic 0x053162, u32 version, u32 root, u32 level
 *   other pages   at pd_special: u32 left, u32 right (0: none), u32 level, u16 flags, u16 cycle
 *   tuple         6 B tid (u16 block high, u16 block low, u16 offset), u16 info (13 bits size), key aligned to 8
 * A pivot tuple's tid is its downlink; one that has its alternative bit set keeps the number of its columns in the offset.
 */
import { CorruptionError } from '../base/errors.ts'
import { u16, u32 } from '../columnar/little-endian.ts'
import { PAGE_SIZE } from '../postgres/constants.ts'
import { itemIdByte, itemLength, itemOffset, maxOffsetNumber } from '../postgres/item-id.ts'
import { hasPlausiblePageHeader, readPageLower, readPageSpecial } from '../postgres/page-header.ts'
import type { RelationLocator } from '../postgres/two-phase.ts'
import type { SnapshotSource } from './snapshot-source.ts'

const MAGIC = 0x053162
const LEAF = 1
const IGNORED = 0x04 | 0x10 // deleted, half dead
const OPAQUE_BYTES = 16
const ALTERNATIVE_TID = 0x2000
const POSTING = 0x2000
const OFFSET_MASK = 0x0fff
const KEY_OFFSET = 8
/** A tree of more levels than this, or a walk to the right of more pages, is damaged. */
const LEVELS_MAX = 20
const RIGHT_WALK_MAX = 100_000
/** 256 x 8 KiB = 2 MiB: inner pages and the leaves used last. */
const CACHED_PAGES_MAX = 256

export interface TupleId {
  readonly block: number
  /** From 1. */
  readonly offsetNumber: number
}

export class BtreeLookup {
  readonly #source: SnapshotSource
  readonly #index: RelationLocator
  readonly #pages = new Map<number, Uint8Array>()

  constructor(source: SnapshotSource, index: RelationLocator) {
    this.#source = source
    this.#index = index
  }

  /** Heap positions of all entries whose first column is `oid`, in index order, dead ones among them. */
  async find(oid: number): Promise<TupleId[]> {
    const found: TupleId[] = []
    let block = await this.#leafOf(oid)
    for (let step = 0; block !== 0; step++) {
      if (step > RIGHT_WALK_MAX) throw this.#damaged('walk without an end', block)
      const page = await this.#page(block)
      if (this.#collect(page, block, oid, found)) break
      block = u32(page, readPageSpecial(page) + 4)
    }
    return found
  }

  /** The leftmost leaf that may hold the oid; 0: the index is empty. */
  async #leafOf(oid: number): Promise<number> {
    const meta = await this.#read(0)
    if (!meta) return 0
    if (u32(meta, 24) !== MAGIC) throw this.#damaged('no metapage', 0)
    let block = u32(meta, 32)
    for (let depth = 0; block !== 0; depth++) {
      if (depth > LEVELS_MAX) throw this.#damaged('too many levels', block)
      const page = await this.#page(block)
      if ((this.#flags(page) & LEAF) !== 0) return block
      block = this.#downlink(page, block, oid)
    }
    return 0
  }

  /** The child left of which everything is before the oid: the last whose key is below it. */
  #downlink(page: Uint8Array, block: number, oid: number): number {
    const last = maxOffsetNumber(readPageLower(page))
    const first = this.#firstDataItem(page)
    let child = -1
    for (let offsetNumber = first; offsetNumber <= last; offsetNumber++) {
      const start = this.#tuple(page, block, offsetNumber)
      // The first key of an inner page is minus infinity. A key equal to the oid may have entries to its left.
      if (offsetNumber > first && keyOf(page, start) >= oid) break
      child = u16(page, start) * 65_536 + u16(page, start + 2)
    }
    if (child <= 0) throw this.#damaged('inner page without a downlink', block)
    return child
  }

  /** Adds the entries of a leaf; true when the oid's entries end here. */
  #collect(page: Uint8Array, block: number, oid: number, found: TupleId[]): boolean {
    if ((this.#flags(page) & IGNORED) !== 0) return false
    const last = maxOffsetNumber(readPageLower(page))
    for (let offsetNumber = this.#firstDataItem(page); offsetNumber <= last; offsetNumber++) {
      const start = this.#tuple(page, block, offsetNumber)
      const key = keyOf(page, start)
      if (key > oid) return true
      if (key < oid) continue
      const info = u16(page, start + 6)
      const offset = u16(page, start + 4)
      if ((info & ALTERNATIVE_TID) === 0 || (offset & POSTING) === 0) {
        found.push(tupleId(page, start))
        continue
      }
      const count = offset & OFFSET_MASK
      const list = start + u16(page, start) * 65_536 + u16(page, start + 2)
      if (list + count * 6 > start + (info & 0x1fff)) throw this.#damaged('posting list', block)
      for (let i = 0; i < count; i++) found.push(tupleId(page, list + i * 6))
    }
    return false
  }

  #firstDataItem(page: Uint8Array): number {
    // Item 1 of a page with a right neighbour is its high key.
    return u32(page, readPageSpecial(page) + 4) === 0 ? 1 : 2
  }

  #flags(page: Uint8Array): number {
    return u16(page, readPageSpecial(page) + 12)
  }

  #tuple(page: Uint8Array, block: number, offsetNumber: number): number {
    const item = u32(page, itemIdByte(offsetNumber))
    const start = itemOffset(item)
    if (itemLength(item) < KEY_OFFSET || start + itemLength(item) > PAGE_SIZE) throw this.#damaged('tuple', block)
    return start
  }

  async #page(block: number): Promise<Uint8Array> {
    const known = this.#pages.get(block)
    if (known) {
      this.#pages.delete(block)
      this.#pages.set(block, known)
      return known
    }
    const page = await this.#read(block)
    if (!page || !hasPlausiblePageHeader(page) || readPageSpecial(page) !== PAGE_SIZE - OPAQUE_BYTES) {
      throw this.#damaged('no B-tree page', block)
    }
    this.#pages.set(block, page)
    if (this.#pages.size > CACHED_PAGES_MAX) this.#pages.delete(this.#pages.keys().next().value ?? 0)
    return page
  }

  async #read(block: number): Promise<Uint8Array | undefined> {
    const [page] = await this.#source.readPages(this.#index, block, 1)
    return page?.slice()
  }

  #damaged(what: string, block: number): CorruptionError {
    return new CorruptionError(`index page: ${what}`, { relNumber: this.#index.relNumber, block })
  }
}

/** A pivot whose columns were all cut off is minus infinity. */
function keyOf(page: Uint8Array, start: number): number {
  return (u16(page, start + 6) & 0x1fff) >= KEY_OFFSET + 4 ? u32(page, start + KEY_OFFSET) : -1
}

function tupleId(page: Uint8Array, at: number): TupleId {
  return { block: u16(page, at) * 65_536 + u16(page, at + 2), offsetNumber: u16(page, at + 4) }
}
