/**
 * Which rows are visible to a snapshot that sees exactly what is committed at one LSN: what a server started there shows
 * (src/backend/access/heap/heapam_visibility.c, PG 18). Prepared transactions are in progress; those whose server is gone
 * are so for ever.
 *
 * The commit log decides. A hint bit counts only where the commit log has been truncated: it says the same for every
 * transaction that can still be found there, and a page never carries a hint of a commit after its own LSN.
 */
import { assert } from '../base/assert.ts'
import { StorageError } from '../base/errors.ts'
import { u32 } from '../columnar/little-endian.ts'
import {
  clogPage,
  multixactMemberPage,
  multixactMemberStatusByte,
  multixactMemberXidByte,
  multixactOffsetByte,
  multixactOffsetPage,
  readClogStatus,
  type SlruKind,
  XidStatus,
} from '../postgres/slru.ts'
import { BOOTSTRAP_XID, FROZEN_XID, INVALID_XID, isNormalXid } from '../postgres/xid.ts'
import { forEachTuple, Infomask, isLockOnly, tupleInfomask, tupleXmax, tupleXmin } from './heap-tuple.ts'
import type { SnapshotSource } from './snapshot-source.ts'

/** Multixacts whose updater is remembered; about 50 bytes each. */
const MULTIXACTS_MAX = 100_000
/** Pages of pg_xact held, and of pg_multixact in one load: 65,536 x 8 KiB = 512 MiB, all there can be; a few as a rule. */
const PAGES_MAX = 65_536
/** MultiXactStatusNoKeyUpdate: from here on a member updated or deleted the row. */
const MEMBER_UPDATE_FIRST = 4
/** A multixact whose end is not recorded yet is read up to its first unused member, and no further than this. */
const MEMBERS_MAX = 100_000

export class TransactionStatus {
  readonly #source: SnapshotSource
  readonly #clog = new Map<number, Uint8Array | undefined>()
  readonly #updaters = new Map<number, number>()
  #lastClogNumber = -1
  #lastClog: Uint8Array | undefined
  /** True once a transaction was judged that had not ended: at a later LSN the same pages may show other rows. */
  hasSeenOpen = false

  constructor(source: SnapshotSource) {
    this.#source = source
  }

