import { WalWriter } from '../fixtures/wal-writer.ts'
import { POSTGRES_EPOCH_UNIX_SECONDS } from '../src/postgres/constants.ts'
import type { Lsn } from '../src/postgres/lsn.ts'
import { isNewPage, PAGE_HEADER_SIZE, readPageLower, readPageUpper } from '../src/postgres/page-header.ts'
import { Fork } from '../src/postgres/relation.ts'
import type { RecordParts } from '../src/wal/record-encoder.ts'
import { RmgrId } from '../src/wal/rmgr-table.ts'
import { COPIED_DB, DB, FIRST_XID, type LogModel, RELATIONS, SPC } from './log-model.ts'
import type { SimRandom } from './sim-random.ts'

type Parts = Omit<RecordParts, 'prevLsn'>

const XLOG_NOOP = 0x20
const XLOG_FPI = 0xb0
const HEAP_INSERT = 0x00
const HEAP_DELETE = 0x10
const HEAP_INIT_PAGE = 0x80
const ALL_VISIBLE_CLEARED = 0x01
const SMGR_CREATE = 0x10
const SMGR_TRUNCATE = 0x20
const DATABASE_FILE_COPY = 0x00
const DATABASE_DROP = 0x20
const XACT_COMMIT = 0x00
const XACT_HAS_INFO = 0x80
const XINFO_RELATIONS = 0x4

/** Records that change pages: whatever Postgres could log on pages as the model has them at the end of the log. */
export class PageWorkload {
  readonly #model: LogModel
  readonly #wal: WalWriter
  readonly #random: SimRandom
  readonly #nowUnixMs: () => number

  constructor(options: {
    /** Holds the log up to `startLsn`, and is fed what this writes. */
    model: LogModel
    systemIdentifier: bigint
    startLsn: Lsn
    prevLsn: Lsn
    random: SimRandom
    nowUnixMs: () => number
  }) {
    this.#model = options.model
    this.#wal = new WalWriter(options.systemIdentifier, options.startLsn, options.prevLsn)
    this.#random = options.random
    this.#nowUnixMs = options.nowUnixMs
  }

  get endLsn(): Lsn {
    return this.#wal.endLsn
  }

  /** The stream's bytes of one more record. */
  async next(): Promise<Uint8Array> {
    const lsn = this.#wal.endLsn
    const bytes = this.#wal.writeRecord(this.#record())
    await this.#model.feed(lsn, bytes)
    return bytes
  }

