/**
 * Which pages of one remote relation segment are in its local cache file. Shared between the reader thread, which
 * writes, truncates and answers hits, and the main thread, which installs fetched pages; one byte a page (128 KiB for a
 * full 1 GiB segment), changed only by atomic operations.
 *
 *   absent -> installing -> present | mark      the main thread, around one pwrite
 *   absent -> present                           the reader thread: Postgres writes or truncates
 *
 * A write always wins over a fetch: the main thread installs only what it could claim from `absent`, and the reader
 * thread waits out a claim (microseconds) before it writes over it.
 */
const ABSENT = 0
const PRESENT = 1
const INSTALLING = 2
/** Present, and the read that reaches it asks for the next read-ahead. */
const MARK = 3

/** Turns of a waiting writer before it sleeps instead. */
const SPIN_TURNS = 2000

export class PagePresence {
  readonly #states: Uint8Array

  constructor(buffer: SharedArrayBuffer) {
    this.#states = new Uint8Array(buffer)
  }

  static allocate(pageCount: number): SharedArrayBuffer {
    return new SharedArrayBuffer(pageCount)
  }

  /** Pages of the segment at the boot LSN; pages from here on are local. */
  get pageCount(): number {
    return this.#states.length
  }

  /** A page that is being installed counts as absent: its bytes may not be there yet. */
  isPresent(page: number): boolean {
    if (page >= this.#states.length) return true
    const state = Atomics.load(this.#states, page)
    return state === PRESENT || state === MARK
  }

  /** First page of [first, end) that is not present, or `end`. */
  firstAbsent(first: number, end: number): number {
    const bound = Math.min(end, this.#states.length)
    for (let page = first; page < bound; page++) if (!this.isPresent(page)) return page
    return end
  }

  /** True for the one caller that reaches a marked page of [first, end) first. */
  takeMark(first: number, end: number): boolean {
    const bound = Math.min(end, this.#states.length)
    let taken = false
    for (let page = first; page < bound; page++) {
      if (this.#states[page] !== MARK) continue
      if (Atomics.compareExchange(this.#states, page, MARK, PRESENT) === MARK) taken = true
    }
    return taken
  }

  /** Main thread: true when the page was absent and may now be written; then `finishInstall` must follow at once. */
  claim(page: number): boolean {
    if (page >= this.#states.length) return false
    return Atomics.compareExchange(this.#states, page, ABSENT, INSTALLING) === ABSENT
  }

  finishInstall(page: number): void {
    Atomics.store(this.#states, page, PRESENT)
  }

  /** Main thread, when the write of a claimed page failed. */
  abandonInstall(page: number): void {
    Atomics.store(this.#states, page, ABSENT)
  }

  /** Main thread: the read that reaches this present page asks for the next read-ahead. */
  mark(page: number): void {
    if (page < this.#states.length) Atomics.compareExchange(this.#states, page, PRESENT, MARK)
  }

  /** Absent pages among [first, end): what to give back when a write over them fails. */
  absentOf(first: number, end: number): number[] {
    const pages: number[] = []
    const bound = Math.min(end, this.#states.length)
    for (let page = first; page < bound; page++) if (!this.isPresent(page)) pages.push(page)
    return pages
  }

  /** After `makeLocal`, when the write that it was for has not reached the page: it is to be fetched again. */
  forget(page: number): void {
    Atomics.store(this.#states, page, ABSENT)
  }

  /** Makes [first, end) local for good; on return no install of these pages is under way or can begin. */
  makeLocal(first: number, end: number = this.#states.length): void {
    const bound = Math.min(end, this.#states.length)
    for (let page = first; page < bound; page++) {
      for (let turn = 0; ; turn++) {
        const before = Atomics.compareExchange(this.#states, page, ABSENT, PRESENT)
        if (before !== INSTALLING) break
        if (turn > SPIN_TURNS) pause()
      }
    }
  }
}

const sleeper = new Int32Array(new SharedArrayBuffer(4))

/** Only the reader thread waits; on the main thread of Node.js this is allowed, too. */
function pause(): void {
  Atomics.wait(sleeper, 0, 0, 0.1)
}