  /** Loads what judging the tuples of these pages needs. */
  async load(pages: readonly (Uint8Array | undefined)[]): Promise<void> {
    const clogNumbers = new Set<number>()
    const multixacts = new Set<number>()
    let last = -1
    const wantClog = (xid: number): void => {
      const number = clogPage(xid)
      if (number === last || !isNormalXid(xid)) return
      last = number
      if (!this.#clog.has(number)) clogNumbers.add(number)
    }
    for (const page of pages) {
      if (!page) continue
      forEachTuple(page, (start) => {
        const infomask = tupleInfomask(page, start)
        if ((infomask & Infomask.xminFrozen) !== Infomask.xminFrozen) wantClog(tupleXmin(page, start))
        if ((infomask & Infomask.xmaxInvalid) !== 0 || isLockOnly(infomask)) return
        const xmax = tupleXmax(page, start)
        if ((infomask & Infomask.xmaxIsMulti) === 0) wantClog(xmax)
        else if (!this.#updaters.has(xmax)) multixacts.add(xmax)
      })
    }
    await this.#loadMultixacts(multixacts, wantClog)
    await this.#loadClog(clogNumbers)
  }

  /** Loads what `isCommitted` of these xids needs. */
  async loadXids(xids: Iterable<number>): Promise<void> {
    const numbers = new Set<number>()
    for (const xid of xids) if (isNormalXid(xid) && !this.#clog.has(clogPage(xid))) numbers.add(clogPage(xid))
    await this.#loadClog(numbers)
  }

  /** Loads what `isCommitted` of the updaters of these multixacts needs. */
  async loadMultixactIds(multixacts: Iterable<number>): Promise<void> {
    const clogNumbers = new Set<number>()
    const unknown = new Set([...multixacts].filter((multixact) => !this.#updaters.has(multixact)))
    await this.#loadMultixacts(unknown, (xid) => {
      if (isNormalXid(xid) && !this.#clog.has(clogPage(xid))) clogNumbers.add(clogPage(xid))
    })
    await this.#loadClog(clogNumbers)
  }

  /** After `loadMultixactIds`: the member that updated or deleted the row, 0 when all only lock. */
  updaterOf(multixact: number): number {
    const updater = this.#updaters.get(multixact)
    assert(updater !== undefined, 'a multixact is loaded before its updater is asked for')
    return updater
  }

  /** After `load` of its page: whether the row version that begins at `start` exists for the snapshot. */
  isVisible(page: Uint8Array, start: number): boolean {
    const infomask = tupleInfomask(page, start)
    return this.#isInserted(page, start, infomask) && !this.#isDeleted(page, start, infomask)
  }

  /** After `loadXids`. `hint` answers where the commit log no longer reaches. */
  isCommitted(xid: number, hint = false): boolean {
    if (!isNormalXid(xid)) return xid === BOOTSTRAP_XID || xid === FROZEN_XID
    const number = clogPage(xid)
    if (number !== this.#lastClogNumber) {
      assert(this.#clog.has(number), 'the commit log of a page is loaded before its rows are judged')
      this.#lastClogNumber = number
      this.#lastClog = this.#clog.get(number)
    }
    if (!this.#lastClog) return hint
    const status = readClogStatus(this.#lastClog, xid)
    if (status !== XidStatus.committed && status !== XidStatus.aborted) this.hasSeenOpen = true
    return status === XidStatus.committed
  }

  #isInserted(page: Uint8Array, start: number, infomask: number): boolean {
    if ((infomask & Infomask.xminFrozen) === Infomask.xminFrozen) return true
    return this.isCommitted(tupleXmin(page, start), (infomask & Infomask.xminCommitted) !== 0)
  }

  #isDeleted(page: Uint8Array, start: number, infomask: number): boolean {
    if ((infomask & Infomask.xmaxInvalid) !== 0 || isLockOnly(infomask)) return false
    const xmax = tupleXmax(page, start)
    const deleter = (infomask & Infomask.xmaxIsMulti) !== 0 ? this.#updaters.get(xmax) : xmax
    assert(deleter !== undefined, 'the multixacts of a page are loaded before its rows are judged')
    return deleter !== INVALID_XID && this.isCommitted(deleter, (infomask & Infomask.xmaxCommitted) !== 0)
  }

  async #loadClog(numbers: ReadonlySet<number>): Promise<void> {
    if (numbers.size === 0) return
    if (this.#clog.size + numbers.size > PAGES_MAX)
      throw new StorageError('exhausted', 'commit log of too many transactions', { pages: PAGES_MAX })
    this.#lastClogNumber = -1
    await Promise.all(
      [...numbers].map(async (number) => {
        const page = await this.#source.slruPage('clog', number)
        this.#clog.set(number, page?.slice())
      }),
    )
  }

  async #loadMultixacts(multixacts: ReadonlySet<number>, wantClog: (xid: number) => void): Promise<void> {
    if (multixacts.size === 0) return
    if (this.#updaters.size + multixacts.size > MULTIXACTS_MAX) this.#updaters.clear()
    const pages = new SlruPages(this.#source)
    for (const multixact of multixacts) {
      const updater = await findUpdater(pages, multixact)
      this.#updaters.set(multixact, updater)
      wantClog(updater)
    }
  }
}

/** Pages of one load, each read once. */
class SlruPages {
  readonly #source: SnapshotSource
  readonly #pages = new Map<string, Promise<Uint8Array | undefined>>()

  constructor(source: SnapshotSource) {
    this.#source = source
  }

  get(slru: SlruKind, page: number): Promise<Uint8Array | undefined> {
    const name = `${slru}/${page}`
    let found = this.#pages.get(name)
    if (!found) {
      if (this.#pages.size >= PAGES_MAX) this.#pages.clear()
      found = this.#source.slruPage(slru, page)
      this.#pages.set(name, found)
    }
    return found
  }
}

/** HeapTupleGetUpdateXid: the member that updated or deleted the row, 0 when all only lock. */
async function findUpdater(pages: SlruPages, multixact: number): Promise<number> {
  const offsetAt = async (id: number): Promise<number> => {
    const page = await pages.get('multixact-offsets', multixactOffsetPage(id))
    return page ? u32(page, multixactOffsetByte(id)) : 0
  }
  const first = await offsetAt(multixact)
  if (first === 0) return INVALID_XID
  // 0 is skipped when the ids wrap.
  const next = await offsetAt(multixact === 0xffff_ffff ? 1 : multixact + 1)
  const count = next === 0 ? MEMBERS_MAX : Math.min((next - first) >>> 0, MEMBERS_MAX)
  for (let i = 0; i < count; i++) {
    const offset = (first + i) >>> 0
    const page = await pages.get('multixact-members', multixactMemberPage(offset))
    const xid = page ? u32(page, multixactMemberXidByte(offset)) : INVALID_XID
    if (xid === INVALID_XID && next === 0) break
    if (page && xid !== INVALID_XID && page[multixactMemberStatusByte(offset)]! >= MEMBER_UPDATE_FIRST) return xid
  }
  return INVALID_XID
}
