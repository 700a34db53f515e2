import { assert } from '../../base/assert.ts'
import { PAGE_SIZE } from '../../postgres/constants.ts'
import type { Lsn } from '../../postgres/lsn.ts'

/** Twice the pages of one request. */
export const PAGE_CACHE_PAGES_MIN = 256

/** Memory is taken in pieces of 128 pages (1 MiB) as the cache fills. */
const PIECE_PAGES = 128

interface CachedPage {
  /** LSN of the newest change in the page. */
  versionLsn: Lsn
  /** The page is known to be the same at every LSN in [versionLsn, knownToLsn]. */
  knownToLsn: Lsn
  readonly slot: number
}

/**
 * Pages rebuilt lately, by key and the range of LSNs that they are right for. One entry a key: the version asked for
 * last. Least recently used goes first. Pages are copied in and out, so that the memory behind them is used again and the
 * garbage collector never hears of them.
 */
export class PageCache {
  /** Insertion order is the order of last use. */
  readonly #entries = new Map<string, CachedPage>()
  readonly #pieces: Uint8Array[] = []
  readonly #pagesMax: number

  constructor(pagesMax: number) {
    assert(pagesMax >= PAGE_CACHE_PAGES_MIN, 'page cache is smaller than what one request touches')
    this.#pagesMax = pagesMax
  }

  /**
   * True when the page is here and right for `lsn`. It then stays at least while PAGE_CACHE_PAGES_MIN other pages are
   * touched or set.
   */
  touch(name: string, lsn: Lsn): boolean {
    const entry = this.#entries.get(name)
    if (entry === undefined || lsn < entry.versionLsn || lsn > entry.knownToLsn) return false
    this.#entries.delete(name)
    this.#entries.set(name, entry)
    return true
  }

  /** Copies a page that was just touched to target[at, at + 8192). */
  copy(name: string, target: Uint8Array, at: number): void {
    const entry = this.#entries.get(name)
    assert(entry, 'page left the cache while it was read')
    target.set(this.#page(entry.slot), at)
  }

  /** Keeps a copy of `page`. */
  set(name: string, versionLsn: Lsn, knownToLsn: Lsn, page: Uint8Array): void {
    const old = this.#entries.get(name)
    if (old && old.versionLsn === versionLsn && old.knownToLsn > knownToLsn) return
    const slot = old?.slot ?? this.#freeSlot()
    this.#page(slot).set(page)
    this.#entries.delete(name)
    this.#entries.set(name, { versionLsn, knownToLsn, slot })
  }

  #freeSlot(): number {
    const count = this.#entries.size
    const oldest = this.#entries.entries().next()
    if (count >= this.#pagesMax && !oldest.done) {
      const [name, { slot }] = oldest.value
      this.#entries.delete(name)
      return slot
    }
    // A slot always has an entry once it is in use, so their count is the first one that is not.
    if (count >= this.#pieces.length * PIECE_PAGES) this.#pieces.push(new Uint8Array(PIECE_PAGES * PAGE_SIZE))
    return count
  }

  #page(slot: number): Uint8Array {
    const at = (slot % PIECE_PAGES) * PAGE_SIZE
    return this.#pieces[Math.floor(slot / PIECE_PAGES)]!.subarray(at, at + PAGE_SIZE)
  }
}
