import { assert } from '../base/assert.ts'
import { CorruptionError, StorageError } from '../base/errors.ts'
import { PAGE_SIZE } from '../postgres/constants.ts'
import { decompressPglz } from '../postgres/pglz.ts'
import type { WalBlock } from './record.ts'
import { ImageInfo } from './record-decoder.ts'

/**
 * Restores a block's full-page image into `page` (RestoreBlockImage, src/backend/access/transam/xlogreader.c, PG 18): the
 * hole is zeros. pd_lsn is whatever the image carries; redo sets it to the record's end.
 * Throws `unsupported` for lz4 and zstd, which the npm binaries are built without.
 */
export function restoreBlockImage(block: WalBlock, page: Uint8Array): void {
  assert(page.length === PAGE_SIZE, 'a page has 8192 bytes')
  assert(block.hasImage, 'restoring an image that the record does not carry')
  const { holeOffset, holeLength, imageInfo } = block
  const imageBytes = PAGE_SIZE - holeLength
  if (holeOffset + holeLength > PAGE_SIZE)
    throw new CorruptionError('page image has an impossible hole', { holeOffset, holeLength })

  if ((imageInfo & ImageInfo.compressed) === 0) {
    if (block.image.length !== imageBytes) {
      throw new CorruptionError('page image has a wrong length', { length: block.image.length, holeLength })
    }
    page.set(holeLength === 0 ? block.image : block.image.subarray(0, holeOffset))
    if (holeLength > 0) page.set(block.image.subarray(holeOffset), holeOffset + holeLength)
  } else {
    if ((imageInfo & ImageInfo.compressed) !== ImageInfo.pglz) {
      throw new StorageError(
        'unsupported',
        'page image is compressed with lz4 or zstd: set wal_compression to off or pglz',
        {
          imageInfo,
        },
      )
    }
    decompressPglz(block.image, page.subarray(0, imageBytes))
    if (holeLength > 0) page.copyWithin(holeOffset + holeLength, holeOffset, imageBytes)
  }
  page.fill(0, holeOffset, holeOffset + holeLength)
}
