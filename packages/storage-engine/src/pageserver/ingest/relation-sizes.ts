import type { KeyFields } from '../key.ts'

/**
 * Blocks of every fork at the tip of one timeline, in memory: ingest asks for it with every block it changes. About 60
 * bytes a fork: a database of 100,000 relations takes some 10 MB.
 */
export class RelationSizes {
  /** tablespace -> database -> relNumber * 4 + fork -> blocks */
  readonly #spaces = new Map<number, Map<number, Map<number, number>>>()
  #lastSpc = -1
  #lastDb = -1
  #lastForks: Map<number, number> | undefined

  /** -1: there is no such fork. */
  get(spcOid: number, dbOid: number, relNumber: number, fork: number): number {
    return this.#forks(spcOid, dbOid)?.get(relNumber * 4 + fork) ?? -1
  }

  set(spcOid: number, dbOid: number, relNumber: number, fork: number, blockCount: number): void {
    let forks = this.#forks(spcOid, dbOid)
    if (!forks) {
      let databases = this.#spaces.get(spcOid)
      if (!databases) {
        databases = new Map()
        this.#spaces.set(spcOid, databases)
      }
      forks = new Map()
      databases.set(dbOid, forks)
      this.#lastSpc = -1
    }
    forks.set(relNumber * 4 + fork, blockCount)
  }

  delete(spcOid: number, dbOid: number, relNumber: number, fork: number): void {
    this.#forks(spcOid, dbOid)?.delete(relNumber * 4 + fork)
  }

  /** The forks of one database in one tablespace; a copy, so that the caller may change sizes while it goes through. */
  forksOf(spcOid: number, dbOid: number): { relNumber: number; fork: number; blockCount: number }[] {
    const forks = this.#spaces.get(spcOid)?.get(dbOid) ?? new Map<number, number>()
    return [...forks].map(([name, blockCount]) => ({ relNumber: Math.floor(name / 4), fork: name % 4, blockCount }))
  }

  /** Sum of all forks, in blocks. */
  totalBlocks(): number {
    let total = 0
    for (const databases of this.#spaces.values()) {
      for (const forks of databases.values()) for (const blockCount of forks.values()) total += blockCount
    }
    return total
  }

  /** Takes over one stored relation size. */
  load(key: KeyFields, blockCount: number): void {
    this.set(key.a, key.b, key.c, key.d, blockCount)
  }

  #forks(spcOid: number, dbOid: number): Map<number, number> | undefined {
    if (spcOid === this.#lastSpc && dbOid === this.#lastDb) return this.#lastForks
    const forks = this.#spaces.get(spcOid)?.get(dbOid)
    this.#lastSpc = spcOid
    this.#lastDb = dbOid
    this.#lastForks = forks
    return forks
  }
}
