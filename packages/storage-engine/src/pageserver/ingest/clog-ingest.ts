import { ByteReader } from '../../base/byte-reader.ts'
import { SLRU_PAGES_PER_SEGMENT } from '../../postgres/constants.ts'
import { encodeZeroPage } from '../../redo/page-change.ts'
import { XIDS_PER_CLOG_PAGE } from '../../redo/slru-page.ts'
import type { DecodedRecord } from '../../wal/record.ts'
import { Slru } from '../key.ts'
import { FIRST_NORMAL_XID } from './cluster-state.ts'
import type { IngestContext } from './wal-ingest.ts'
import { isBefore } from './xlog-ingest.ts'

const Type = { zeroPage: 0x00, truncate: 0x10 } as const

/** clog_redo (src/backend/access/transam/clog.c, PG 18). False: not a record type of CLOG. */
export function ingestClog(context: IngestContext, decoded: DecodedRecord): boolean {
  const data = new ByteReader(decoded.mainData, 'wal record')
  switch (decoded.opcode) {
    case Type.zeroPage:
      context.writer.slruPage(Slru.xact, data.i64Number(), true, encodeZeroPage())
      return true
    case Type.truncate: {
      const cutoffPage = data.i64Number()
      const { state } = context
      state.oldestXid = data.u32()
      state.oldestXidDb = data.u32()
      context.stateChanged()
      dropSegmentsBefore(context, Slru.xact, (page) => clogPagePrecedes(page, cutoffPage))
      return true
    }
    default:
      return false
  }
}

/** Drops the segments of which both the first and the last page precede the cutoff (SlruMayDeleteSegment). */
export function dropSegmentsBefore(context: IngestContext, slru: Slru, precedes: (page: number) => boolean): void {
  for (const segment of context.writer.segments.segmentsOf(slru)) {
    const firstPage = segment * SLRU_PAGES_PER_SEGMENT
    if (precedes(firstPage) && precedes(firstPage + SLRU_PAGES_PER_SEGMENT - 1)) {
      context.writer.dropSlruSegment(slru, segment)
    }
  }
}

/** CLOGPagePrecedes: true only when every xid of `page` precedes every xid of `cutoffPage`, modulo 2^32. */
function clogPagePrecedes(page: number, cutoffPage: number): boolean {
  const xid = (page * XIDS_PER_CLOG_PAGE + FIRST_NORMAL_XID + 1) >>> 0
  const cutoff = (cutoffPage * XIDS_PER_CLOG_PAGE + FIRST_NORMAL_XID + 1) >>> 0
  return isBefore(xid, cutoff) && isBefore(xid, (cutoff + XIDS_PER_CLOG_PAGE - 1) >>> 0)
}
