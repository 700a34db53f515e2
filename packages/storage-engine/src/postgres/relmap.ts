import { ByteReader } from '../base/byte-reader.ts'
import { crc32c } from '../base/crc32c.ts'
import { CorruptionError, StorageError } from '../base/errors.ts'

/**
 * pg_filenode.map: RelMapFile (src/backend/utils/cache/relmapper.c, PG 18), which relation file each mapped catalog has.
 *    0 i32 magic   4 i32 mapping count   8 {oid u32, relNumber u32} [64]   520 u32 crc32c of the bytes before
 */
export const RELMAP_SIZE = 524
const MAGIC = 0x592717
const MAPPINGS_MAX = 64
const CRC_OFFSET = 520

export interface RelationMapping {
  readonly oid: number
  readonly relNumber: number
}

/** Throws CorruptionError when length, magic, count or CRC are wrong. */
export function decodeRelmap(bytes: Uint8Array): RelationMapping[] {
  if (bytes.length !== RELMAP_SIZE)
    throw new CorruptionError('relation map has a wrong length', { length: bytes.length })
  const reader = new ByteReader(bytes, 'relation map')
  const magic = reader.i32()
  if (magic !== MAGIC) throw new CorruptionError('relation map has a wrong magic number', { magic })
  const count = reader.i32()
  if (count < 0 || count > MAPPINGS_MAX) throw new CorruptionError('relation map has an impossible count', { count })
  const mappings: RelationMapping[] = []
  for (let index = 0; index < count; index++) mappings.push({ oid: reader.u32(), relNumber: reader.u32() })
  reader.offset = CRC_OFFSET
  if (reader.u32() !== crc32c(bytes, 0, CRC_OFFSET)) throw new CorruptionError('relation map has a wrong checksum')
  return mappings
}

export function encodeRelmap(mappings: readonly RelationMapping[]): Uint8Array {
  if (mappings.length > MAPPINGS_MAX) {
    throw new StorageError('invalid-input', 'too many mappings for a relation map', { count: mappings.length })
  }
  const bytes = new Uint8Array(RELMAP_SIZE)
  const view = new DataView(bytes.buffer)
  view.setInt32(0, MAGIC, true)
  view.setInt32(4, mappings.length, true)
  for (const [index, mapping] of mappings.entries()) {
    view.setUint32(8 + index * 8, mapping.oid, true)
    view.setUint32(12 + index * 8, mapping.relNumber, true)
  }
  view.setUint32(CRC_OFFSET, crc32c(bytes, 0, CRC_OFFSET), true)
  return bytes
}
