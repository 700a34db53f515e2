/**
 * Applies redo to every block of every record of a WAL stream and compares the result with the page that Postgres put
 * into the record (wal_consistency_checking=all). Redo of native resource managers never sees those images: they are
 * taken out of the record before.
 *
 * Also follows what no block reference names: visibility-map clears, truncation, pg_xact, pg_multixact.
 */
import { errorText } from '../../src/base/errors.ts'
import { PAGE_SIZE } from '../../src/postgres/constants.ts'
import { Lsn } from '../../src/postgres/lsn.ts'
import { Fork } from '../../src/postgres/relation.ts'
import { readU32 } from '../../src/redo/little-endian.ts'
import { PD_ALL_VISIBLE, pageFlags, pageLsn } from '../../src/redo/page.ts'
import {
  applyPageChange,
  encodeBlockChange,
  encodeMultixactMembers,
  encodeMultixactOffsets,
  encodeTransactionStatus,
  encodeVisibilityClear,
  encodeVisibilityTruncation,
  encodeZeroPage,
  type SlruAddress,
  TransactionStatus,
} from '../../src/redo/page-change.ts'
import { maskPage, pageMaskOf } from '../../src/redo/page-mask.ts'
import { redoBlock, redoesByImage } from '../../src/redo/redo.ts'
import {
  clogPageOfXid,
  MEMBERS_PER_MEMBERS_PAGE,
  membersPageOfOffset,
  offsetsPageOfMultixact,
} from '../../src/redo/slru-page.ts'
import { visibilityClears } from '../../src/redo/visibility-clears.ts'
import { HEAP_BLOCKS_PER_VM_PAGE, vmBlockOfHeapBlock } from '../../src/redo/visibility-map.ts'
import { restoreBlockImage } from '../../src/wal/block-image.ts'
import type { DecodedRecord, WalBlock, WalRecord } from '../../src/wal/record.ts'
import { createDecodedRecord, decodeRecord } from '../../src/wal/record-decoder.ts'
import { RmgrId } from '../../src/wal/rmgr-table.ts'
import type { PageStore, StoredPage } from './page-store.ts'
import { RecordCoverage } from './record-coverage.ts'
import type { SlruStore } from './slru-store.ts'

const DIFFERENCES_MAX = 20
const EMPTY = new Uint8Array(0)
/** Every so many records redo goes through the stored form of a page value instead of the record itself. */
const STORED_FORM_EVERY = 5

/** One block of one record with the page before it (redo's) and after it (Postgres's, unmasked). Borrowed. */
export interface ComparedBlock {
  readonly walRecord: WalRecord
  readonly record: DecodedRecord
  readonly block: WalBlock
  readonly before: Uint8Array
  readonly after: Uint8Array
}

export class RedoOracle {
  /** Called for every block compared, if set. */
  observer: ((compared: ComparedBlock) => void) | undefined
  readonly pages: PageStore
  readonly slrus: SlruStore
  readonly coverage = new RecordCoverage()
  /** Empty when redo agrees with Postgres. Bounded; `differenceCount` has them all. */
  readonly differences: string[] = []
  differenceCount = 0
  /** Bits that Postgres had cleared in a map page before the record that clears them was in the WAL. */
  readonly pendingVisibilityClears = new Map<string, string>()
  readonly #comparesLsns: boolean
  readonly #record: DecodedRecord = createDecodedRecord()
  readonly #before = new Uint8Array(PAGE_SIZE)
  readonly #ours = new Uint8Array(PAGE_SIZE)
  readonly #theirs = new Uint8Array(PAGE_SIZE)

  /**
   * With `comparesLsns` pd_lsn must be exact too: the image in a record still has that of the record before. (With data
   * checksums Postgres moves the pd_lsn of a heap page when it sets its visibility bits; computes run without. Map pages
   * are left out: Postgres clears their bits without moving it, and so does hash with some of its pages.)
   */
  constructor(pages: PageStore, slrus: SlruStore, comparesLsns: boolean) {
    this.#comparesLsns = comparesLsns
    this.pages = pages
    this.slrus = slrus
  }

