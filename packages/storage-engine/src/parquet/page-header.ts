/** Page headers and page indexes of a Parquet file (parquet.thrift: PageHeader, OffsetIndex, ColumnIndex). */
import { CorruptionError } from '../base/errors.ts'
import { ThriftReader, ThriftWriter } from './thrift.ts'
import { bytesListField, integerField, listField, structField, structsField } from './thrift-fields.ts'

export const PageType = { data: 0, index: 1, dictionary: 2, dataV2: 3 } as const

export interface PageHeader {
  readonly type: number
  readonly uncompressedSizeBytes: number
  /** Bytes after the header. */
  readonly compressedSizeBytes: number
  /** CRC-32 (gzip polynomial) of the bytes after the header. */
  readonly crc?: number
  /** Slots, nulls included; of a dictionary, its entries. */
  readonly valueCount: number
  readonly encoding: number
  /** V2 only: levels lie uncompressed in front of the values. */
  readonly v2?: {
    readonly nullCount: number
    readonly rowCount: number
    readonly definitionLevelsSizeBytes: number
    readonly repetitionLevelsSizeBytes: number
    readonly isCompressed: boolean
  }
  /** V1 only. */
  readonly definitionLevelEncoding?: number
  readonly repetitionLevelEncoding?: number
}

/** Pages larger than this are refused before anything is allocated. */
export const PAGE_SIZE_BYTES_MAX = 1 << 30

/** Decodes the header at `reader.offset` and leaves the offset at the page's first byte. */
export function decodePageHeader(reader: ThriftReader): PageHeader {
  const struct = reader.readStruct()
  const type = integerField(struct, 1, 'page type')
  const sizes = {
    type,
    uncompressedSizeBytes: size(integerField(struct, 2, 'uncompressed_page_size')),
    compressedSizeBytes: size(integerField(struct, 3, 'compressed_page_size')),
    ...(struct.has(4) ? { crc: integerField(struct, 4, 'crc') >>> 0 } : {}),
  }
  if (type === PageType.data) {
    const page = structField(struct, 5, 'data_page_header')
    return {
      ...sizes,
      valueCount: size(integerField(page, 1, 'num_values')),
      encoding: integerField(page, 2, 'encoding'),
      definitionLevelEncoding: integerField(page, 3, 'definition_level_encoding'),
      repetitionLevelEncoding: integerField(page, 4, 'repetition_level_encoding'),
    }
  }
  if (type === PageType.dictionary) {
    const page = structField(struct, 7, 'dictionary_page_header')
    return {
      ...sizes,
      valueCount: size(integerField(page, 1, 'num_values')),
      encoding: integerField(page, 2, 'encoding'),
    }
  }
  if (type === PageType.dataV2) {
    const page = structField(struct, 8, 'data_page_header_v2')
    return {
      ...sizes,
      valueCount: size(integerField(page, 1, 'num_values')),
      encoding: integerField(page, 4, 'encoding'),
      v2: {
        nullCount: size(integerField(page, 2, 'num_nulls')),
        rowCount: size(integerField(page, 3, 'num_rows')),
        definitionLevelsSizeBytes: size(integerField(page, 5, 'definition_levels_byte_length')),
        repetitionLevelsSizeBytes: size(integerField(page, 6, 'repetition_levels_byte_length')),
        isCompressed: page.get(7) !== false,
      },
    }
  }
  return { ...sizes, valueCount: 0, encoding: 0 }
}

/** Header of a V1 data page or of a dictionary page. */
export function encodePageHeader(header: PageHeader): Uint8Array {
  const out = new ThriftWriter()
  out.i32(1, header.type)
  out.i32(2, header.uncompressedSizeBytes)
  out.i32(3, header.compressedSizeBytes)
  if (header.crc !== undefined) out.i32(4, header.crc | 0)
  if (header.type === PageType.dictionary) {
    out.struct(7, () => {
      out.i32(1, header.valueCount)
      out.i32(2, header.encoding)
    })
  } else {
    out.struct(5, () => {
      out.i32(1, header.valueCount)
      out.i32(2, header.encoding)
      out.i32(3, header.definitionLevelEncoding)
      out.i32(4, header.repetitionLevelEncoding)
    })
  }
  return out.finish()
}

export interface PageLocation {
  readonly offset: number
  /** Header included. */
  readonly compressedSizeBytes: number
  /** Relative to the row group. */
  readonly firstRow: number
}

export function decodeOffsetIndex(bytes: Uint8Array): PageLocation[] {
  return structsField(new ThriftReader(bytes).readStruct(), 1, 'page_locations').map((location) => ({
    offset: integerField(location, 1, 'page offset'),
    compressedSizeBytes: size(integerField(location, 2, 'compressed_page_size')),
    firstRow: integerField(location, 3, 'first_row_index'),
  }))
}

export function encodeOffsetIndex(locations: readonly PageLocation[]): Uint8Array {
  const out = new ThriftWriter()
  out.structs(1, locations, (location) => {
    out.i64(1, location.offset)
    out.i32(2, location.compressedSizeBytes)
    out.i64(3, location.firstRow)
  })
  return out.finish()
}

/** Bounds of each page. A page of nulls has empty bounds. */
export interface ColumnIndex {
  readonly nullPages: readonly boolean[]
  readonly mins: readonly Uint8Array[]
  readonly maxes: readonly Uint8Array[]
  readonly nullCounts: readonly number[]
}

export function encodeColumnIndex(index: ColumnIndex): Uint8Array {
  const out = new ThriftWriter()
  out.booleans(1, index.nullPages)
  out.binaries(2, index.mins)
  out.binaries(3, index.maxes)
  out.i32(4, 0)
  out.i64s(5, index.nullCounts)
  return out.finish()
}

export function decodeColumnIndex(bytes: Uint8Array): ColumnIndex {
  const struct = new ThriftReader(bytes).readStruct()
  return {
    nullPages: listField(struct, 1, 'null_pages').map((value) => value === true),
    mins: bytesListField(struct, 2, 'min_values'),
    maxes: bytesListField(struct, 3, 'max_values'),
    nullCounts: listField(struct, 5, 'null_counts').map(Number),
  }
}

function size(value: number): number {
  if (value < 0 || value > PAGE_SIZE_BYTES_MAX) throw new CorruptionError('parquet page size out of range', { value })
  return value
}
