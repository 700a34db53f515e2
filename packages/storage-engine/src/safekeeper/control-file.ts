import { crc32c } from '../base/crc32c.ts'
import { CorruptionError } from '../base/errors.ts'
import type { Disk } from '../io/disk.ts'
import type { ProjectId, TimelineId } from '../postgres/ids.ts'
import type { Lsn } from '../postgres/lsn.ts'
import {
  readBigU64,
  readHexId,
  readU16,
  readU32,
  readU64,
  writeBigU64,
  writeHexId,
  writeU16,
  writeU32,
  writeU64,
} from '../protocol/byte-fields.ts'
import { TERM_HISTORY_ENTRIES_MAX, type TermHistory, type TermStart } from '../protocol/safekeeper-messages.ts'

/**
 * What a SafeKeeper knows of one timeline besides its WAL. One file, replaced whole and atomically. Little-endian:
 *
 *    0 u32 magic 'TSKC'   4 u16 version 1   6 u16 0      8 16 B project   24 16 B timeline   40 u64 system identifier
 *   48 u64 start lsn     56 u64 term       64 u64 flush floor     72 u64 commit lsn   80 u64 peer horizon
 *   88 u64 backup lsn    96 u64 remote consistent lsn            104 u64 pending truncate lsn (0 none)
 *  112 u32 history length   116 entries of u64 term, u64 lsn     then u32 crc32c of all before
 */
export interface ControlFile {
  readonly projectId: ProjectId
  readonly timelineId: TimelineId
  readonly systemIdentifier: bigint
  readonly startLsn: Lsn
  readonly term: number
  readonly history: TermHistory
  /** The WAL was durable at least to here when this was written: less on disk means lost bytes. */
  readonly flushFloorLsn: Lsn
  readonly commitLsn: Lsn
  readonly peerHorizonLsn: Lsn
  readonly backupLsn: Lsn
  readonly remoteConsistentLsn: Lsn
  /** A cut of the WAL that was decided; it is finished on start. */
  readonly truncateLsn: Lsn | undefined
}

const MAGIC = 0x434b5354
const VERSION = 1
const FIXED_SIZE = 116

export function encodeControlFile(control: ControlFile): Uint8Array {
  const bytes = new Uint8Array(FIXED_SIZE + control.history.length * 16 + 4)
  writeU32(bytes, 0, MAGIC)
  writeU16(bytes, 4, VERSION)
  writeHexId(bytes, 8, control.projectId)
  writeHexId(bytes, 24, control.timelineId)
  writeBigU64(bytes, 40, control.systemIdentifier)
  writeU64(bytes, 48, control.startLsn)
  writeU64(bytes, 56, control.term)
  writeU64(bytes, 64, control.flushFloorLsn)
  writeU64(bytes, 72, control.commitLsn)
  writeU64(bytes, 80, control.peerHorizonLsn)
  writeU64(bytes, 88, control.backupLsn)
  writeU64(bytes, 96, control.remoteConsistentLsn)
  writeU64(bytes, 104, control.truncateLsn ?? 0)
  writeU32(bytes, 112, control.history.length)
  for (const [index, entry] of control.history.entries()) {
    writeU64(bytes, FIXED_SIZE + index * 16, entry.term)
    writeU64(bytes, FIXED_SIZE + index * 16 + 8, entry.lsn)
  }
  writeU32(bytes, bytes.length - 4, crc32c(bytes, 0, bytes.length - 4))
  return bytes
}

/** Throws CorruptionError naming the file. */
export function decodeControlFile(bytes: Uint8Array, path: string): ControlFile {
  if (bytes.length < FIXED_SIZE + 4) throw new CorruptionError('safekeeper control file is too short', { path })
  if (readU32(bytes, 0) !== MAGIC) throw new CorruptionError('not a safekeeper control file', { path })
  const version = readU16(bytes, 4)
  if (version !== VERSION) throw new CorruptionError('unknown version of a safekeeper control file', { path, version })
  const length = readU32(bytes, 112)
  if (length === 0 || length > TERM_HISTORY_ENTRIES_MAX || bytes.length !== FIXED_SIZE + length * 16 + 4) {
    throw new CorruptionError('safekeeper control file has a wrong length', { path })
  }
  if (crc32c(bytes, 0, bytes.length - 4) !== readU32(bytes, bytes.length - 4)) {
    throw new CorruptionError('safekeeper control file has a wrong checksum', { path })
  }
  const history: TermStart[] = []
  for (let i = 0; i < length; i++) {
    const at = FIXED_SIZE + i * 16
    history.push({ term: readU64(bytes, at), lsn: readU64(bytes, at + 8) as Lsn })
  }
  const truncateLsn = readU64(bytes, 104) as Lsn
  return {
    projectId: readHexId(bytes, 8) as ProjectId,
    timelineId: readHexId(bytes, 24) as TimelineId,
    systemIdentifier: readBigU64(bytes, 40),
    startLsn: readU64(bytes, 48) as Lsn,
    term: readU64(bytes, 56),
    history,
    flushFloorLsn: readU64(bytes, 64) as Lsn,
    commitLsn: readU64(bytes, 72) as Lsn,
    peerHorizonLsn: readU64(bytes, 80) as Lsn,
    backupLsn: readU64(bytes, 88) as Lsn,
    remoteConsistentLsn: readU64(bytes, 96) as Lsn,
    truncateLsn: truncateLsn === 0 ? undefined : truncateLsn,
  }
}

export async function readControlFile(disk: Pick<Disk, 'readFile'>, path: string): Promise<ControlFile | undefined> {
  const bytes = await disk.readFile(path)
  return bytes === undefined ? undefined : decodeControlFile(bytes, path)
}
