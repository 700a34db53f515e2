/** Full-page images of block references (RestoreBlockImage in src/backend/access/transam/xlogreader.c, PG 18). */
import { CorruptionError, StorageError } from '../base/errors.ts'
import { PAGE_SIZE } from '../postgres/constants.ts'
import type { WalBlock } from '../wal/record.ts'
import { ImageInfo } from '../wal/record-decoder.ts'

/** Writes the page a block's image shows into `page` (8192 bytes), with zeros for its hole. pd_lsn is as in the image. */
export function restoreBlockImage(block: WalBlock, page: Uint8Array): void {
  if (block.imageInfo & ImageInfo.compressed) {
    throw new StorageError('unsupported', 'compressed page image', { imageInfo: block.imageInfo })
  }
  const { holeOffset, holeLength, image } = block
  if (image.length !== PAGE_SIZE - holeLength || holeOffset + holeLength > PAGE_SIZE) {
    throw new CorruptionError('page image of wrong length', { holeOffset, holeLength, length: image.length })
  }
  page.set(holeOffset === 0 ? image : image.subarray(0, holeOffset), 0)
  if (holeLength === 0) {
    if (holeOffset !== 0) page.set(image.subarray(holeOffset), holeOffset)
    return
  }
  page.fill(0, holeOffset, holeOffset + holeLength)
  page.set(image.subarray(holeOffset), holeOffset + holeLength)
}
