import type { Lsn } from '../../postgres/lsn.ts'

interface CachedPage {
  /** LSN of the newest change in the page. */
  readonly versionLsn: Lsn
  /** The page is known to be the same at every LSN in [versionLsn, knownToLsn]. */
  knownToLsn: Lsn
  readonly page: Uint8Array
}

/**
 * Pages rebuilt lately, by key and the range of LSNs that they are right for. One entry a key: the version asked for
 * last. Least recently used goes first.
 */
export class PageCache {
  readonly #entries = new Map<string, CachedPage>()
  readonly #pagesMax: number

  constructor(pagesMax: number) {
    this.#pagesMax = pagesMax
  }

  get(name: string, lsn: Lsn): Uint8Array | undefined {
    const entry = this.#entries.get(name)
    if (entry === undefined || lsn < entry.versionLsn || lsn > entry.knownToLsn) return undefined
    this.#entries.delete(name)
    this.#entries.set(name, entry)
    return entry.page
  }

  /** `page` is kept, not copied: it must not be written to any more. */
  set(name: string, versionLsn: Lsn, knownToLsn: Lsn, page: Uint8Array): void {
    const old = this.#entries.get(name)
    if (old && old.versionLsn === versionLsn && old.knownToLsn > knownToLsn) return
    this.#entries.delete(name)
    this.#entries.set(name, { versionLsn, knownToLsn, page })
    if (this.#entries.size <= this.#pagesMax) return
    const oldest = this.#entries.keys().next()
    if (!oldest.done) this.#entries.delete(oldest.value)
  }

  clear(): void {
    this.#entries.clear()
  }
}
