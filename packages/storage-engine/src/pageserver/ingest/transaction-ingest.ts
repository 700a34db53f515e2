import { ByteReader } from '../../base/byte-reader.ts'
import { encodeTransactionStatus, TransactionStatus } from '../../redo/page-change.ts'
import { clogPageOfXid } from '../../redo/slru-page.ts'
import type { DecodedRecord, WalRecord } from '../../wal/record.ts'
import { XactOpcode, xactOpcode } from '../../wal/rmgr/xact.ts'
import { Slru } from '../key.ts'
import { epochOfXid } from './cluster-state.ts'
import type { IngestContext } from './wal-ingest.ts'

/** xinfo bits: src/include/access/xact.h, PG 18. */
const HAS_INFO = 0x80
const XInfo = {
  databaseInfo: 0x001,
  subxacts: 0x002,
  relations: 0x004,
  invalidations: 0x008,
  twoPhase: 0x010,
  droppedStats: 0x100,
} as const

interface TransactionEnd {
  readonly time: number
  readonly subxacts: readonly number[]
  /** (tablespace, database, relation) triples of files to delete. */
  readonly relations: readonly number[]
  /** The prepared transaction that ends here; 0: the record's own transaction. */
  readonly preparedXid: number
}

/** Ends and prepares of transactions. False: not a record type of Transaction. */
export function ingestTransaction(context: IngestContext, record: WalRecord, decoded: DecodedRecord): boolean {
  switch (xactOpcode(decoded.info)) {
    case XactOpcode.commit:
    case XactOpcode.commitPrepared: {
      const end = readTransactionEnd(decoded)
      endTransaction(context, record, end, TransactionStatus.committed)
      context.commits.addCommit(record.endLsn, end.time)
      const { time, subxacts, relations } = end
      const xid = end.preparedXid || record.xid
      context.marks.committed(record.endLsn, { xid, subxacts, time, filesDropped: relations.length / 3 })
      return true
    }
    case XactOpcode.abort:
    case XactOpcode.abortPrepared: {
      const end = readTransactionEnd(decoded)
      endTransaction(context, record, end, TransactionStatus.aborted)
      context.marks.aborted([end.preparedXid || record.xid, ...end.subxacts])
      return true
    }
    case XactOpcode.prepare:
      prepareTransaction(context, decoded)
      return true
    case XactOpcode.assignment: {
      const data = new ByteReader(decoded.mainData, 'wal record')
      context.sawXid(data.u32())
      for (let left = data.count(4); left > 0; left--) context.sawXid(data.u32())
      return true
    }
    case XactOpcode.invalidations:
      return true
    default:
      return false
  }
}

function endTransaction(context: IngestContext, record: WalRecord, end: TransactionEnd, status: number): void {
  const { writer, state } = context
  for (const xid of end.subxacts) context.sawXid(xid)
  const xid = end.preparedXid || record.xid
  if (xid !== 0) setStatus(context, status, end.time, xid, end.subxacts)
  for (let i = 0; i < end.relations.length; i += 3) {
    writer.dropRelation(end.relations[i]!, end.relations[i + 1]!, end.relations[i + 2]!)
  }
  if (end.preparedXid !== 0) writer.dropTwoPhaseFile(epochOfXid(state, end.preparedXid), end.preparedXid)
}

/** One change for each page of pg_xact that holds one of the xids. */
function setStatus(
  context: IngestContext,
  status: number,
  time: number,
  xid: number,
  subxacts: readonly number[],
): void {
  const micros = BigInt(time)
  const page = clogPageOfXid(xid)
  if (subxacts.every((subxact) => clogPageOfXid(subxact) === page)) {
    context.writer.slruPage(Slru.xact, page, false, encodeTransactionStatus(status, micros, [xid, ...subxacts]))
    return
  }
  const byPage = new Map<number, number[]>([[page, [xid]]])
  for (const subxact of subxacts) {
    const subxactPage = clogPageOfXid(subxact)
    const xids = byPage.get(subxactPage)
    if (xids) xids.push(subxact)
    else byPage.set(subxactPage, [subxact])
  }
  for (const [pageNumber, xids] of [...byPage].sort(([a], [b]) => a - b)) {
    context.writer.slruPage(Slru.xact, pageNumber, false, encodeTransactionStatus(status, micros, xids))
  }
}

/** ParseCommitRecord and ParseAbortRecord (src/backend/access/rmgrdesc/xactdesc.c), up to the parts that matter here. */
function readTransactionEnd(decoded: DecodedRecord): TransactionEnd {
  const data = new ByteReader(decoded.mainData, 'wal record')
  const time = data.i64Number()
  const xinfo = decoded.info & HAS_INFO ? data.u32() : 0
  const subxacts: number[] = []
  const relations: number[] = []
  if (xinfo & XInfo.databaseInfo) data.skip(8)
  if (xinfo & XInfo.subxacts) {
    for (let left = data.count(4); left > 0; left--) subxacts.push(data.u32())
  }
  if (xinfo & XInfo.relations) {
    for (let left = data.count(12) * 3; left > 0; left--) relations.push(data.u32())
  }
  if (xinfo & XInfo.droppedStats) data.skip(data.count(16) * 16)
  if (xinfo & XInfo.invalidations) data.skip(data.count(16) * 16)
  const preparedXid = xinfo & XInfo.twoPhase ? data.u32() : 0
  return { time, subxacts, relations, preparedXid }
}

/** The record's main data is the state file without its CRC (TwoPhaseFileHeader, src/backend/access/transam/twophase.c). */
function prepareTransaction(context: IngestContext, decoded: DecodedRecord): void {
  const data = new ByteReader(decoded.mainData, 'wal record')
  data.skip(8)
  const xid = data.u32()
  data.skip(16)
  const subxactCount = data.i32()
  data.skip(22)
  const gidLength = data.u16()
  data.skip(16 + align8(gidLength))
  for (let left = subxactCount; left > 0; left--) context.sawXid(data.u32())
  context.sawXid(xid)
  context.writer.twoPhaseFile(epochOfXid(context.state, xid), xid, decoded.mainData)
}

function align8(length: number): number {
  return Math.ceil(length / 8) * 8
}
