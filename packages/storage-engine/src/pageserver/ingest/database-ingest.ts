import { ByteReader } from '../../base/byte-reader.ts'
import { encodePageImage } from '../../redo/page-change.ts'
import type { DecodedRecord } from '../../wal/record.ts'
import { KEY_BYTES, KeyScratch } from '../key.ts'
import { rebuildPage } from '../rebuild-page.ts'
import type { TimelineStorage } from '../timeline/timeline-storage.ts'
import type { IngestContext } from './wal-ingest.ts'

/** src/include/commands/dbcommands_xlog.h, PG 18. */
const Type = { createFileCopy: 0x00, createWalLog: 0x10, drop: 0x20 } as const
const PAGES_PER_COLLECT = 128

/** All but CREATE_FILE_COPY, which has to read: see `copyDatabase`. False: not a record type of Database. */
export function ingestDatabase(context: IngestContext, decoded: DecodedRecord): boolean {
  const data = new ByteReader(decoded.mainData, 'wal record')
  const dbOid = data.u32()
  switch (decoded.opcode) {
    case Type.createWalLog:
      // Ordinary records follow for its map and for every page.
      context.writer.database(data.u32(), dbOid)
      return true
    case Type.drop:
      for (let left = data.count(4); left > 0; left--) context.writer.dropDatabase(data.u32(), dbOid)
      return true
    default:
      return false
  }
}

/**
 * CREATE DATABASE ... STRATEGY = FILE_COPY: every fork of the source, as of the record before this one, becomes images of
 * the new database. The storage must have advanced to there.
 */
export async function copyDatabase(
  context: IngestContext,
  storage: TimelineStorage,
  decoded: DecodedRecord,
): Promise<void> {
  const data = new ByteReader(decoded.mainData, 'wal record')
  const dbOid = data.u32()
  const spcOid = data.u32()
  const sourceDbOid = data.u32()
  const sourceSpcOid = data.u32()
  const { writer } = context
  const lsn = storage.lastRecordLsn
  const key = new KeyScratch()

  const [map] = await storage.collect(key.relationMap(sourceSpcOid, sourceDbOid).slice(), 1, lsn)
  const mapFile = map?.values[0]
  if (mapFile && mapFile.length > 0) writer.relationMap(spcOid, dbOid, mapFile)
  writer.database(spcOid, dbOid)

  for (const { relNumber, fork, blockCount } of writer.sizes.forksOf(sourceSpcOid, sourceDbOid)) {
    for (let first = 0; first < blockCount; first += PAGES_PER_COLLECT) {
      const count = Math.min(PAGES_PER_COLLECT, blockCount - first)
      // A database may be larger than memory, and this is one record.
      await storage.ready()
      const keys = new Uint8Array(count * KEY_BYTES)
      for (let i = 0; i < count; i++) {
        keys.set(key.relationBlock(sourceSpcOid, sourceDbOid, relNumber, fork, first + i), i * KEY_BYTES)
      }
      const chains = await storage.collect(keys, count, lsn)
      const images = chains.map((chain, i) =>
        encodePageImage(rebuildPage(keys.subarray(i * KEY_BYTES, (i + 1) * KEY_BYTES), chain)),
      )
      images.forEach((image, i) => {
        writer.copiedBlock(spcOid, dbOid, relNumber, fork, first + i, image)
      })
    }
    writer.setForkSize(spcOid, dbOid, relNumber, fork, blockCount)
  }
}
