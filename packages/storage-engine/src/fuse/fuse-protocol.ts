/**
 * The FUSE kernel protocol as the daemon side speaks it on /dev/fuse (include/uapi/linux/fuse.h, protocol 7.38).
 *
 * One read of the device is one request, one write is one whole reply. Everything is in host byte order (little-endian
 * here) and a multiple of 8 bytes, so requests and replies are viewed as 32-bit words; a u64 is low word + high word.
 *
 *   request: 0 len | 1 opcode | 2-3 unique | 4-5 nodeid | 6 uid | 7 gid | 8 pid | 9 extlen | 10... body
 *   reply:   0 len | 1 error (0 or -errno) | 2-3 unique of the request | 4... body when the error is 0
 */
export const Opcode = {
  lookup: 1,
  forget: 2,
  getattr: 3,
  setattr: 4,
  mknod: 8,
  mkdir: 9,
  unlink: 10,
  rmdir: 11,
  rename: 12,
  open: 14,
  read: 15,
  write: 16,
  statfs: 17,
  release: 18,
  init: 26,
  opendir: 27,
  readdir: 28,
  releasedir: 29,
  create: 35,
  interrupt: 36,
  destroy: 38,
  batchForget: 42,
  fallocate: 43,
  rename2: 45,
} as const

export const Errno = {
  EPERM: 1,
  ENOENT: 2,
  EIO: 5,
  EEXIST: 17,
  ENOTDIR: 20,
  EISDIR: 21,
  EINVAL: 22,
  ENOSPC: 28,
  ENOSYS: 38,
  ENOTEMPTY: 39,
  EOPNOTSUPP: 95,
} as const

/** INIT flags asked for. AUTO_INVAL_DATA stays off: it would drop the page cache at each change of mtime. */
const InitFlag = {
  asyncRead: 1,
  bigWrites: 1 << 5,
  asyncDio: 1 << 15,
  parallelDirops: 1 << 18,
  abortError: 1 << 21,
  maxPages: 1 << 22,
  noOpendirSupport: 1 << 24,
  explicitInvalData: 1 << 25,
} as const
const WANTED_FLAGS = Object.values(InitFlag).reduce((all, flag) => all | flag, 0)

/** Bits of `valid` in SETATTR. */
export const SetattrField = {
  mode: 1,
  uid: 2,
  gid: 4,
  size: 8,
  atime: 16,
  mtime: 32,
  atimeNow: 128,
  mtimeNow: 256,
} as const

/** KEEP_CACHE | NOFLUSH: the page cache outlives close, and close sends no FLUSH. */
export const OPEN_FLAGS = 2 | 32

export const REQUEST_HEADER_BYTES = 40
export const REPLY_HEADER_BYTES = 16
export const ROOT_NODE_ID = 1
/** Bytes of file data in one READ or WRITE: max_pages 256 of 4 KiB. */
export const TRANSFER_BYTES_MAX = 1024 * 1024
/** The kernel refuses reads with a buffer below max_write + 4096. */
export const REQUEST_BYTES_MAX = TRANSFER_BYTES_MAX + 8192
/** Data of a WRITE starts here. */
export const WRITE_DATA_OFFSET = 80

/** All changes go through the one kernel that caches, so names and attributes stay valid: 1 day. */
const CACHE_SECONDS = 86_400
const PROTOCOL_MINOR_MAX = 38
const MAX_BACKGROUND = 64
const CONGESTION_THRESHOLD = 48
const TWO_32 = 0x1_0000_0000

const ATTR_WORDS = 22
const ENTRY_WORDS = 32
const DIRENT_HEADER_BYTES = 24

/** Bytes of reply bodies. */
export const ENTRY_BYTES = 128
export const ATTR_BYTES = 104
export const OPEN_BYTES = 16
export const INIT_BYTES = 64
export const STATFS_BYTES = 80

export interface FileAttributes {
  readonly nodeId: number
  readonly sizeBytes: number
  /** Type and permission bits, as in st_mode. */
  readonly mode: number
  readonly linkCount: number
  readonly uid: number
  readonly gid: number
  readonly atimeMs: number
  readonly mtimeMs: number
  readonly ctimeMs: number
}

export function readU64(words: Uint32Array, at: number): number {
  return words[at]! + words[at + 1]! * TWO_32
}

export function writeU64(words: Uint32Array, at: number, value: number): void {
  words[at] = value >>> 0
  words[at + 1] = Math.floor(value / TWO_32)
}

export function writeReplyHeader(
  words: Uint32Array,
  lengthBytes: number,
  errno: number,
  uniqueLow: number,
  uniqueHigh: number,
): void {
  words[0] = lengthBytes
  words[1] = -errno
  words[2] = uniqueLow
  words[3] = uniqueHigh
}

