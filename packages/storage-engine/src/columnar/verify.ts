/** The rule that makes a columnar layer trusted: every page, rebuilt from the finished file, equals the original. */
import { CorruptionError } from '../base/errors.ts'
import type { ByteSource } from '../parquet/file-reader.ts'
import { PAGE_SIZE } from '../postgres/constants.ts'
import { canonicalizePage } from './canonical-page.ts'
import { ColumnarFile } from './columnar-file.ts'

/**
 * Reads the file back and compares each page with `originalPage(block)`, which is brought into canonical form in place.
 * Throws CorruptionError naming the first block and byte that differ.
 */
export async function verifyColumnarFile(
  source: ByteSource,
  originalPage: (blockNumber: number) => Uint8Array,
): Promise<ColumnarFile> {
  const file = await ColumnarFile.open(source)
  for (let segment = 0; segment < file.segments.length; segment++) {
    const { firstBlock, bytes } = await file.readSegment(segment)
    for (let at = 0; at < bytes.length; at += PAGE_SIZE) {
      const blockNumber = firstBlock + at / PAGE_SIZE
      const original = originalPage(blockNumber)
      canonicalizePage(original, blockNumber)
      const rebuilt = bytes.subarray(at, at + PAGE_SIZE)
      if (Buffer.compare(rebuilt, original) !== 0) {
        const offsetBytes = rebuilt.findIndex((byte, i) => byte !== original[i])
        throw new CorruptionError('columnar page differs from the original', { blockNumber, offsetBytes })
      }
    }
  }
  return file
}
