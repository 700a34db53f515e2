import { CorruptionError } from '../../base/errors.ts'
import { Lsn } from '../../postgres/lsn.ts'
import type { DecodedRecord, WalRecord } from '../../wal/record.ts'
import { Heap2Opcode, HeapOpcode } from '../../wal/rmgr/heap.ts'
import { RmgrId } from '../../wal/rmgr-table.ts'
import { type CatalogWork, ddlSummary, emptyCatalogWork, noteCatalogRecord, noteNames } from './catalog-work.ts'

/**
 * What happened on a timeline, noted while its WAL goes by: DDL, large transactions, checkpoints, starts of terms.
 *
 * One value a batch that holds marks, under KeyKind.eventJournal, written at the LSN of its first mark: JSON, UTF-8,
 * [[lsn / 8, time in microseconds since 2000 or null, kind, summary, bytes, xid, term], …] with 0 for what is missing.
 */
export interface EventMark {
  readonly lsn: Lsn
  readonly time: number | null
  readonly kind: 'ddl' | 'large-transaction' | 'checkpoint' | 'term'
  readonly summary: string
  readonly sizeBytes: number
  readonly xid: number
  readonly term: number
}

/** WAL bytes of a transaction from which on it is worth a mark. */
export const LARGE_TRANSACTION_BYTES = 16 * 1024 * 1024
/** Transactions under way that are watched; the one that began first is dropped. */
const WATCHED_MAX = 10_000
const BATCH_MARKS_MAX = 64
/**
 * Marks of one day on a timeline, by the times they bear, until which marks of a kind are still noted. So a timeline holds
 * at most 8000 (about 1.5 MB) for each day of its restore window. What is left out first: checkpoints, then DDL, then
 * large transactions; starts of terms last.
 */
const DAY_MARKS_MAX: Readonly<Record<EventMark['kind'], number>> = {
  checkpoint: 2000,
  ddl: 4000,
  'large-transaction': 6000,
  term: 8000,
}
const DAY_MICROSECONDS = 24 * 3600 * 1e6
/** DDL marks in so much WAL; what is left out is counted and told by the next one. */
const DDL_MARKS_MAX = 100
const DDL_WINDOW_BYTES = 16 * 1024 * 1024
/** Catalogs have their OID as file number until they are rewritten. */
const CATALOG_NUMBER_MAX = 12_000
const DatabaseOpcode = { createFileCopy: 0x00, createWalLog: 0x10, drop: 0x20 } as const
const SMGR_CREATE = 0x10

interface Watched {
  sizeBytes: number
  work: CatalogWork | undefined
}

export class EventMarkWriter {
  readonly #watched = new Map<number, Watched>()
  #marks: EventMark[] = []
  #lastXid = 0
  #last: Watched | undefined
  #windowStart = 0
  #windowCount = 0
  #leftOut = 0
  #day = 0
  #dayCount = 0

  get count(): number {
    return this.#marks.length
  }

  get firstLsn(): Lsn {
    return this.#marks[0]?.lsn ?? Lsn.zero
  }

  /** Every record before it is dispatched. Cheap: it runs for each record of the WAL. */
  saw(record: WalRecord, decoded: DecodedRecord): void {
    const { xid } = record
    if (xid === 0) return
    const watched = xid === this.#lastXid ? this.#last! : this.#watch(xid)
    watched.sizeBytes += record.bytes.length
    const { rmid } = decoded
    if (rmid === RmgrId.heap || rmid === RmgrId.heap2) {
      const block = decoded.blockCount > 0 ? decoded.blocks[0]! : undefined
      if (!block || block.relNumber > CATALOG_NUMBER_MAX) return
      const isMulti = rmid === RmgrId.heap2
      if (isMulti && (decoded.opcode & 0x70) !== Heap2Opcode.multiInsert) return
      watched.work ??= emptyCatalogWork()
      noteCatalogRecord(watched.work, block.relNumber, isMulti ? HeapOpcode.insert : decoded.opcode, block)
    } else if (rmid === RmgrId.smgr && decoded.opcode === SMGR_CREATE) {
      watched.work ??= emptyCatalogWork()
      watched.work.filesCreated++
    } else if (rmid === RmgrId.database) {
      watched.work ??= emptyCatalogWork()
      if (decoded.opcode === DatabaseOpcode.drop) watched.work.databasesDropped++
      else watched.work.databasesCreated++
    }
  }

  committed(lsn: Lsn, end: { xid: number; subxacts: readonly number[]; time: number; filesDropped: number }): void {
    let sizeBytes = 0
    let work: CatalogWork | undefined
    for (const xid of [end.xid, ...end.subxacts]) {
      const watched = this.#forget(xid)
      if (!watched) continue
      sizeBytes += watched.sizeBytes
      if (watched.work) work = work ? addWork(work, watched.work) : watched.work
    }
    const summary = work && ddlSummary(work, end.filesDropped)
    const common = { lsn, time: end.time, xid: end.xid, term: 0 }
    if (summary && this.#mayMarkDdl(lsn)) {
      const more = this.#leftOut > 0 ? ` (and ${this.#leftOut} transactions with DDL before)` : ''
      this.#leftOut = 0
      this.#add({ ...common, kind: 'ddl', summary: `${summary}${more}`, sizeBytes })
    }
    if (sizeBytes >= LARGE_TRANSACTION_BYTES) {
      const summary = `transaction of ${Math.round(sizeBytes / 1024 / 1024)} MiB of WAL`
      this.#add({ ...common, kind: 'large-transaction', summary, sizeBytes })
    }
  }