  #record(): Parts {
    const random = this.#random
    const relNumber = random.pick(RELATIONS)
    const size = this.#model.blockCount(relNumber, Fork.main)
    const xid = FIRST_XID + random.below(2000)
    const dice = random.below(100)
    if (dice < 25) return this.#commit(xid)
    if (dice < 28) return this.#commitDropping(xid, relNumber)
    if (dice < 31 && size > 0) return truncate(relNumber, random.below(size))
    if (dice < 33) return { rmid: RmgrId.smgr, info: SMGR_CREATE, mainData: u32s(SPC, DB, relNumber, Fork.main) }
    if (dice < 36) return this.#image(relNumber, size)
    if (random.chance(0.006)) return this.#copyDatabase(xid)
    if (dice < 38) {
      const filler = random.bytes(random.below(3000))
      return { rmid: RmgrId.xlog, info: XLOG_NOOP, mainData: filler }
    }
    if (dice < 50 && size > 0) return this.#delete(relNumber, random.below(size), xid)
    // Mostly the next block; now and then one beyond, which leaves zero pages between.
    if (size === 0 || random.chance(0.12))
      return this.#insert(relNumber, size + (random.chance(0.15) ? random.below(4) : 0), xid)
    return this.#insert(relNumber, random.below(Math.min(size, 12)), xid)
  }

  #insert(relNumber: number, block: number, xid: number): Parts {
    const random = this.#random
    const length = 1 + random.below(random.chance(0.1) ? 1500 : 120)
    const page = this.#pageAt(relNumber, block)
    const offset = page === undefined ? 1 : itemCount(page) + 1
    const hasRoom = page !== undefined && readPageUpper(page) - readPageLower(page) > length + 64
    const starts = !hasRoom
    const header = Uint8Array.of(1, 0, 0, 0, 24)
    const data = concat(header, Uint8Array.of(0), random.bytes(length))
    const flags = random.chance(0.3) ? ALL_VISIBLE_CLEARED : 0
    return {
      rmid: RmgrId.heap,
      info: HEAP_INSERT | (starts ? HEAP_INIT_PAGE : 0),
      xid,
      mainData: concat(u16(starts ? 1 : offset), Uint8Array.of(flags)),
      blocks: [{ ...blockRef(relNumber, block), data, ...(starts ? { willInit: true } : {}) }],
    }
  }

  #delete(relNumber: number, block: number, xid: number): Parts {
    const page = this.#pageAt(relNumber, block)
    if (page === undefined || itemCount(page) === 0) return this.#insert(relNumber, block, xid)
    const offset = 1 + this.#random.below(itemCount(page))
    const mainData = concat(
      u32s(xid),
      u16(offset),
      Uint8Array.of(0, this.#random.chance(0.3) ? ALL_VISIBLE_CLEARED : 0),
    )
    return { rmid: RmgrId.heap, info: HEAP_DELETE, xid, mainData, blocks: [blockRef(relNumber, block)] }
  }

  /** The page as it is, whole, or an empty one. */
  #image(relNumber: number, size: number): Parts {
    const block = this.#random.below(size + 1)
    const bytes = this.#pageAt(relNumber, block) ?? emptyPage()
    return {
      rmid: RmgrId.xlog,
      info: XLOG_FPI,
      blocks: [{ ...blockRef(relNumber, block), image: { bytes, info: 0x02 } }],
    }
  }

  /** CREATE DATABASE with STRATEGY file_copy, over the one before; now and then only the DROP. */
  #copyDatabase(xid: number): Parts {
    if (this.#random.chance(0.3)) {
      return { rmid: RmgrId.database, info: DATABASE_DROP, xid, mainData: u32s(COPIED_DB, 1, SPC) }
    }
    return { rmid: RmgrId.database, info: DATABASE_FILE_COPY, xid, mainData: u32s(COPIED_DB, SPC, DB, SPC) }
  }

  #commit(xid: number): Parts {
    return { rmid: RmgrId.xact, info: XACT_COMMIT, xid, mainData: this.#time() }
  }

  #commitDropping(xid: number, relNumber: number): Parts {
    const mainData = concat(this.#time(), u32s(XINFO_RELATIONS, 1, SPC, DB, relNumber))
    return { rmid: RmgrId.xact, info: XACT_COMMIT | XACT_HAS_INFO, xid, mainData }
  }

  #time(): Uint8Array {
    const bytes = new Uint8Array(8)
    const micros = BigInt(Math.round(this.#nowUnixMs() * 1000)) - BigInt(POSTGRES_EPOCH_UNIX_SECONDS) * 1_000_000n
    new DataView(bytes.buffer).setBigInt64(0, micros, true)
    return bytes
  }

  /** Undefined: not there, or never initialised. */
  #pageAt(relNumber: number, block: number): Uint8Array | undefined {
    if (block >= this.#model.blockCount(relNumber, Fork.main)) return undefined
    const page = this.#model.page(relNumber, Fork.main, block)
    return isNewPage(page) ? undefined : page
  }
}

function truncate(relNumber: number, blockCount: number): Parts {
  return { rmid: RmgrId.smgr, info: SMGR_TRUNCATE, mainData: u32s(blockCount, SPC, DB, relNumber, 7) }
}

function blockRef(relNumber: number, blockNumber: number) {
  return { id: 0, spcOid: SPC, dbOid: DB, relNumber, blockNumber }
}

function itemCount(page: Uint8Array): number {
  return (readPageLower(page) - PAGE_HEADER_SIZE) / 4
}

function emptyPage(): Uint8Array {
  const page = new Uint8Array(8192)
  const view = new DataView(page.buffer)
  view.setUint16(12, PAGE_HEADER_SIZE, true)
  view.setUint16(14, 8192, true)
  view.setUint16(16, 8192, true)
  view.setUint16(18, 0x2004, true)
  return page
}

function u16(value: number): Uint8Array {
  return Uint8Array.of(value & 255, value >>> 8)
}

function u32s(...values: number[]): Uint8Array {
  const bytes = new Uint8Array(4 * values.length)
  const view = new DataView(bytes.buffer)
  for (const [i, value] of values.entries()) view.setUint32(4 * i, value, true)
  return bytes
}

function concat(...parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts))
}
