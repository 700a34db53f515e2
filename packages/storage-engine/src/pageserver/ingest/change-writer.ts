import { assert } from '../../base/assert.ts'
import { SLRU_PAGES_PER_SEGMENT } from '../../postgres/constants.ts'
import type { Lsn } from '../../postgres/lsn.ts'
import { encodeZeroPage } from '../../redo/page-change.ts'
import { KEY_BYTES, KeyScratch, type Slru } from '../key.ts'
import type { TimelineStorage } from '../timeline/timeline-storage.ts'
import type { RelationSizes } from './relation-sizes.ts'
import type { SlruSegments } from './slru-segments.ts'

const TOMBSTONE = new Uint8Array(0)
const ZERO_PAGE = encodeZeroPage()
/** Forks of a relation: main, fsm, vm, init. */
const FORK_COUNT = 4

interface HeldValue {
  readonly key: Uint8Array
  start: number
  end: number
  willInit: boolean
}

interface GrownFork {
  spcOid: number
  dbOid: number
  relNumber: number
  fork: number
  oldBlockCount: number
}

/**
 * Writes what one WAL record changes, keeping fork and segment sizes in step. Between `beginRecord` and `endRecord` a key
 * gets at most one value: sizes of forks and segments that change several times, and blocks between the old end of a fork and a block beyond
 * it, are written once, at the end of the record.
 */
export class ChangeWriter {
  readonly sizes: RelationSizes
  readonly segments: SlruSegments
  readonly #storage: TimelineStorage
  readonly #key = new KeyScratch()
  readonly #count = new Uint8Array(4)
  readonly #countView = new DataView(this.#count.buffer)
  readonly #grown: GrownFork[] = []
  /** Blocks of grown forks written by this record, as (index into #grown, block). */
  readonly #grownBlocks: number[] = []
  /** SLRU segments that grew in this record, as (slru, segment). */
  readonly #grownSegments: [Slru, number][] = []
  // Values of the record in hand, one behind the other, and whose they are. Reused from record to record.
  #values = new Uint8Array(64 * 1024)
  #valuesLength = 0
  readonly #held: HeldValue[] = []
  #heldCount = 0
  #lsn: Lsn = 0 as Lsn

  constructor(storage: TimelineStorage, sizes: RelationSizes, segments: SlruSegments) {
    this.#storage = storage
    this.sizes = sizes
    this.segments = segments
  }

  /** End LSN of the record being written. */
  get lsn(): Lsn {
    return this.#lsn
  }

  beginRecord(endLsn: Lsn): void {
    this.#lsn = endLsn
  }

