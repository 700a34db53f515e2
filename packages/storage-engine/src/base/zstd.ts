import * as zlib from 'node:zlib'
import { compress as zstdCompress, decompress as zstdDecompress, init } from '@bokuweb/zstd-wasm'
import { StorageError } from './errors.ts'

/** What node:zlib has from Node.js 22.15 on, as far as it is used here. */
interface NativeZstd {
  zstdCompressSync(
    bytes: Uint8Array,
    options: { params: Record<number, number>; pledgedSrcSize: number; chunkSize: number },
  ): Uint8Array
  zstdDecompressSync(bytes: Uint8Array, options: { maxOutputLength: number; chunkSize: number }): Uint8Array
  readonly constants: { readonly ZSTD_c_compressionLevel: number }
}

const native = 'zstdCompressSync' in zlib ? (zlib as unknown as NativeZstd) : undefined

/** Content from which on the native codec is about twice as fast as WebAssembly; below, setting it up costs more. */
export const NATIVE_BYTES_MIN = 4096
/** More than ZSTD_compressBound adds to content of this size, so that the output is one chunk. */
const FRAME_EXTRA_BYTES = 1024

// Loads the WebAssembly module once for each thread; everything after is synchronous.
await init()

/** Largest input of one call: both sides are copied through the WebAssembly heap, which never shrinks. */
export const ZSTD_INPUT_BYTES_MAX = 64 * 1024 * 1024

const ZSTD_MAGIC = 0xfd2fb528

/** One zstd frame (RFC 8878) that states its content size. */
export function compress(bytes: Uint8Array, level = 1): Uint8Array {
  if (bytes.length > ZSTD_INPUT_BYTES_MAX) {
    throw new StorageError('invalid-input', 'too large to compress at once', { sizeBytes: bytes.length })
  }
  if (!native || bytes.length < NATIVE_BYTES_MIN) return zstdCompress(bytes, level)
  return native.zstdCompressSync(bytes, {
    params: { [native.constants.ZSTD_c_compressionLevel]: level },
    pledgedSrcSize: bytes.length,
    chunkSize: bytes.length + (bytes.length >> 8) + FRAME_EXTRA_BYTES,
  })
}

/**
 * The content of one frame, which must be exactly `sizeBytes` long. Throws `corruption` for anything else, before it
 * allocates what a forged header asks for.
 */
export function decompress(bytes: Uint8Array, sizeBytes: number): Uint8Array {
  const declared = declaredSize(bytes)
  if (declared !== sizeBytes) {
    throw new StorageError('corruption', 'zstd frame has another size than expected', { declared, sizeBytes })
  }
  if (sizeBytes === 0) return new Uint8Array(0)
  let content: Uint8Array
  try {
    content =
      native && sizeBytes >= NATIVE_BYTES_MIN
        ? native.zstdDecompressSync(bytes, { maxOutputLength: sizeBytes, chunkSize: sizeBytes })
        : zstdDecompress(bytes)
  } catch (error) {
    throw new StorageError('corruption', 'zstd frame does not decompress', { sizeBytes }, { cause: error })
  }
  if (content.length !== sizeBytes) {
    throw new StorageError('corruption', 'zstd frame is shorter than it says', { sizeBytes: content.length })
  }
  return content
}

/** Frame_Content_Size of the header (RFC 8878, 3.1.1.1), or -1 when there is none or this is no frame. */
function declaredSize(bytes: Uint8Array): number {
  if (bytes.length < 6) return -1
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (view.getUint32(0, true) !== ZSTD_MAGIC) return -1
  const descriptor = view.getUint8(4)
  const isSingleSegment = (descriptor & 0x20) !== 0
  const dictionaryIdBytes = [0, 1, 2, 4][descriptor & 3]!
  const offset = 5 + (isSingleSegment ? 0 : 1) + dictionaryIdBytes
  const sizeFlag = descriptor >> 6
  if (sizeFlag === 0 && !isSingleSegment) return -1
  const fieldBytes = [1, 2, 4, 8][sizeFlag]!
  if (offset + fieldBytes > bytes.length) return -1
  if (fieldBytes === 1) return view.getUint8(offset)
  if (fieldBytes === 2) return view.getUint16(offset, true) + 256
  const low = view.getUint32(offset, true)
  return fieldBytes === 4 || view.getUint32(offset + 4, true) === 0 ? low : -1
}
