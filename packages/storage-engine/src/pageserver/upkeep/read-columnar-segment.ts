import { CorruptionError } from '../../base/errors.ts'
import { ColumnarFile } from '../../columnar/columnar-file.ts'
import type { Disk } from '../../io/disk.ts'
import type { ByteSource } from '../../parquet/file-reader.ts'
import { openLocalSource } from './local-source.ts'

export interface FetchedRange {
  readonly start: number
  readonly bytes: Uint8Array
}

export interface ReadColumnarSegmentTask {
  readonly name: string
  readonly segment: number
  readonly source:
    | { readonly kind: 'file'; readonly path: string }
    | { readonly kind: 'ranges'; readonly sizeBytes: number; readonly ranges: readonly FetchedRange[] }
}

/** The pages, or what has to be fetched first. */
export type ReadColumnarSegmentResult =
  | Uint8Array
  | {
      readonly needs: readonly (readonly [start: number, end: number])[]
      /** The ranges given were enough to open the file. */
      readonly isFooterRead: boolean
    }

/** Rebuilds the pages of one segment of a columnar layer. */
export async function readColumnarSegment(
  disk: Disk,
  task: ReadColumnarSegmentTask,
): Promise<ReadColumnarSegmentResult> {
  const { source, segment } = task
  if (source.kind === 'file') {
    const local = openLocalSource(disk, source.path)
    try {
      const file = await ColumnarFile.open(local)
      return (await file.readSegment(segment)).bytes
    } finally {
      await local.close()
    }
  }
  const fetched = new FetchedRanges(source.sizeBytes, source.ranges)
  let file: ColumnarFile | undefined
  try {
    file = await ColumnarFile.open(fetched)
    return (await file.readSegment(segment)).bytes
  } catch (error) {
    if (!(error instanceof MissingRange)) throw error
    return { needs: fetched.missing, isFooterRead: file !== undefined }
  }
}

class MissingRange extends Error {}

/** The ranges of a file that were fetched so far; notes what else is asked for. */
class FetchedRanges implements ByteSource {
  readonly sizeBytes: number
  readonly missing: (readonly [start: number, end: number])[] = []
  readonly #ranges: readonly FetchedRange[]

  constructor(sizeBytes: number, ranges: readonly FetchedRange[]) {
    this.sizeBytes = sizeBytes
    this.#ranges = ranges
  }

  read(start: number, end: number): Promise<Uint8Array> {
    if (start < 0 || end > this.sizeBytes || start > end) {
      return Promise.reject(new CorruptionError('range outside the file', { offset: start, sizeBytes: this.sizeBytes }))
    }
    for (const range of this.#ranges) {
      if (range.start <= start && end <= range.start + range.bytes.length) {
        return Promise.resolve(range.bytes.subarray(start - range.start, end - range.start))
      }
    }
    this.missing.push([start, end])
    return Promise.reject(new MissingRange())
  }
}
