import { ByteReader } from '../../base/byte-reader.ts'
import { SLRU_PAGES_PER_SEGMENT } from '../../postgres/constants.ts'
import { encodeMultixactMembers, encodeMultixactOffsets, encodeZeroPage } from '../../redo/page-change.ts'
import { MULTIXACTS_PER_OFFSETS_PAGE, membersPageOfOffset, offsetsPageOfMultixact } from '../../redo/slru-page.ts'
import type { DecodedRecord } from '../../wal/record.ts'
import { Slru } from '../key.ts'
import { dropSegmentsBefore } from './clog-ingest.ts'
import type { IngestContext } from './wal-ingest.ts'
import { isBefore } from './xlog-ingest.ts'

const Type = { zeroOffsetsPage: 0x00, zeroMembersPage: 0x10, createId: 0x20, truncateId: 0x30 } as const
/** FirstMultiXactId (src/include/access/multixact.h). */
const FIRST_MULTIXACT = 1
const OFFSET_MAX = 0xffffffff

/** multixact_redo (src/backend/access/transam/multixact.c, PG 18). False: not a record type of MultiXact. */
export function ingestMultixact(context: IngestContext, decoded: DecodedRecord): boolean {
  const data = new ByteReader(decoded.mainData, 'wal record')
  switch (decoded.opcode) {
    case Type.zeroOffsetsPage:
      context.writer.slruPage(Slru.multixactOffsets, data.i64Number(), true, encodeZeroPage())
      return true
    case Type.zeroMembersPage:
      context.writer.slruPage(Slru.multixactMembers, data.i64Number(), true, encodeZeroPage())
      return true
    case Type.createId:
      createMultixact(context, data)
      return true
    case Type.truncateId:
      truncateMultixacts(context, data)
      return true
    default:
      return false
  }
}

function createMultixact(context: IngestContext, data: ByteReader): void {
  const multixact = data.u32()
  const firstOffset = data.u32()
  const memberCount = data.count(8)
  const members = data.take(memberCount * 8)
  // Offset 0 marks "not set" and multixact 0 is invalid: both are skipped when the counters wrap.
  const nextMultixact = (multixact + 1) >>> 0 || FIRST_MULTIXACT
  const nextOffset = (firstOffset + memberCount) >>> 0 || 1

  writeOffsets(context, [multixact, firstOffset], [nextMultixact, nextOffset])
  writeMembers(context, firstOffset, members, memberCount)

  const view = new DataView(members.buffer, members.byteOffset, members.byteLength)
  for (let i = 0; i < memberCount; i++) context.sawXid(view.getUint32(i * 8, true))
  const { state } = context
  if (isBefore(state.nextMulti, nextMultixact)) state.nextMulti = nextMultixact
  if (isBefore(state.nextMultiOffset, nextOffset)) state.nextMultiOffset = nextOffset
  context.stateChanged()
}

/** 18 also writes where the next multixact will begin: one change when both entries lie on one page. */
function writeOffsets(context: IngestContext, own: readonly [number, number], next: readonly [number, number]): void {
  const page = offsetsPageOfMultixact(own[0])
  const nextPage = offsetsPageOfMultixact(next[0])
  const { writer } = context
  if (page === nextPage) {
    writer.slruPage(Slru.multixactOffsets, page, false, encodeMultixactOffsets([own, next]))
    return
  }
  writer.slruPage(Slru.multixactOffsets, page, false, encodeMultixactOffsets([own]))
  writer.slruPage(Slru.multixactOffsets, nextPage, false, encodeMultixactOffsets([next]))
}

function writeMembers(context: IngestContext, firstOffset: number, members: Uint8Array, memberCount: number): void {
  for (let from = 0; from < memberCount; ) {
    const offset = (firstOffset + from) >>> 0
    const page = membersPageOfOffset(offset)
    let to = from + 1
    while (to < memberCount && membersPageOfOffset((firstOffset + to) >>> 0) === page) to++
    context.writer.slruPage(Slru.multixactMembers, page, false, encodeMultixactMembers(offset, members, from, to))
    from = to
  }
}

function truncateMultixacts(context: IngestContext, data: ByteReader): void {
  const { state, writer } = context
  state.oldestMultiDb = data.u32()
  data.skip(4)
  const oldestMulti = data.u32()
  const startSegment = memberSegment(data.u32())
  const endSegment = memberSegment(data.u32())
  state.oldestMulti = oldestMulti
  context.stateChanged()
  const segmentMax = memberSegment(OFFSET_MAX)
  for (let segment = startSegment; segment !== endSegment; segment = segment === segmentMax ? 0 : segment + 1) {
    writer.dropSlruSegment(Slru.multixactMembers, segment)
  }
  const previous = oldestMulti === FIRST_MULTIXACT ? OFFSET_MAX : oldestMulti - 1
  const cutoffPage = offsetsPageOfMultixact(previous)
  dropSegmentsBefore(context, Slru.multixactOffsets, (page) => offsetsPagePrecedes(page, cutoffPage))
}

function memberSegment(offset: number): number {
  return Math.floor(membersPageOfOffset(offset) / SLRU_PAGES_PER_SEGMENT)
}

/** MultiXactOffsetPagePrecedes. */
function offsetsPagePrecedes(page: number, cutoffPage: number): boolean {
  const multixact = (page * MULTIXACTS_PER_OFFSETS_PAGE + FIRST_MULTIXACT + 1) >>> 0
  const cutoff = (cutoffPage * MULTIXACTS_PER_OFFSETS_PAGE + FIRST_MULTIXACT + 1) >>> 0
  return isBefore(multixact, cutoff) && isBefore(multixact, (cutoff + MULTIXACTS_PER_OFFSETS_PAGE - 1) >>> 0)
}
