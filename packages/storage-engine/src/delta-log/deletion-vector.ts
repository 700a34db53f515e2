/**
 * Deletion vectors: positions of rows in a data file that a reader must leave out.
 *
 *   serialized   u32 magic 1681511377, roaring bitmap (roaring.ts), little-endian
 *   file         u8 version 1, then for each: i32 size, serialized, u32 CRC-32 of it, big-endian
 */

import { crc32 } from '../base/crc32.ts'
import { CorruptionError } from '../base/errors.ts'
import type { DeletionVectorDescriptor } from './actions.ts'
import { decodeRoaring, encodeRoaring } from './roaring.ts'
import { decodeZ85, encodeZ85 } from './z85.ts'

const MAGIC = 1681511377
const FILE_VERSION = 1
const UUID_Z85_LENGTH = 20

/** `positions` ascending, without repetition. */
export function encodeDeletionVector(positions: ArrayLike<number>): Uint8Array {
  const bitmap = encodeRoaring(positions)
  const bytes = new Uint8Array(4 + bitmap.length)
  new DataView(bytes.buffer).setUint32(0, MAGIC, true)
  bytes.set(bitmap, 4)
  return bytes
}

export function decodeDeletionVector(bytes: Uint8Array): number[] {
  const magic = bytes.length < 4 ? 0 : new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true)
  if (magic !== MAGIC) throw new CorruptionError('not a deletion vector', { magic })
  return decodeRoaring(bytes.subarray(4))
}

/** One file with several vectors, and what to name each by; `uuid` is in the file's name (deletionVectorFileName). */
export function encodeDeletionVectorFile(
  uuid: Uint8Array,
  vectors: readonly ArrayLike<number>[],
): { bytes: Uint8Array; descriptors: DeletionVectorDescriptor[] } {
  const serialized = vectors.map(encodeDeletionVector)
  const bytes = new Uint8Array(serialized.reduce((sum, each) => sum + each.length + 8, 1))
  const view = new DataView(bytes.buffer)
  view.setUint8(0, FILE_VERSION)
  let offset = 1
  const descriptors = serialized.map((each, i): DeletionVectorDescriptor => {
    view.setInt32(offset, each.length)
    bytes.set(each, offset + 4)
    view.setUint32(offset + 4 + each.length, crc32(each))
    const descriptor = {
      storageType: 'u' as const,
      pathOrInlineDv: encodeZ85(uuid),
      offset,
      sizeInBytes: each.length,
      cardinality: vectors[i]!.length,
    }
    offset += each.length + 8
    return descriptor
  })
  return { bytes, descriptors }
}

/** The serialized vector at `offset` of a file. */
export function readDeletionVectorFile(bytes: Uint8Array, offset: number, object: string): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < 1 || view.getUint8(0) !== FILE_VERSION) {
    throw new CorruptionError('deletion vector file of unknown version', { object, offsetBytes: 0 })
  }
  const size = offset + 4 <= bytes.length ? view.getInt32(offset) : -1
  if (size < 0 || offset + 8 + size > bytes.length) {
    throw new CorruptionError('deletion vector is cut off', { object, offsetBytes: offset })
  }
  const serialized = bytes.subarray(offset + 4, offset + 4 + size)
  if (crc32(serialized) !== view.getUint32(offset + 4 + size)) {
    throw new CorruptionError('deletion vector checksum mismatch', { object, offsetBytes: offset })
  }
  return serialized
}

export function deletionVectorFileName(uuid: Uint8Array): string {
  const hex = Array.from(uuid, (byte) => byte.toString(16).padStart(2, '0')).join('')
  const groups = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)]
  return `deletion_vector_${groups.join('-')}.bin`
}

/** Where a vector is: bytes of its own, a file relative to the table's folder, or one at an absolute URI. */
export type DeletionVectorPlace =
  | { readonly kind: 'inline'; readonly serialized: Uint8Array }
  | { readonly kind: 'file' | 'absolute'; readonly path: string }

export function deletionVectorPlace(descriptor: DeletionVectorDescriptor): DeletionVectorPlace {
  const { storageType, pathOrInlineDv, sizeInBytes } = descriptor
  switch (storageType) {
    case 'i':
      return { kind: 'inline', serialized: decodeZ85(pathOrInlineDv).subarray(0, sizeInBytes) }
    case 'u': {
      const prefix = pathOrInlineDv.slice(0, -UUID_Z85_LENGTH)
      const name = deletionVectorFileName(decodeZ85(pathOrInlineDv.slice(-UUID_Z85_LENGTH)))
      return { kind: 'file', path: prefix === '' ? name : `${prefix}/${name}` }
    }
    case 'p':
      return { kind: 'absolute', path: pathOrInlineDv }
    default:
      return storageType satisfies never
  }
}
