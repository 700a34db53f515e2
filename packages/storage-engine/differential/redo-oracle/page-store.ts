/** The pages of a whole cluster as redo left them: changed ones in memory, the others read from a copy of initdb's files. */
import fs from 'node:fs'
import path from 'node:path'
import { GLOBAL_TABLESPACE_OID, PAGE_SIZE } from '../../src/postgres/constants.ts'
import type { PageMask } from '../../src/redo/page-mask.ts'

const FORK_SUFFIX = ['', '_fsm', '_vm', '_init']

export interface StoredPage {
  readonly bytes: Uint8Array
  mask: PageMask
  /** Set once the page differed from Postgres's: it is not compared again, so that one fault is one message. */
  diverged: boolean
}

export interface StoredFork {
  readonly spcOid: number
  readonly dbOid: number
  readonly relNumber: number
  readonly fork: number
  readonly pages: Map<number, StoredPage>
  /** Blocks below this that are not in `pages` are those of the base file. */
  baseBlockCount: number
  basePath: string
  /**
   * Set when a map page came as an image without its bits: CREATE DATABASE with strategy wal_log logs it as a page
   * whose space between pd_lower and pd_upper is unused, and that is all of the map (RelationCopyStorageUsingBuffer).
   * A stock standby has zeros there too, which is safe: a clear bit only costs a visit to the heap.
   */
  visibilityLost: boolean
}

export class PageStore {
  readonly #baseDir: string
  readonly #forks = new Map<string, StoredFork>()
  /** Databases made by file copy: reads of their base files go to the source's. */
  readonly #copiedFrom = new Map<number, number>()

  /** `baseDir` is a copy of the data directory as it was at the LSN where redo starts. */
  constructor(baseDir: string) {
    this.#baseDir = baseDir
  }

  forks(): Iterable<StoredFork> {
    return this.#forks.values()
  }

  fork(spcOid: number, dbOid: number, relNumber: number, fork: number): StoredFork {
    const key = `${spcOid}/${dbOid}/${relNumber}/${fork}`
    const known = this.#forks.get(key)
    if (known !== undefined) return known
    const basePath = path.join(
      this.#baseDir,
      relationPath(spcOid, this.#copiedFrom.get(dbOid) ?? dbOid, relNumber, fork),
    )
    const sizeBytes = fs.statSync(basePath, { throwIfNoEntry: false })?.size ?? 0
    const made: StoredFork = {
      ...{ spcOid, dbOid, relNumber, fork, basePath },
      pages: new Map(),
      baseBlockCount: sizeBytes / PAGE_SIZE,
      visibilityLost: false,
    }
    this.#forks.set(key, made)
    return made
  }

  /** The page to change in place; zeros when it does not exist yet. */
  page(fork: StoredFork, blockNumber: number): StoredPage {
    const known = fork.pages.get(blockNumber)
    if (known !== undefined) return known
    const made: StoredPage = { bytes: readBasePage(fork, blockNumber), mask: 'header-only', diverged: false }
    fork.pages.set(blockNumber, made)
    return made
  }

  truncate(fork: StoredFork, blockCount: number): void {
    for (const blockNumber of fork.pages.keys()) if (blockNumber >= blockCount) fork.pages.delete(blockNumber)
    fork.baseBlockCount = Math.min(fork.baseBlockCount, blockCount)
  }

  /** CREATE DATABASE ... STRATEGY file_copy. */
  copyDatabase(fromDbOid: number, toDbOid: number): void {
    this.#copiedFrom.set(toDbOid, this.#copiedFrom.get(fromDbOid) ?? fromDbOid)
    for (const source of [...this.#forks.values()]) {
      if (source.dbOid !== fromDbOid) continue
      const target = this.fork(source.spcOid, toDbOid, source.relNumber, source.fork)
      target.baseBlockCount = source.baseBlockCount
      for (const [blockNumber, page] of source.pages) {
        target.pages.set(blockNumber, { ...page, bytes: page.bytes.slice() })
      }
    }
  }
}

export function readBasePage(fork: StoredFork, blockNumber: number): Uint8Array {
  if (blockNumber >= fork.baseBlockCount) return new Uint8Array(PAGE_SIZE)
  return readPage(fork.basePath, blockNumber) ?? new Uint8Array(PAGE_SIZE)
}

/** Undefined when the file ends before the page, or is not there. */
export function readPage(file: string, pageNumber: number): Uint8Array | undefined {
  let descriptor: number
  try {
    descriptor = fs.openSync(file, 'r')
  } catch {
    return undefined
  }
  try {
    const bytes = new Uint8Array(PAGE_SIZE)
    return fs.readSync(descriptor, bytes, 0, PAGE_SIZE, pageNumber * PAGE_SIZE) === PAGE_SIZE ? bytes : undefined
  } finally {
    fs.closeSync(descriptor)
  }
}

/** Path below the data directory; relations here stay below one segment. */
export function relationPath(spcOid: number, dbOid: number, relNumber: number, fork: number): string {
  const directory = spcOid === GLOBAL_TABLESPACE_OID ? 'global' : `base/${dbOid}`
  return `${directory}/${relNumber}${FORK_SUFFIX[fork]}`
}
