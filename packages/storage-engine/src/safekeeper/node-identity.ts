import { crc32c } from '../base/crc32c.ts'
import { CorruptionError, StorageError } from '../base/errors.ts'
import type { Disk } from '../io/disk.ts'
import { readU16, readU32, writeU16, writeU32 } from '../protocol/byte-fields.ts'

/**
 * Which node a data folder belongs to, and whether the node has joined: it has once heard from all other members since the
 * folder was new, and holds all they knew. A folder that has not joined may be a lost disk: it must not vote for timelines
 * it does not remember. Little-endian:
 *
 *    0 u32 magic 'TSKN'   4 u16 version 1   6 u16 joined   8 u32 node id   12 u32 crc32c
 */
export interface NodeIdentity {
  readonly nodeId: number
  readonly hasJoined: boolean
}

const MAGIC = 0x4e4b5354
const SIZE = 16

export async function openNodeIdentity(disk: Disk, dataDirectory: string, nodeId: number): Promise<NodeIdentity> {
  await disk.makeDirectory(dataDirectory)
  const path = identityPath(dataDirectory)
  const bytes = await disk.readFile(path)
  if (bytes === undefined) {
    const fresh = { nodeId, hasJoined: false }
    await writeNodeIdentity(disk, dataDirectory, fresh)
    return fresh
  }
  if (bytes.length !== SIZE || readU32(bytes, 0) !== MAGIC || crc32c(bytes, 0, 12) !== readU32(bytes, 12)) {
    throw new CorruptionError('safekeeper node file is damaged', { path })
  }
  if (readU16(bytes, 4) !== 1) throw new CorruptionError('unknown version of the safekeeper node file', { path })
  const known = readU32(bytes, 8)
  if (known !== nodeId) {
    throw new StorageError('invalid-input', 'data folder belongs to another safekeeper', { path, nodeId: known })
  }
  return { nodeId, hasJoined: readU16(bytes, 6) === 1 }
}

export async function writeNodeIdentity(disk: Disk, dataDirectory: string, identity: NodeIdentity): Promise<void> {
  const bytes = new Uint8Array(SIZE)
  writeU32(bytes, 0, MAGIC)
  writeU16(bytes, 4, 1)
  writeU16(bytes, 6, identity.hasJoined ? 1 : 0)
  writeU32(bytes, 8, identity.nodeId)
  writeU32(bytes, 12, crc32c(bytes, 0, 12))
  await disk.writeFileAtomic(identityPath(dataDirectory), bytes)
}

function identityPath(dataDirectory: string): string {
  return `${dataDirectory}/node`
}
