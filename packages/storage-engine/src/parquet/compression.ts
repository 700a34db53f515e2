/** Page compression codecs: zstd both ways, snappy and none for reading what other writers made. */
import { CorruptionError, StorageError, isStorageError } from '../base/errors.ts'
import { decompress as decompressZstd } from '../base/zstd.ts'
import { Codec } from './metadata.ts'
import { decompressSnappy } from './snappy.ts'

/** The page's bytes, exactly `size` of them. Borrows `bytes` when they are not compressed. */
export function decompressPage(codec: number, bytes: Uint8Array, size: number): Uint8Array {
  switch (codec) {
    case Codec.uncompressed:
      if (bytes.length !== size) throw new CorruptionError('parquet page size differs', { got: bytes.length, size })
      return bytes
    case Codec.snappy:
      return decompressSnappy(bytes, size)
    case Codec.zstd:
      return decompressZstdPage(bytes, size)
    default:
      throw new StorageError('unsupported', 'parquet compression codec', { codec })
  }
}

function decompressZstdPage(bytes: Uint8Array, size: number): Uint8Array {
  try {
    return decompressZstd(bytes, size)
  } catch (error) {
    if (!isStorageError(error, 'corruption')) throw error
    throw new CorruptionError('parquet page does not decompress', { size }, { cause: error })
  }
}
