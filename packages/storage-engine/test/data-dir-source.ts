import fs from 'node:fs'
import path from 'node:path'
import type { SnapshotSource } from '../src/catalog/snapshot-source.ts'
import { PAGE_SIZE, RELATION_SEGMENT_BLOCKS } from '../src/postgres/constants.ts'
import { Fork } from '../src/postgres/relation.ts'
import { formatDatabaseDirectory, formatRelationPath } from '../src/postgres/relation-path.ts'
import { formatSlruSegmentName, SLRU_DIRECTORY, slruPageInSegment, slruSegment } from '../src/postgres/slru.ts'
import type { RelationLocator } from '../src/postgres/two-phase.ts'

/** The files of a stopped server as what a timeline holds at the end of its WAL. */
export function dataDirSource(dataDir: string): SnapshotSource {
  const bytesOf = (file: string): Buffer | undefined => {
    const full = path.join(dataDir, file)
    return fs.existsSync(full) ? fs.readFileSync(full) : undefined
  }
  const fileOf = (relation: RelationLocator, segment: number): string =>
    formatRelationPath({ ...relation, fork: Fork.main }, segment)
  return {
    async blockCount(relation) {
      let blocks: number | undefined
      for (let segment = 0; fs.existsSync(path.join(dataDir, fileOf(relation, segment))); segment++) {
        blocks = (blocks ?? 0) + fs.statSync(path.join(dataDir, fileOf(relation, segment))).size / PAGE_SIZE
      }
      return blocks
    },
    async readPages(relation, firstBlock, blockCount) {
      return Array.from({ length: blockCount }, (_, i) => {
        const block = firstBlock + i
        const bytes = bytesOf(fileOf(relation, Math.floor(block / RELATION_SEGMENT_BLOCKS)))
        const at = (block % RELATION_SEGMENT_BLOCKS) * PAGE_SIZE
        const page = bytes?.subarray(at, at + PAGE_SIZE)
        return page?.length === PAGE_SIZE && page.some((byte) => byte !== 0) ? Uint8Array.from(page) : undefined
      })
    },
    async relationMap(spcOid, dbOid) {
      return bytesOf(`${formatDatabaseDirectory(spcOid, dbOid)}/pg_filenode.map`)
    },
    async slruPage(slru, page) {
      const bytes = bytesOf(`${SLRU_DIRECTORY[slru]}/${formatSlruSegmentName(slruSegment(page))}`)
      const at = slruPageInSegment(page) * PAGE_SIZE
      return bytes && bytes.length >= at + PAGE_SIZE ? bytes.subarray(at, at + PAGE_SIZE) : undefined
    },
  }
}
