/** Which bytes of a file a read needs, as few requests: pure, so a test can count the requests. */
import { CorruptionError } from '../base/errors.ts'
import type { ColumnChunk, FileRange } from './metadata.ts'
import type { PageLocation } from './page-header.ts'

/** Ranges closer than this are fetched as one from an object store: a request costs more than the bytes between. */
export const COALESCE_GAP_BYTES = 64 * 1024

/** The whole chunk: dictionary and all data pages. */
export function planChunk(chunk: ColumnChunk, fileSizeBytes: number): FileRange {
  const offset = chunkStart(chunk)
  return checkedRange({ offset, length: chunk.compressedSizeBytes }, fileSizeBytes)
}

export interface PageRanges {
  readonly dictionary: FileRange | undefined
  /** One for each page, in order. */
  readonly pages: readonly FileRange[]
  readonly firstRow: number
  /** Exclusive. */
  readonly endRow: number
}

/** Pages [firstPage, endPage) of a chunk, with the dictionary where it has one. */
export function planPages(
  chunk: ColumnChunk,
  locations: readonly PageLocation[],
  firstPage: number,
  endPage: number,
  groupRowCount: number,
  fileSizeBytes: number,
): PageRanges {
  const wanted = locations.slice(firstPage, endPage)
  const first = wanted[0]
  if (!first || wanted.length !== endPage - firstPage) {
    throw new CorruptionError('parquet page outside the offset index', { firstPage, endPage, pages: locations.length })
  }
  const dictionary =
    chunk.dictionaryPageOffset === undefined
      ? undefined
      : checkedRange(
          { offset: chunk.dictionaryPageOffset, length: chunk.dataPageOffset - chunk.dictionaryPageOffset },
          fileSizeBytes,
        )
  return {
    dictionary,
    pages: wanted.map((location) =>
      checkedRange({ offset: location.offset, length: location.compressedSizeBytes }, fileSizeBytes),
    ),
    firstRow: first.firstRow,
    endRow: locations[endPage]?.firstRow ?? groupRowCount,
  }
}

/** Merges ranges that touch or lie within `gapBytes`; ascending. */
export function coalesce(ranges: readonly FileRange[], gapBytes: number = COALESCE_GAP_BYTES): FileRange[] {
  const sorted = [...ranges].sort((a, b) => a.offset - b.offset)
  const merged: FileRange[] = []
  for (const range of sorted) {
    const last = merged.at(-1)
    const lastEnd = last ? last.offset + last.length : 0
    if (last && range.offset - lastEnd <= gapBytes) {
      merged[merged.length - 1] = {
        offset: last.offset,
        length: Math.max(lastEnd, range.offset + range.length) - last.offset,
      }
    } else merged.push(range)
  }
  return merged
}

export function chunkStart(chunk: ColumnChunk): number {
  const dictionary = chunk.dictionaryPageOffset
  return dictionary === undefined || dictionary === 0
    ? chunk.dataPageOffset
    : Math.min(dictionary, chunk.dataPageOffset)
}

export function checkedRange(range: FileRange, fileSizeBytes: number): FileRange {
  if (range.offset < 4 || range.length < 0 || range.offset + range.length > fileSizeBytes - 8) {
    throw new CorruptionError('parquet range outside the file', { ...range, fileSizeBytes })
  }
  return range
}