  add(walRecord: WalRecord): void {
    const record = decodeRecord(walRecord.bytes, this.#record, walRecord.startLsn)
    this.coverage.add(record)
    for (let i = 0; i < record.blockCount; i++) this.#addBlock(walRecord, record, record.blocks[i]!)
    this.#addVisibilityClears(walRecord, record)
    this.#addMetadata(walRecord, record)
  }

  #addBlock(walRecord: WalRecord, record: DecodedRecord, block: WalBlock): void {
    const fork = this.pages.fork(block.spcOid, block.dbOid, block.relNumber, block.fork)
    const page = this.pages.page(fork, block.blockNumber)
    const lsnBefore = pageLsn(page.bytes)
    if (this.observer !== undefined) this.#before.set(page.bytes)
    this.coverage.blockCount++
    const { image, hasImage } = block
    const native = !redoesByImage(record.rmid)
    try {
      if (hasImage && native && !block.applyImage) {
        block.hasImage = false
        block.image = EMPTY
      }
      if (this.coverage.recordCount % STORED_FORM_EVERY === 0) {
        const change = encodeBlockChange(walRecord, record, block)
        if (change?.willInit) page.bytes.fill(0)
        const address = { kind: 'block', ...fork, blockNumber: block.blockNumber } as const
        if (change !== undefined) applyPageChange(page.bytes, address, change.value, walRecord.endLsn)
      } else {
        redoBlock(page.bytes, record, block, walRecord.endLsn)
      }
    } catch (error) {
      this.#report(walRecord, block, page, errorText(error))
    }
    block.hasImage = hasImage
    block.image = image
    if (record.rmid !== RmgrId.xlog) page.mask = pageMaskOf(record.rmid, block.fork)
    else if (block.fork === Fork.vm) {
      page.mask = 'visibility-map'
      if (block.holeLength > 0) fork.visibilityLost = true
    }
    if (!hasImage) {
      if (record.rmid !== RmgrId.xlog) this.#report(walRecord, block, page, 'no image to compare with')
      return
    }
    this.#compare(walRecord, block, page, lsnBefore)
    if (this.observer === undefined) return
    restoreBlockImage(block, this.#theirs)
    this.observer({ walRecord, record, block, before: this.#before, after: this.#theirs })
  }

  #compare(walRecord: WalRecord, block: WalBlock, page: StoredPage, lsnBefore: Lsn): void {
    if (page.diverged) return
    this.coverage.comparedCount++
    const ours = this.#ours
    const theirs = this.#theirs
    ours.set(page.bytes)
    restoreBlockImage(block, theirs)
    if (page.mask === 'heap' && ((pageFlags(ours) ^ pageFlags(theirs)) & PD_ALL_VISIBLE) !== 0) {
      // Postgres leaves this flag out of its own check, but a scan that finds it skips the visibility rules.
      this.#report(walRecord, block, page, `all-visible flag: redo ${pageFlags(ours)}, Postgres ${pageFlags(theirs)}`)
      return
    }
    if (
      this.#comparesLsns &&
      !redoesByImage(walRecord.rmid) &&
      block.fork === Fork.main &&
      !block.willInit &&
      !block.applyImage &&
      lsnBefore !== pageLsn(theirs)
    ) {
      const lsns = `redo ${Lsn.format(lsnBefore)}, Postgres ${Lsn.format(pageLsn(theirs))}`
      this.#report(walRecord, block, page, `pd_lsn before the record: ${lsns}`)
      return
    }
    maskPage(ours, page.mask, block.blockNumber)
    maskPage(theirs, page.mask, block.blockNumber)
    if (Buffer.compare(ours, theirs) === 0) return
    if (page.mask === 'visibility-map' && this.#clearedEarly(block, walRecord)) return
    const difference = firstDifference(ours, theirs)
    this.#report(walRecord, block, page, difference)
  }

  /** True when the map page differs only in bits that Postgres has cleared already: their records must follow. */
  #clearedEarly(block: WalBlock, walRecord: WalRecord): boolean {
    const ours = this.#ours
    const theirs = this.#theirs
    for (let at = 0; at < PAGE_SIZE; at++) {
      const extra = ours[at]! ^ theirs[at]!
      if (extra === 0) continue
      if (at < 24 || (theirs[at]! & extra) !== 0) return false
      for (let slot = 0; slot < 4; slot++) {
        if ((extra & (3 << (slot * 2))) === 0) continue
        const heapBlock = block.blockNumber * HEAP_BLOCKS_PER_VM_PAGE + (at - 24) * 4 + slot
        this.pendingVisibilityClears.set(`${block.dbOid}/${block.relNumber}/${heapBlock}`, Lsn.format(walRecord.endLsn))
      }
    }
    return true
  }

  #addVisibilityClears(walRecord: WalRecord, record: DecodedRecord): void {
    for (const clear of visibilityClears(record)) {
      const heap = record.blocks[0]!
      this.pendingVisibilityClears.delete(`${heap.dbOid}/${heap.relNumber}/${clear.heapBlock}`)
      const fork = this.pages.fork(heap.spcOid, heap.dbOid, heap.relNumber, Fork.vm)
      const blockNumber = vmBlockOfHeapBlock(clear.heapBlock)
      const page = this.pages.page(fork, blockNumber)
      page.mask = 'visibility-map'
      const address = { kind: 'block', ...fork, blockNumber } as const
      applyPageChange(page.bytes, address, encodeVisibilityClear([clear]), walRecord.endLsn)
    }
  }

  #addMetadata(walRecord: WalRecord, record: DecodedRecord): void {
    const main = record.mainData
    switch (record.rmid) {
      case RmgrId.smgr:
        if (record.opcode === 0x20) this.#truncate(walRecord, main)
        return
      case RmgrId.database:
        if (record.opcode === 0x00) this.pages.copyDatabase(readU32(main, 8), readU32(main, 0))
        return
      case RmgrId.xact:
        this.#addTransactionEnd(walRecord, record)
        return
      case RmgrId.clog:
        if (record.opcode === 0x00) this.#changeSlru('clog', readU32(main, 0), encodeZeroPage(), walRecord)
        return
      case RmgrId.multixact:
        if (record.opcode === 0x00) this.#changeSlru('multixact-offsets', readU32(main, 0), encodeZeroPage(), walRecord)
        if (record.opcode === 0x10) this.#changeSlru('multixact-members', readU32(main, 0), encodeZeroPage(), walRecord)
        if (record.opcode === 0x20) this.#addMultixact(walRecord, main)
        return
    }
  }

