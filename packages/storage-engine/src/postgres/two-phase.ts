import { ByteReader } from '../base/byte-reader.ts'
import { crc32c } from '../base/crc32c.ts'
import { CorruptionError } from '../base/errors.ts'
import { Lsn } from './lsn.ts'

/**
 * Two-phase state (TwoPhaseFileHeader, src/backend/access/transam/twophase.c, PG 18): the main data of a PREPARE record, and
 * with its CRC-32C appended the file pg_twophase/<full xid, 16 upper-case hex digits>.
 *    0 u32 magic        4 u32 total length (with the CRC)   8 u32 xid       12 u32 database      16 i64 prepared at
 *   24 u32 owner       28 i32 subxacts   32 i32 commit rels   36 i32 abort rels   40 i32 commit stats   44 i32 abort stats
 *   48 i32 inval msgs  52 u8 init file inval   54 u16 gid length   56 u64 origin lsn   64 i64 origin timestamp
 * Then, each padded to 8: gid, subxids u32 [], commit and abort relations 12 B [], stats 16 B [], inval messages 16 B [], and
 * the records of the resource managers.
 */
const MAGIC = 0x57f94534
const HEADER_SIZE = 72
const CRC_SIZE = 4
const RELATION_SIZE = 12
const STATS_SIZE = 16
const INVALIDATION_SIZE = 16

export interface TwoPhaseState {
  xid: number
  dbOid: number
  /** Microseconds since 2000-01-01 UTC. */
  preparedAtMicros: number
  ownerOid: number
  gid: string
  subxids: Uint32Array
  /** Files to delete when it commits, and when it aborts. */
  commitRelations: RelationLocator[]
  abortRelations: RelationLocator[]
  originLsn: Lsn
}

/** RelFileLocator. */
export interface RelationLocator {
  readonly spcOid: number
  readonly dbOid: number
  readonly relNumber: number
}

/** Decodes the main data of a PREPARE record. */
export function decodeTwoPhaseState(mainData: Uint8Array): TwoPhaseState {
  const reader = new ByteReader(mainData, 'two-phase state')
  const magic = reader.u32()
  if (magic !== MAGIC) throw new CorruptionError('two-phase state has a wrong magic number', { magic })
  const totalLength = reader.u32()
  if (totalLength !== mainData.length + CRC_SIZE) {
    throw new CorruptionError('two-phase state is not as long as it says', { totalLength, length: mainData.length })
  }
  const xid = reader.u32()
  const dbOid = reader.u32()
  const preparedAtMicros = reader.i64Number()
  const ownerOid = reader.u32()
  const subxactCount = reader.count(4)
  const commitRelationCount = reader.count(RELATION_SIZE)
  const abortRelationCount = reader.count(RELATION_SIZE)
  const commitStatsCount = reader.count(STATS_SIZE)
  const abortStatsCount = reader.count(STATS_SIZE)
  const invalidationCount = reader.count(INVALIDATION_SIZE)
  reader.skip(2)
  const gidLength = reader.u16()
  const originLsn = Lsn.of(reader.u64Number())
  reader.offset = HEADER_SIZE

  const gidBytes = reader.take(gidLength)
  if (gidLength === 0 || gidBytes[gidLength - 1] !== 0) throw new CorruptionError('two-phase state has no valid gid')
  const gid = new TextDecoder().decode(gidBytes.subarray(0, gidLength - 1))
  align8(reader)
  const subxids = reader.u32Array(subxactCount)
  align8(reader)
  const commitRelations = readRelationLocators(reader, commitRelationCount)
  align8(reader)
  const abortRelations = readRelationLocators(reader, abortRelationCount)
  align8(reader)
  reader.skip((commitStatsCount + abortStatsCount) * STATS_SIZE + invalidationCount * INVALIDATION_SIZE)
  return { xid, dbOid, preparedAtMicros, ownerOid, gid, subxids, commitRelations, abortRelations, originLsn }
}

/** The file: main data of the PREPARE record and its CRC. */
export function encodeTwoPhaseFile(mainData: Uint8Array): Uint8Array {
  const file = new Uint8Array(mainData.length + CRC_SIZE)
  file.set(mainData)
  new DataView(file.buffer).setUint32(mainData.length, crc32c(mainData), true)
  return file
}

/** The main data in a file. Throws CorruptionError when the CRC does not match. Borrows. */
export function decodeTwoPhaseFile(file: Uint8Array): Uint8Array {
  const length = file.length - CRC_SIZE
  if (length < HEADER_SIZE) throw new CorruptionError('two-phase file is cut short', { length: file.length })
  const crc = new DataView(file.buffer, file.byteOffset, file.byteLength).getUint32(length, true)
  if (crc !== crc32c(file, 0, length)) throw new CorruptionError('two-phase file has a wrong checksum')
  return file.subarray(0, length)
}

/** Name of the file in pg_twophase: see fullXidBefore in xid.ts for the epoch, which the record lacks. */
export function formatTwoPhaseFileName(fullXid: number): string {
  return fullXid.toString(16).toUpperCase().padStart(16, '0')
}

export function parseTwoPhaseFileName(name: string): number | undefined {
  if (!/^[0-9A-F]{16}$/.test(name)) return undefined
  const fullXid = Number.parseInt(name, 16)
  return Number.isSafeInteger(fullXid) ? fullXid : undefined
}

/** `count` RelFileLocators of 12 bytes. */
export function readRelationLocators(reader: ByteReader, count: number): RelationLocator[] {
  const locators: RelationLocator[] = []
  for (let index = 0; index < count; index++) {
    locators.push({ spcOid: reader.u32(), dbOid: reader.u32(), relNumber: reader.u32() })
  }
  return locators
}

function align8(reader: ByteReader): void {
  const rest = reader.offset % 8
  // The last part of a record needs no padding after it.
  if (rest !== 0) reader.skip(Math.min(8 - rest, reader.remaining))
}