  aborted(xids: readonly number[]): void {
    for (const xid of xids) this.#forget(xid)
  }

  /** `term` is 0 for a checkpoint of Postgres itself. */
  checkpoint(lsn: Lsn, time: number, isShutdown: boolean, term: number): void {
    const common = { lsn, time, sizeBytes: 0, xid: 0, term }
    if (term > 0) this.#add({ ...common, kind: 'term', summary: `a compute took over in term ${term}` })
    else this.#add({ ...common, kind: 'checkpoint', summary: isShutdown ? 'the compute was stopped' : 'checkpoint' })
    // No transaction outlives a compute; prepared ones lose what was counted before.
    if (isShutdown) this.#forgetAll()
  }

  begin(): void {
    if (this.#marks.length > 0) this.#marks = []
  }

  encode(): Uint8Array {
    const rows = this.#marks.map(({ lsn, time, kind, summary, sizeBytes, xid, term }) => [
      lsn / 8,
      time,
      kind,
      summary,
      sizeBytes,
      xid,
      term,
    ])
    return new TextEncoder().encode(JSON.stringify(rows))
  }

  #add(mark: EventMark): void {
    const day = Math.floor((mark.time ?? 0) / DAY_MICROSECONDS)
    if (day !== this.#day) {
      this.#day = day
      this.#dayCount = 0
    }
    const isRoom =
      this.#dayCount < DAY_MARKS_MAX[mark.kind] && (this.#marks.length < BATCH_MARKS_MAX || this.#yield(mark))
    if (isRoom) {
      this.#dayCount++
      this.#marks.push(mark)
    } else if (mark.kind === 'ddl') this.#leftOut++
  }

  /** Leaves out the mark of this batch that matters least, if it matters less than `mark`. */
  #yield(mark: EventMark): boolean {
    const least = this.#marks.reduce((a, b) => (DAY_MARKS_MAX[b.kind] < DAY_MARKS_MAX[a.kind] ? b : a))
    if (DAY_MARKS_MAX[least.kind] >= DAY_MARKS_MAX[mark.kind]) return false
    this.#marks.splice(this.#marks.indexOf(least), 1)
    if (least.kind === 'ddl') this.#leftOut++
    return true
  }

  #mayMarkDdl(lsn: Lsn): boolean {
    if (lsn - this.#windowStart > DDL_WINDOW_BYTES) {
      this.#windowStart = lsn
      this.#windowCount = 0
    }
    if (this.#windowCount++ < DDL_MARKS_MAX) return true
    this.#leftOut++
    return false
  }

  #watch(xid: number): Watched {
    let watched = this.#watched.get(xid)
    if (!watched) {
      watched = { sizeBytes: 0, work: undefined }
      this.#watched.set(xid, watched)
      if (this.#watched.size > WATCHED_MAX) {
        for (const oldest of this.#watched.keys()) {
          this.#forget(oldest)
          break
        }
      }
    }
    this.#lastXid = xid
    this.#last = watched
    return watched
  }

  #forget(xid: number): Watched | undefined {
    if (xid === this.#lastXid) this.#lastXid = 0
    const watched = this.#watched.get(xid)
    if (watched) this.#watched.delete(xid)
    return watched
  }

  #forgetAll(): void {
    this.#watched.clear()
    this.#lastXid = 0
  }
}

function addWork(a: CatalogWork, b: CatalogWork): CatalogWork {
  for (const [catalog, counts] of b.catalogs) {
    const mine = a.catalogs.get(catalog) ?? { inserts: 0, updates: 0, deletes: 0 }
    a.catalogs.set(catalog, {
      inserts: mine.inserts + counts.inserts,
      updates: mine.updates + counts.updates,
      deletes: mine.deletes + counts.deletes,
    })
  }
  noteNames(a, b.created, b.namedCount)
  a.createdCount += b.createdCount
  a.temporaryCount += b.temporaryCount
  a.filesCreated += b.filesCreated
  a.databasesCreated += b.databasesCreated
  a.databasesDropped += b.databasesDropped
  return a
}

const KINDS: readonly EventMark['kind'][] = ['ddl', 'large-transaction', 'checkpoint', 'term']

/** Marks of one batch, in LSN order. */
export function decodeEventMarks(bytes: Uint8Array): EventMark[] {
  const fail = (): never => {
    throw new CorruptionError('not an event journal', { bytes: bytes.length })
  }
  let rows: unknown
  try {
    rows = JSON.parse(new TextDecoder().decode(bytes))
  } catch {
    fail()
  }
  if (!Array.isArray(rows)) return fail()
  return rows.map((row: unknown) => {
    if (!Array.isArray(row)) return fail()
    const [lsn8, time, kind, summary, sizeBytes, xid, term]: unknown[] = row
    const known = KINDS.find((name) => name === kind)
    if (known === undefined || typeof summary !== 'string' || (time !== null && typeof time !== 'number')) return fail()
    const count = (value: unknown) => (typeof value === 'number' && Number.isSafeInteger(value) ? value : fail())
    return {
      lsn: Lsn.of(count(lsn8) * 8),
      time,
      kind: known,
      summary,
      sizeBytes: count(sizeBytes),
      xid: count(xid),
      term: count(term),
    }
  })
}
