import { ColumnarFile } from '../../columnar/columnar-file.ts'
import type { Disk } from '../../io/disk.ts'
import { PAGE_SIZE } from '../../postgres/constants.ts'
import { encodePageImage } from '../../redo/page-change.ts'
import { blockOf, writeBlock } from '../layer/open-layer-index.ts'
import { PageImageLayerWriter } from '../layer/page-image-layer.ts'
import { openLocalSource } from './local-source.ts'
import { timelineIdBytes } from './timeline-id-bytes.ts'

export interface WriteLocalPagesTask {
  readonly timelineId: string
  /** Local file of the columnar layer. */
  readonly path: string
  readonly keyStart: Uint8Array
  readonly keyEnd: Uint8Array
  readonly lsn: number
  readonly outputPath: string
}

/** Writes the pages of a columnar layer as a page-image file; returns its size. */
export async function writeLocalPages(disk: Disk, task: WriteLocalPagesTask): Promise<number> {
  const source = openLocalSource(disk, task.path)
  try {
    const file = await ColumnarFile.open(source)
    const pages = new LocalPagesFile(disk, task)
    try {
      for (let index = 0; index < file.segments.length; index++) {
        const { bytes } = await file.readSegment(index)
        for (let at = 0; at < bytes.length; at += PAGE_SIZE) pages.add(bytes.subarray(at, at + PAGE_SIZE))
      }
      return pages.finish()
    } finally {
      await pages.close()
    }
  } finally {
    await source.close()
  }
}

/**
 * Takes the pages of a block range in order. They are not compressed: the file never leaves this machine, is written with
 * every columnar layer, and serves single pages.
 */
export class LocalPagesFile {
  readonly #file: ReturnType<Disk['openNow']>
  readonly #writer: PageImageLayerWriter
  readonly #task: Pick<WriteLocalPagesTask, 'keyStart' | 'keyEnd' | 'lsn'>
  readonly #key: Uint8Array
  #block: number

  constructor(disk: Disk, task: Omit<WriteLocalPagesTask, 'path'>) {
    this.#task = task
    this.#file = disk.openNow(task.outputPath, 'create')
    this.#writer = new PageImageLayerWriter(this.#file, timelineIdBytes(task.timelineId), false)
    this.#key = task.keyStart.slice()
    this.#block = blockOf(task.keyStart, 0)
  }

  add(page: Uint8Array): void {
    writeBlock(this.#key, this.#block++)
    this.#writer.add(this.#key, encodePageImage(page))
  }

  finish(): number {
    const { keyStart, keyEnd, lsn } = this.#task
    return this.#writer.finish(keyStart, keyEnd, lsn).sizeBytes
  }

  close(): Promise<void> {
    return this.#file.close()
  }
}
