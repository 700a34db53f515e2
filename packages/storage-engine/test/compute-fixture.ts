import fs from 'node:fs'
import path from 'node:path'
import type { QuorumLog } from '../src/compute/quorum-log.ts'
import { PAGE_SIZE } from '../src/postgres/constants.ts'
import { decodeControlFile } from '../src/postgres/control-file.ts'
import { ProjectId, TimelineId } from '../src/postgres/ids.ts'
import { Lsn } from '../src/postgres/lsn.ts'
import { Fork, type RelationFork } from '../src/postgres/relation.ts'
import { formatRelationPath, parseRelationPath, segmentFirstBlock } from '../src/postgres/relation-path.ts'
import type { BootBundle, BootRelation } from '../src/protocol/boot-bundle.ts'
import { recordEndAt } from '../src/wal/segment.ts'

/**
 * A compute without the rest of the system: the files of a cleanly stopped stock server stand in for the PageServer, and
 * a log in memory that commits at once for the SafeKeepers.
 */
export const TEST_PROJECT = ProjectId.parse('11'.repeat(16))
export const TEST_TIMELINE = TimelineId.parse('22'.repeat(16))
/** Length of a shutdown checkpoint record. */
const CHECKPOINT_RECORD_BYTES = 114

export function bundleOfStoppedDataDir(dataDir: string): BootBundle {
  const control = fs.readFileSync(path.join(dataDir, 'global/pg_control'))
  const { checkpoint, checkpointLsn, ...rest } = decodeControlFile(control)
  const files: { path: string; mode: number; bytes: Uint8Array }[] = []
  const blocks = new Map<string, { spcOid: number; dbOid: number; relNumber: number; counts: number[] }>()
  const databases: { dbOid: number; spcOid: number }[] = []
  const add = (relative: string): void => {
    files.push({ path: relative, mode: 0o600, bytes: fs.readFileSync(path.join(dataDir, relative)) })
  }
  for (const folder of ['pg_xact', 'pg_multixact/offsets', 'pg_multixact/members', 'pg_twophase']) {
    for (const name of fs.readdirSync(path.join(dataDir, folder))) add(`${folder}/${name}`)
  }
  add('PG_VERSION')
  const folders = ['global', ...fs.readdirSync(path.join(dataDir, 'base')).map((name) => `base/${name}`)]
  for (const folder of folders.filter((name) => /^(global|base\/\d+)$/.test(name))) {
    if (folder !== 'global') databases.push({ dbOid: Number(folder.slice(5)), spcOid: 1663 })
    for (const name of fs.readdirSync(path.join(dataDir, folder))) {
      const relative = `${folder}/${name}`
      if (name === 'PG_VERSION' || name === 'pg_filenode.map') add(relative)
      const segment = parseRelationPath(relative)
      if (!segment) continue
      const { spcOid, dbOid, relNumber, fork } = segment
      const key = `${spcOid}/${dbOid}/${relNumber}`
      const relation = blocks.get(key) ?? { spcOid, dbOid, relNumber, counts: [-1, -1, -1, -1] }
      blocks.set(key, relation)
      const end = segmentFirstBlock(segment.segment) + fs.statSync(path.join(dataDir, relative)).size / PAGE_SIZE
      relation.counts[fork] = Math.max(relation.counts[fork]!, end)
    }
  }
  return {
    files,
    header: {
      formatVersion: 1,
      projectId: TEST_PROJECT,
      timelineId: TEST_TIMELINE,
      systemIdentifier: String(rest.systemIdentifier),
      lsn: Lsn.format(recordEndAt(checkpointLsn, CHECKPOINT_RECORD_BYTES)),
      prevRecordLsn: Lsn.format(checkpointLsn),
      checkpoint: {
        nextXid: String(checkpoint.nextFullXid),
        nextOid: checkpoint.nextOid,
        nextMulti: checkpoint.nextMultixact,
        nextMultiOffset: checkpoint.nextMultixactOffset,
        oldestXid: checkpoint.oldestXid,
        oldestXidDb: checkpoint.oldestXidDbOid,
        oldestMulti: checkpoint.oldestMultixact,
        oldestMultiDb: checkpoint.oldestMultixactDbOid,
        time: checkpoint.unixSeconds,
        isShutdown: true,
      },
      controlFile: control.subarray(0, 296).toString('base64'),
      parameters: {
        maxConnections: rest.maxConnections,
        maxWorkerProcesses: rest.maxWorkerProcesses,
        maxWalSenders: rest.maxWalSenders,
        maxPreparedXacts: rest.maxPreparedTransactions,
        maxLocksPerXact: rest.maxLocksPerTransaction,
        walLevel: rest.walLevel,
        walLogHints: rest.walLogHints,
        trackCommitTimestamp: rest.trackCommitTimestamp,
      },
      databases,
      relations: [...blocks.values()].map(
        ({ spcOid, dbOid, relNumber, counts }) => [spcOid, dbOid, relNumber, ...counts] as unknown as BootRelation,
      ),
      unlogged: [],
    },
  }
}