  /** Storage TRUNCATE: new block count, relation, flags 1 heap, 2 visibility map. */
  #truncate(walRecord: WalRecord, main: Uint8Array): void {
    const blockCount = readU32(main, 0)
    const [spcOid, dbOid, relNumber, flags] = [4, 8, 12, 16].map((at) => readU32(main, at)) as [
      number,
      number,
      number,
      number,
    ]
    if (flags & 1) this.pages.truncate(this.pages.fork(spcOid, dbOid, relNumber, Fork.main), blockCount)
    if (!(flags & 2)) return
    const fork = this.pages.fork(spcOid, dbOid, relNumber, Fork.vm)
    const vmBlock = vmBlockOfHeapBlock(blockCount)
    const partial = blockCount % HEAP_BLOCKS_PER_VM_PAGE !== 0
    this.pages.truncate(fork, partial ? vmBlock + 1 : vmBlock)
    if (!partial) return
    const page = this.pages.page(fork, vmBlock)
    page.mask = 'visibility-map'
    const address = { kind: 'block', ...fork, blockNumber: vmBlock } as const
    applyPageChange(page.bytes, address, encodeVisibilityTruncation(blockCount), walRecord.endLsn)
  }

  #addTransactionEnd(walRecord: WalRecord, record: DecodedRecord): void {
    const opcode = record.opcode & 0x70
    const committed = opcode === 0x00 || opcode === 0x30
    if (!committed && opcode !== 0x20 && opcode !== 0x40) return
    const status = committed ? TransactionStatus.committed : TransactionStatus.aborted
    const byPage = new Map<number, number[]>()
    for (const xid of endedXids(record)) {
      const pageNumber = clogPageOfXid(xid)
      byPage.set(pageNumber, [...(byPage.get(pageNumber) ?? []), xid])
    }
    for (const [pageNumber, xids] of byPage) {
      this.#changeSlru('clog', pageNumber, encodeTransactionStatus(status, 0n, xids), walRecord)
    }
  }

  /** MultiXact CREATE_ID: mid, moff, n, members {xid, status}. The next entry of the offsets is written too. */
  #addMultixact(walRecord: WalRecord, main: Uint8Array): void {
    const multixact = readU32(main, 0)
    const firstOffset = readU32(main, 4)
    const count = readU32(main, 8)
    const next = multixact === 0xffffffff ? 1 : multixact + 1
    const nextOffset = (firstOffset + count) >>> 0 || 1
    const entries: (readonly [number, number])[] = [
      [multixact, firstOffset],
      [next, nextOffset],
    ]
    for (const entry of entries) {
      const pageNumber = offsetsPageOfMultixact(entry[0])
      this.#changeSlru('multixact-offsets', pageNumber, encodeMultixactOffsets([entry]), walRecord)
    }
    for (let from = 0; from < count; ) {
      const offset = (firstOffset + from) >>> 0
      const pageNumber = membersPageOfOffset(offset)
      const to = Math.min(count, from + MEMBERS_PER_MEMBERS_PAGE - (offset % MEMBERS_PER_MEMBERS_PAGE))
      const value = encodeMultixactMembers(offset, main.subarray(12), from, to)
      this.#changeSlru('multixact-members', pageNumber, value, walRecord)
      from = to
    }
  }

  #changeSlru(slru: SlruAddress['slru'], pageNumber: number, value: Uint8Array, walRecord: WalRecord): void {
    const page = this.slrus.page(slru, pageNumber)
    applyPageChange(page, { kind: 'slru', slru, pageNumber }, value, walRecord.endLsn)
  }

  report(text: string): void {
    this.differenceCount++
    if (this.differences.length < DIFFERENCES_MAX) this.differences.push(text)
  }

  #report(walRecord: WalRecord, block: WalBlock, page: StoredPage, what: string): void {
    if (page.diverged) return
    page.diverged = true
    const opcode = `0x${(walRecord.info & 0xf0).toString(16)}`
    const where = `${block.spcOid}/${block.dbOid}/${block.relNumber} fork ${block.fork} block ${block.blockNumber}`
    this.report(`${Lsn.format(walRecord.endLsn)} rmgr ${walRecord.rmid} ${opcode} ref ${block.id} ${where}: ${what}`)
  }
}

