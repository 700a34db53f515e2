import { CorruptionError } from '../../base/errors.ts'
import type { Lsn } from '../../postgres/lsn.ts'
import { KeyScratch } from '../key.ts'
import type { TimelineStorage, ValueChain } from './timeline-storage.ts'

/** A compute asks for a few hundred forks at one LSN over and over. About 150 bytes each. */
const SIZES_MAX = 20_000

interface KnownSize {
  readonly fromLsn: Lsn
  readonly toLsn: Lsn
  readonly blockCount: number
}

/** Sizes of forks at any LSN, with a cache of the ranges of LSNs in which they are known not to change. */
export class RelationSizeReader {
  readonly #storage: TimelineStorage
  readonly #key = new KeyScratch()
  readonly #known = new Map<string, KnownSize>()

  constructor(storage: TimelineStorage) {
    this.#storage = storage
  }

  /** Blocks of the fork as of `lsn`; -1: there is no such fork. Undefined: not known without waiting. */
  now(spcOid: number, dbOid: number, relNumber: number, fork: number, lsn: Lsn): number | undefined {
    const name = sizeName(spcOid, dbOid, relNumber, fork)
    const known = this.#known.get(name)
    if (known && known.fromLsn <= lsn && lsn <= known.toLsn) return known.blockCount
    const chains = this.#storage.collectNow(this.#key.relationSize(spcOid, dbOid, relNumber, fork), 1, lsn)
    return chains && this.#take(name, chains[0]!, lsn)
  }

  async at(spcOid: number, dbOid: number, relNumber: number, fork: number, lsn: Lsn): Promise<number> {
    const now = this.now(spcOid, dbOid, relNumber, fork, lsn)
    if (now !== undefined) return now
    const key = this.#key.relationSize(spcOid, dbOid, relNumber, fork).slice()
    const [chain] = await this.#storage.collect(key, 1, lsn)
    return this.#take(sizeName(spcOid, dbOid, relNumber, fork), chain!, lsn)
  }

  #take(name: string, chain: ValueChain, lsn: Lsn): number {
    const blockCount = decodeRelationSize(chain)
    this.#known.delete(name)
    this.#known.set(name, { fromLsn: chain.lsns[0] ?? lsn, toLsn: lsn, blockCount })
    if (this.#known.size > SIZES_MAX) {
      const oldest = this.#known.keys().next()
      if (!oldest.done) this.#known.delete(oldest.value)
    }
    return blockCount
  }
}

function sizeName(spcOid: number, dbOid: number, relNumber: number, fork: number): string {
  return `${spcOid}/${dbOid}/${relNumber}.${fork}`
}

function decodeRelationSize(chain: ValueChain): number {
  const value = chain.values[0]
  return value === undefined || value.length === 0 ? -1 : decodeCount(value)
}

/** A relation size or segment size value: u32, little-endian. */
export function decodeCount(value: Uint8Array): number {
  if (value.length !== 4) throw new CorruptionError('not a count', { bytes: value.length })
  return new DataView(value.buffer, value.byteOffset, 4).getUint32(0, true)
}