  /** Hands everything that the record changes to the storage: all of it, or nothing when a handler has thrown before. */
  endRecord(): void {
    if (this.#grown.length > 0) this.#writeGrownForks()
    if (this.#grownSegments.length > 0) this.#writeGrownSegments()
    const held = this.#held
    for (let i = 0; i < this.#heldCount; i++) {
      const { key, start, end, willInit } = held[i]!
      this.#storage.put(key, this.#lsn, willInit, this.#values.subarray(start, end))
    }
    this.#heldCount = 0
    this.#valuesLength = 0
  }

  /**
   * A change of one block. A block at or beyond the end of its fork makes the fork grow (or come to be) and starts from a
   * zero page, whatever `willInit` says.
   */
  block(
    spcOid: number,
    dbOid: number,
    relNumber: number,
    fork: number,
    block: number,
    willInit: boolean,
    change: Uint8Array,
  ): void {
    const blockCount = this.sizes.get(spcOid, dbOid, relNumber, fork)
    let startsPage = willInit
    if (block >= blockCount || this.#grown.length > 0) {
      startsPage = this.#growTo(spcOid, dbOid, relNumber, fork, block, blockCount) || willInit
    }
    this.#hold(this.#key.relationBlock(spcOid, dbOid, relNumber, fork, block), startsPage, change)
  }

  /** An image of a block of a fork whose size is set separately. Goes straight to the storage: there may be very many. */
  copiedBlock(spcOid: number, dbOid: number, relNumber: number, fork: number, block: number, image: Uint8Array): void {
    this.#storage.put(this.#key.relationBlock(spcOid, dbOid, relNumber, fork, block), this.#lsn, true, image)
  }

  createFork(spcOid: number, dbOid: number, relNumber: number, fork: number): void {
    if (this.sizes.get(spcOid, dbOid, relNumber, fork) >= 0) return
    this.setForkSize(spcOid, dbOid, relNumber, fork, 0)
  }

  setForkSize(spcOid: number, dbOid: number, relNumber: number, fork: number, blockCount: number): void {
    assert(this.#grown.length === 0, 'fork size set while the record grows forks')
    this.sizes.set(spcOid, dbOid, relNumber, fork, blockCount)
    this.#putForkSize(spcOid, dbOid, relNumber, fork, blockCount)
  }

  /** Drops every fork of the relation that exists. */
  dropRelation(spcOid: number, dbOid: number, relNumber: number): void {
    for (let fork = 0; fork < FORK_COUNT; fork++) this.dropFork(spcOid, dbOid, relNumber, fork)
  }

  dropFork(spcOid: number, dbOid: number, relNumber: number, fork: number): void {
    if (this.sizes.get(spcOid, dbOid, relNumber, fork) < 0) return
    this.sizes.delete(spcOid, dbOid, relNumber, fork)
    this.#hold(this.#key.relationSize(spcOid, dbOid, relNumber, fork), true, TOMBSTONE)
  }

  /** A change of one SLRU page, numbered across segments. A page that does not exist yet starts from zeros. */
  slruPage(slru: Slru, page: number, willInit: boolean, change: Uint8Array): void {
    const segment = Math.floor(page / SLRU_PAGES_PER_SEGMENT)
    const inSegment = page % SLRU_PAGES_PER_SEGMENT
    const pageCount = Math.max(this.segments.pageCount(slru, segment), 0)
    const isNew = inSegment >= pageCount
    if (isNew) {
      for (let gap = pageCount; gap < inSegment; gap++) {
        this.#hold(this.#key.slruPage(slru, segment, gap), true, ZERO_PAGE)
      }
      this.#setSegment(slru, segment, inSegment + 1)
    }
    this.#hold(this.#key.slruPage(slru, segment, inSegment), willInit || isNew, change)
  }

  /** A whole segment as page images, straight to the storage. */
  copiedSlruSegment(slru: Slru, segment: number, images: readonly Uint8Array[]): void {
    images.forEach((image, page) => {
      this.#storage.put(this.#key.slruPage(slru, segment, page), this.#lsn, true, image)
    })
    this.#setSegment(slru, segment, images.length)
  }

  dropSlruSegment(slru: Slru, segment: number): void {
    if (this.segments.pageCount(slru, segment) < 0) return
    this.segments.delete(slru, segment)
    this.#hold(this.#key.slruSegment(slru, segment), true, TOMBSTONE)
  }

  relationMap(spcOid: number, dbOid: number, file: Uint8Array): void {
    this.#hold(this.#key.relationMap(spcOid, dbOid), true, file)
  }

  database(spcOid: number, dbOid: number): void {
    this.#hold(this.#key.database(spcOid, dbOid), true, Uint8Array.of(1))
  }

  /** Drops the database in one tablespace with its map and all its relations. */
  dropDatabase(spcOid: number, dbOid: number): void {
    for (const { relNumber, fork } of this.sizes.forksOf(spcOid, dbOid)) this.dropFork(spcOid, dbOid, relNumber, fork)
    this.#hold(this.#key.relationMap(spcOid, dbOid), true, TOMBSTONE)
    this.#hold(this.#key.database(spcOid, dbOid), true, TOMBSTONE)
  }

  twoPhaseFile(fullXidHigh: number, fullXidLow: number, file: Uint8Array): void {
    this.#hold(this.#key.twoPhaseFile(fullXidHigh, fullXidLow), true, file)
  }

  dropTwoPhaseFile(fullXidHigh: number, fullXidLow: number): void {
    this.#hold(this.#key.twoPhaseFile(fullXidHigh, fullXidLow), true, TOMBSTONE)
  }

  /** A key that exists once. `lsn` is the record's own unless the value belongs to a whole batch. */
  single(kind: number, value: Uint8Array, lsn: Lsn = this.#lsn): void {
    this.#storage.put(this.#key.single(kind), lsn, true, value)
  }

  #hold(key: Uint8Array, willInit: boolean, value: Uint8Array): void {
    // On a word boundary, as the open layer wants them.
    const start = (this.#valuesLength + 7) & ~7
    const end = start + value.length
    if (end > this.#values.length) {
      const grown = new Uint8Array(2 * end)
      grown.set(this.#values.subarray(0, this.#valuesLength))
      this.#values = grown
    }
    this.#values.set(value, start)
    this.#valuesLength = end
    let held = this.#held[this.#heldCount]
    if (!held) {
      held = { key: new Uint8Array(KEY_BYTES), start, end, willInit }
      this.#held.push(held)
    }
    held.key.set(key)
    held.start = start
    held.end = end
    held.willInit = willInit
    this.#heldCount++
  }

  /** Returns true when the block lies at or beyond the end that the fork had before this record. */
  #growTo(spcOid: number, dbOid: number, relNumber: number, fork: number, block: number, blockCount: number): boolean {
    let index = this.#grown.findIndex(
      (grown) =>
        grown.relNumber === relNumber && grown.fork === fork && grown.dbOid === dbOid && grown.spcOid === spcOid,
    )
    if (index < 0) {
      if (block < blockCount) return false
      index = this.#grown.push({ spcOid, dbOid, relNumber, fork, oldBlockCount: Math.max(blockCount, 0) }) - 1
    }
    if (block >= blockCount) this.sizes.set(spcOid, dbOid, relNumber, fork, block + 1)
    if (block < this.#grown[index]!.oldBlockCount) return false
    this.#grownBlocks.push(index, block)
    return true
  }

  #writeGrownForks(): void {
    for (let index = 0; index < this.#grown.length; index++) {
      const { spcOid, dbOid, relNumber, fork, oldBlockCount } = this.#grown[index]!
      const blockCount = this.sizes.get(spcOid, dbOid, relNumber, fork)
      this.#putForkSize(spcOid, dbOid, relNumber, fork, blockCount)
      if (blockCount === oldBlockCount + 1) continue
      for (let block = oldBlockCount; block < blockCount; block++) {
        if (this.#wroteBlock(index, block)) continue
        this.#hold(this.#key.relationBlock(spcOid, dbOid, relNumber, fork, block), true, ZERO_PAGE)
      }
    }
    this.#grown.length = 0
    this.#grownBlocks.length = 0
  }

  #wroteBlock(index: number, block: number): boolean {
    for (let i = 0; i < this.#grownBlocks.length; i += 2) {
      if (this.#grownBlocks[i] === index && this.#grownBlocks[i + 1] === block) return true
    }
    return false
  }

  #putForkSize(spcOid: number, dbOid: number, relNumber: number, fork: number, blockCount: number): void {
    this.#countView.setUint32(0, blockCount, true)
    this.#hold(this.#key.relationSize(spcOid, dbOid, relNumber, fork), true, this.#count)
  }

  #setSegment(slru: Slru, segment: number, pageCount: number): void {
    this.segments.set(slru, segment, pageCount)
    if (this.#grownSegments.some((grown) => grown[0] === slru && grown[1] === segment)) return
    this.#grownSegments.push([slru, segment])
  }

  #writeGrownSegments(): void {
    for (const [slru, segment] of this.#grownSegments) {
      this.#countView.setUint32(0, this.segments.pageCount(slru, segment), true)
      this.#hold(this.#key.slruSegment(slru, segment), true, this.#count)
    }
    this.#grownSegments.length = 0
  }
}