/** Own xid and subtransactions of a commit or abort record; for a prepared transaction's end, that transaction's xid. */
function endedXids(record: DecodedRecord): number[] {
  const main = record.mainData
  const xids: number[] = record.xid === 0 ? [] : [record.xid]
  if (!(record.opcode & 0x80)) return xids
  const xinfo = readU32(main, 8)
  let at = 12
  if (xinfo & 0x001) at += 8
  if (xinfo & 0x002) {
    const count = readU32(main, at)
    for (let i = 0; i < count; i++) xids.push(readU32(main, at + 4 + i * 4))
    at += 4 + count * 4
  }
  for (const [bit, size] of [
    [0x004, 12],
    [0x100, 16],
    [0x008, 16],
  ] as const) {
    if (xinfo & bit) at += 4 + readU32(main, at) * size
  }
  if (xinfo & 0x010) xids.push(readU32(main, at))
  return xids
}

export function firstDifference(ours: Uint8Array, theirs: Uint8Array): string {
  let at = 0
  while (at < PAGE_SIZE && ours[at] === theirs[at]) at++
  let count = 0
  for (let i = at; i < PAGE_SIZE; i++) if (ours[i] !== theirs[i]) count++
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes.subarray(at, at + 16)).toString('hex')
  return `${count} bytes differ, first at ${at}: redo ${hex(ours)}, Postgres ${hex(theirs)}`
}
