import { CRC32C_INIT, crc32cFinish, crc32cUpdate } from '../base/crc32c.ts'
import { CorruptionError } from '../base/errors.ts'

/**
 * What a compute needs besides relation pages to start at one LSN (docs/formats/boot-bundle.md). Relations are listed with
 * their sizes; their pages come from the page service at the same LSN. Little-endian:
 *
 *   8 B "TRBNDL01" | u32 header length | header, JSON in UTF-8
 *   u32 file count | (u16 path length | path | u32 mode | u32 length | bytes) * file count | u32 CRC-32C of all before
 *
 * Not in the bundle, since the compute's configuration decides them: pg_control, postgresql.conf, pg_hba.conf,
 * pg_ident.conf, the WAL segment and the empty directories.
 */
const MAGIC = 'TRBNDL01'

export interface BootBundle {
  readonly header: BootBundleHeader
  /** Paths are relative to the data directory, '/'-separated. Bytes may borrow from the encoded bundle. */
  readonly files: readonly BootBundleFile[]
}

export interface BootBundleFile {
  /** SLRU segments, PG_VERSION and pg_filenode.map files, pg_twophase/<16 hex>, init forks (`base/<db>/<rel>_init`). */
  readonly path: string
  readonly mode: number
  readonly bytes: Uint8Array
}

export interface BootBundleHeader {
  readonly formatVersion: 1
  readonly projectId: string
  readonly timelineId: string
  /** Text: a u64 does not fit a JSON number. */
  readonly systemIdentifier: string
  /** The LSN asked for: the synthesized checkpoint record goes to exactly here. Text, '0/16B3748'. */
  readonly lsn: string
  /** Start of the last record before `lsn`: xl_prev of the synthesized record. */
  readonly prevRecordLsn: string
  readonly checkpoint: BootCheckpoint
  /** First 296 bytes of initdb's global/pg_control, base64: nonce, versions, sizes. Its checkpoint fields are old. */
  readonly controlFile: string
  /** Settings last seen in WAL (PARAMETER_CHANGE), for pg_control. */
  readonly parameters: BootParameters
  readonly databases: readonly { readonly dbOid: number; readonly spcOid: number }[]
  /** [spcOid, dbOid, relNumber, blocks of main, fsm, vm, init]; -1: no such fork. */
  readonly relations: readonly BootRelation[]
  /**
   * Unlogged relations: their init fork is among `files` and must also stand at the main fork's path. They are in
   * `relations` with their init fork only.
   */
  readonly unlogged: readonly { readonly spcOid: number; readonly dbOid: number; readonly relNumber: number }[]
}

export type BootRelation = readonly [
  spcOid: number,
  dbOid: number,
  relNumber: number,
  mainBlocks: number,
  fsmBlocks: number,
  vmBlocks: number,
  initBlocks: number,
]

/** The counters of CheckPoint (src/include/catalog/pg_control.h, PG 18) as of `lsn`. */
export interface BootCheckpoint {
  /** FullTransactionId as decimal text: the epoch in the high half. */
  readonly nextXid: string
  readonly nextOid: number
  readonly nextMulti: number
  readonly nextMultiOffset: number
  readonly oldestXid: number
  readonly oldestXidDb: number
  readonly oldestMulti: number
  readonly oldestMultiDb: number
  /** Unix seconds of the last checkpoint record. */
  readonly time: number
  /** True when the record that ends at `lsn` is a shutdown checkpoint: statistics saved with it may be loaded. */
  readonly isShutdown: boolean
}

export interface BootParameters {
  readonly maxConnections: number
  readonly maxWorkerProcesses: number
  readonly maxWalSenders: number
  readonly maxPreparedXacts: number
  readonly maxLocksPerXact: number
  readonly walLevel: number
  readonly walLogHints: boolean
  readonly trackCommitTimestamp: boolean
}

export function encodeBootBundle(bundle: BootBundle): Uint8Array {
  const encoder = new TextEncoder()
  const header = encoder.encode(JSON.stringify(bundle.header))
  const paths = bundle.files.map((file) => encoder.encode(file.path))
  let size = 8 + 4 + header.length + 4 + 4
  bundle.files.forEach((file, i) => {
    size += 2 + paths[i]!.length + 4 + 4 + file.bytes.length
  })
  const bytes = new Uint8Array(size)
  const view = new DataView(bytes.buffer)
  bytes.set(encoder.encode(MAGIC), 0)
  view.setUint32(8, header.length, true)
  bytes.set(header, 12)
  let at = 12 + header.length
  view.setUint32(at, bundle.files.length, true)
  at += 4
  bundle.files.forEach((file, i) => {
    const path = paths[i]!
    view.setUint16(at, path.length, true)
    bytes.set(path, at + 2)
    at += 2 + path.length
    view.setUint32(at, file.mode, true)
    view.setUint32(at + 4, file.bytes.length, true)
    bytes.set(file.bytes, at + 8)
    at += 8 + file.bytes.length
  })
  view.setUint32(at, crc32cFinish(crc32cUpdate(CRC32C_INIT, bytes, 0, at)), true)
  return bytes
}

/** File bytes borrow from `bytes`. Throws CorruptionError when a checksum, a bound or the version does not fit. */
export function decodeBootBundle(bytes: Uint8Array): BootBundle {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  if (bytes.length < 20 || !hasMagic(bytes)) throw new CorruptionError('not a boot bundle')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const end = bytes.length - 4
  if (crc32cFinish(crc32cUpdate(CRC32C_INIT, bytes, 0, end)) !== view.getUint32(end, true)) {
    throw new CorruptionError('boot bundle checksum mismatch', { bytes: bytes.length })
  }
  const headerEnd = 12 + view.getUint32(8, true)
  requireRoom(headerEnd + 4, end)
  const header = JSON.parse(decoder.decode(bytes.subarray(12, headerEnd))) as BootBundleHeader
  if (header.formatVersion !== 1)
    throw new CorruptionError('unknown boot bundle version', { version: header.formatVersion })
  const fileCount = view.getUint32(headerEnd, true)
  const files: BootBundleFile[] = []
  let at = headerEnd + 4
  for (let i = 0; i < fileCount; i++) {
    requireRoom(at + 2, end)
    const pathEnd = at + 2 + view.getUint16(at, true)
    requireRoom(pathEnd + 8, end)
    const fileEnd = pathEnd + 8 + view.getUint32(pathEnd + 4, true)
    requireRoom(fileEnd, end)
    const path = decoder.decode(bytes.subarray(at + 2, pathEnd))
    if (!isInsidePath(path)) throw new CorruptionError('boot bundle file outside the data directory', { path })
    files.push({ path, mode: view.getUint32(pathEnd, true), bytes: bytes.subarray(pathEnd + 8, fileEnd) })
    at = fileEnd
  }
  if (at !== end) throw new CorruptionError('boot bundle has bytes after its last file', { offset: at })
  return { header, files }
}

function hasMagic(bytes: Uint8Array): boolean {
  return new TextEncoder().encode(MAGIC).every((byte, i) => bytes[i] === byte)
}

function isInsidePath(path: string): boolean {
  return path.split('/').every((part) => part !== '' && part !== '.' && part !== '..')
}

function requireRoom(needed: number, end: number): void {
  if (needed > end) throw new CorruptionError('boot bundle is cut off', { needed, end })
}