/** fuse_attr, 88 bytes. */
function writeAttr(words: Uint32Array, at: number, attributes: FileAttributes): void {
  writeU64(words, at, attributes.nodeId)
  writeU64(words, at + 2, attributes.sizeBytes)
  writeU64(words, at + 4, Math.ceil(attributes.sizeBytes / 512))
  writeTime(words, at + 6, at + 12, attributes.atimeMs)
  writeTime(words, at + 8, at + 13, attributes.mtimeMs)
  writeTime(words, at + 10, at + 14, attributes.ctimeMs)
  words[at + 15] = attributes.mode
  words[at + 16] = attributes.linkCount
  words[at + 17] = attributes.uid
  words[at + 18] = attributes.gid
  words[at + 19] = 0
  words[at + 20] = 4096
  words[at + 21] = 0
}

function writeTime(words: Uint32Array, secondsAt: number, nanosecondsAt: number, timeMs: number): void {
  writeU64(words, secondsAt, Math.floor(timeMs / 1000))
  words[nanosecondsAt] = Math.floor((timeMs % 1000) * 1e6)
}

/** fuse_entry_out, 128 bytes: the answer to LOOKUP, MKNOD, MKDIR and the first part of CREATE's. */
export function writeEntry(words: Uint32Array, at: number, attributes: FileAttributes): void {
  writeU64(words, at, attributes.nodeId)
  writeU64(words, at + 2, 0)
  writeU64(words, at + 4, CACHE_SECONDS)
  writeU64(words, at + 6, CACHE_SECONDS)
  words[at + 8] = 0
  words[at + 9] = 0
  writeAttr(words, at + 10, attributes)
}

/** "No such name", cached by the kernel until something of that name is made. */
export function writeNegativeEntry(words: Uint32Array, at: number): void {
  words.fill(0, at, at + ENTRY_WORDS)
  writeU64(words, at + 4, CACHE_SECONDS)
}

/** fuse_attr_out, 104 bytes. */
export function writeAttrOut(words: Uint32Array, at: number, attributes: FileAttributes): void {
  writeU64(words, at, CACHE_SECONDS)
  words[at + 2] = 0
  words[at + 3] = 0
  writeAttr(words, at + 4, attributes)
}

/** fuse_open_out, 16 bytes. */
export function writeOpenOut(words: Uint32Array, at: number, handle: number, openFlags: number): void {
  writeU64(words, at, handle)
  words[at + 2] = openFlags
  words[at + 3] = 0
}

/** fuse_init_out, 64 bytes, in answer to the offer in `request`. */
export function writeInitOut(words: Uint32Array, at: number, request: Uint32Array): void {
  const offeredMinor = request[11]!
  const maxReadahead = request[12]!
  const offeredFlags = request[13]!
  words.fill(0, at, at + INIT_BYTES / 4)
  words[at] = 7
  words[at + 1] = Math.min(offeredMinor, PROTOCOL_MINOR_MAX)
  words[at + 2] = maxReadahead
  words[at + 3] = (WANTED_FLAGS & offeredFlags) >>> 0
  words[at + 4] = MAX_BACKGROUND | (CONGESTION_THRESHOLD << 16)
  words[at + 5] = TRANSFER_BYTES_MAX
  words[at + 6] = 1
  words[at + 7] = TRANSFER_BYTES_MAX / 4096
}

/** fuse_statfs_out: a disk that is never full as far as Postgres can tell; the real one answers ENOSPC at a write. */
export function writeStatfs(words: Uint32Array, at: number): void {
  words.fill(0, at, at + STATFS_BYTES / 4)
  writeU64(words, at, 1e9)
  writeU64(words, at + 2, 5e8)
  writeU64(words, at + 4, 5e8)
  writeU64(words, at + 6, 1e8)
  writeU64(words, at + 8, 1e8)
  words[at + 10] = 4096
  words[at + 11] = 255
  words[at + 12] = 4096
}

export function direntBytes(nameBytes: number): number {
  return (DIRENT_HEADER_BYTES + nameBytes + 7) & ~7
}

/** fuse_dirent. `cookie` is that of the next entry; `bytes` and `words` view the same reply. */
export function writeDirent(
  bytes: Uint8Array,
  words: Uint32Array,
  atBytes: number,
  entry: { nodeId: number; cookie: number; mode: number; name: Uint8Array },
): void {
  const at = atBytes / 4
  bytes.fill(0, atBytes, atBytes + direntBytes(entry.name.length))
  writeU64(words, at, entry.nodeId)
  writeU64(words, at + 2, entry.cookie)
  words[at + 4] = entry.name.length
  words[at + 5] = entry.mode >> 12
  bytes.set(entry.name, atBytes + DIRENT_HEADER_BYTES)
}

const decoder = new TextDecoder()

/** The zero-terminated name at `at`, and where the bytes after its zero begin. */
export function readName(request: Uint8Array, at: number): { name: string; next: number } {
  const end = request.indexOf(0, at)
  return { name: decoder.decode(request.subarray(at, end)), next: end + 1 }
}

/** Attribute bytes needed to see that the layouts above are the kernel's. */
export const layoutChecks = { attrBytes: ATTR_WORDS * 4, entryBytes: ENTRY_WORDS * 4 } as const