/** Pages out of the files of a stopped server. */
export function pagesOfDataDir(
  dataDir: string,
): (relation: RelationFork, firstBlock: number, blockCount: number) => Promise<Buffer[]> {
  return async (relation, firstBlock, blockCount) => {
    const segment = Math.floor(firstBlock / segmentFirstBlock(1))
    const handle = await fs.promises.open(path.join(dataDir, formatRelationPath(relation, segment)), 'r')
    try {
      const bytes = Buffer.alloc(blockCount * PAGE_SIZE)
      const { bytesRead } = await handle.read(bytes, 0, bytes.length, (firstBlock % segmentFirstBlock(1)) * PAGE_SIZE)
      if (bytesRead !== bytes.length) throw new Error('page beyond the end of the file')
      return Array.from({ length: blockCount }, (_, i) => bytes.subarray(i * PAGE_SIZE, (i + 1) * PAGE_SIZE))
    } finally {
      await handle.close()
    }
  }
}

/** As pagesOfDataDir, without the hint bits that Postgres does not log. */
export function pagesMadeFromWal(dataDir: string): ReturnType<typeof pagesOfDataDir> {
  const readPages = pagesOfDataDir(dataDir)
  return async (relation, firstBlock, blockCount) => {
    const pages = await readPages(relation, firstBlock, blockCount)
    if (relation.fork === Fork.main) for (const page of pages) dropHintBits(page)
    return pages
  }
}

/** t_infomask: outcomes of t_xmin and t_xmax, and a t_xmax that is a multixact or locks only. */
const XMIN_BITS = 0x0300
const XMAX_BITS = 0x0c00
const XMAX_OTHER = 0x1080

/** Forgets, in place, how the transactions of a heap page ended, except of frozen rows; says for how many rows it did so. */
export function dropHintBits(page: Buffer): number {
  let count = 0
  // Only heap pages have no special space.
  if (page.readUInt16LE(14) === 0 || page.readUInt16LE(16) !== PAGE_SIZE) return count
  for (let at = 24; at < page.readUInt16LE(12); at += 4) {
    const pointer = page.readUInt32LE(at)
    if (((pointer >>> 15) & 3) !== 1) continue
    const tuple = pointer & 0x7fff
    const before = page.readUInt16LE(tuple + 20)
    let mask = before
    if ((mask & XMIN_BITS) !== XMIN_BITS) mask &= ~XMIN_BITS
    // Of a row that was never deleted "invalid" is no hint: it is so from the start, and in the WAL.
    if (page.readUInt32LE(tuple + 4) !== 0 && (mask & XMAX_OTHER) === 0) mask &= ~XMAX_BITS
    page.writeUInt16LE(mask, tuple + 20)
    if (mask !== before) count++
  }
  return count
}

/** Commits what it is given in the next turn of the loop, or not at all while `isHeld`. Checks that nothing is left out. */
export class MemoryLog implements QuorumLog {
  commitLsn: Lsn
  isHeld = false
  onCommit: (lsn: Lsn) => void = () => undefined
  onFenced: (error: Error) => void = () => undefined
  onQuorumLost: () => void = () => undefined
  readonly #startLsn: Lsn
  #endLsn: Lsn

  constructor(startLsn: Lsn) {
    this.#startLsn = startLsn
    this.#endLsn = startLsn
    this.commitLsn = startLsn
  }

  get endLsn(): Lsn {
    return this.#endLsn
  }

  async elect(): Promise<{ term: number; endLsn: Lsn }> {
    return { term: 1, endLsn: this.#startLsn }
  }

  append(lsn: Lsn, bytes: Uint8Array): boolean {
    if (lsn !== this.#endLsn) throw new Error(`gap in the log: ${Lsn.format(this.#endLsn)}, then ${Lsn.format(lsn)}`)
    this.#endLsn = Lsn.add(lsn, bytes.length)
    setImmediate(() => this.release())
    return true
  }

  async hasRoom(): Promise<void> {}

  endThrottle(): void {}

  ingestLag(): undefined {}

  release(): void {
    if (this.isHeld || this.commitLsn === this.#endLsn) return
    this.commitLsn = this.#endLsn
    this.onCommit(this.commitLsn)
  }

  peers(): [] {
    return []
  }

  async close(): Promise<void> {}
}
