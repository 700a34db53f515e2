import { PAGE_SIZE } from '../../postgres/constants.ts'
import { Fork } from '../../postgres/relation.ts'
import { type SlruKind, slruPageInSegment, slruSegment } from '../../postgres/slru.ts'
import type { RelationLocator } from '../../postgres/two-phase.ts'
import { KeyScratch, Slru } from '../key.ts'
import { rebuildPage } from '../rebuild-page.ts'
import { decodeCount } from '../timeline/relation-size.ts'
import type { OpenInput } from './layer-input.ts'
import { chainOf, type ImageSegment, segmentOf } from './segment-chain.ts'

const SLRU_OF: Readonly<Record<SlruKind, Slru>> = {
  clog: Slru.xact,
  'multixact-offsets': Slru.multixactOffsets,
  'multixact-members': Slru.multixactMembers,
}

/**
 * What a timeline holds at one LSN, read from the layer files that a task was given. It knows the key ranges of its
 * segments alone: everything outside of them is absent.
 */
export class LayerSnapshot {
  readonly #inputs: readonly OpenInput[]
  readonly #segments: readonly ImageSegment[]
  readonly #key = new KeyScratch()

  /** Segments ascending and disjoint. */
  constructor(inputs: readonly OpenInput[], segments: readonly ImageSegment[]) {
    this.#inputs = inputs
    this.#segments = segments
  }

  /** One page in a buffer of its own; undefined: it does not exist. */
  async page(relation: RelationLocator, block: number): Promise<Uint8Array | undefined> {
    const { spcOid, dbOid, relNumber } = relation
    return this.#page(this.#key.relationBlock(spcOid, dbOid, relNumber, Fork.main, block).slice())
  }

  async blockCount({ spcOid, dbOid, relNumber }: RelationLocator): Promise<number | undefined> {
    const value = await this.#value(this.#key.relationSize(spcOid, dbOid, relNumber, Fork.main).slice())
    return value && decodeCount(value)
  }

  async readPages(
    relation: RelationLocator,
    firstBlock: number,
    blockCount: number,
  ): Promise<(Uint8Array | undefined)[]> {
    const pages: (Uint8Array | undefined)[] = []
    for (let i = 0; i < blockCount; i++) {
      const page = await this.page(relation, firstBlock + i)
      pages.push(page && isZero(page) ? undefined : page)
    }
    return pages
  }

  relationMap(spcOid: number, dbOid: number): Promise<Uint8Array | undefined> {
    return this.#value(this.#key.relationMap(spcOid, dbOid).slice())
  }

  async slruPage(slru: SlruKind, page: number): Promise<Uint8Array | undefined> {
    // A truncated segment leaves its pages behind in the store.
    const size = await this.#value(this.#key.slruSegment(SLRU_OF[slru], slruSegment(page)).slice())
    if (!size || slruPageInSegment(page) >= decodeCount(size)) return undefined
    return this.#page(this.#key.slruPage(SLRU_OF[slru], slruSegment(page), slruPageInSegment(page)).slice())
  }

  async #page(key: Uint8Array): Promise<Uint8Array | undefined> {
    const segment = segmentOf(this.#segments, key)
    const chain = segment && (await chainOf(this.#inputs, segment, key))
    return chain && rebuildPage(key, chain)
  }

  async #value(key: Uint8Array): Promise<Uint8Array | undefined> {
    const segment = segmentOf(this.#segments, key)
    const chain = segment && (await chainOf(this.#inputs, segment, key))
    const value = chain?.values[0]
    return value && value.length > 0 ? value : undefined
  }
}

function isZero(page: Uint8Array): boolean {
  if (page[14] !== 0 || page[15] !== 0 || page[19] !== 0) return false
  for (let i = 0; i < PAGE_SIZE; i++) if (page[i] !== 0) return false
  return true
}
