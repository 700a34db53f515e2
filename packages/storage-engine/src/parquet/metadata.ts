/**
 * The footer of a Parquet file (apache/parquet-format src/main/thrift/parquet.thrift, FileMetaData): decode and encode.
 *
 *   "PAR1" | column chunks, page indexes, blobs | FileMetaData (thrift) | u32 length of it | "PAR1"
 */
import { CorruptionError } from '../base/errors.ts'
import type { SchemaNode } from './schema.ts'
import { decodeSchema, encodeSchema } from './schema-elements.ts'
import { ThriftReader, type ThriftStruct, ThriftWriter } from './thrift.ts'
import {
  bytesField,
  integerField,
  listField,
  structField,
  structsField,
  textField,
  textsField,
} from './thrift-fields.ts'

export const Encoding = {
  plain: 0,
  plainDictionary: 2,
  rle: 3,
  bitPacked: 4,
  deltaBinaryPacked: 5,
  deltaLengthByteArray: 6,
  deltaByteArray: 7,
  rleDictionary: 8,
  byteStreamSplit: 9,
} as const

export const Codec = { uncompressed: 0, snappy: 1, gzip: 2, lzo: 3, brotli: 4, lz4: 5, zstd: 6, lz4Raw: 7 } as const

export interface FileMetadata {
  readonly version: number
  readonly schema: SchemaNode
  readonly rowCount: number
  readonly rowGroups: readonly RowGroup[]
  readonly keyValues: ReadonlyMap<string, string>
  readonly createdBy: string
}

export interface RowGroup {
  readonly columns: readonly ColumnChunk[]
  readonly totalSizeBytes: number
  readonly rowCount: number
}

/** A half-open range of the file is [offset, offset + length). */
export interface FileRange {
  readonly offset: number
  readonly length: number
}

export interface ColumnChunk {
  readonly physicalType: number
  readonly encodings: readonly number[]
  readonly path: readonly string[]
  readonly codec: number
  /** Slots, nulls included. */
  readonly valueCount: number
  readonly uncompressedSizeBytes: number
  readonly compressedSizeBytes: number
  readonly dataPageOffset: number
  readonly dictionaryPageOffset?: number
  readonly statistics?: ColumnStatistics
  readonly offsetIndex?: FileRange
  readonly columnIndex?: FileRange
}

/** Minimum and maximum in PLAIN encoding (a byteArray without its length), in the order of the logical type. */
export interface ColumnStatistics {
  readonly nullCount?: number
  readonly min?: Uint8Array
  readonly max?: Uint8Array
}

export function decodeFileMetadata(bytes: Uint8Array): FileMetadata {
  const file = new ThriftReader(bytes).readStruct()
  const keyValues = new Map<string, string>()
  for (const pair of structsField(file, 5, 'key_value_metadata')) {
    keyValues.set(textField(pair, 1, 'key'), pair.has(2) ? textField(pair, 2, 'value') : '')
  }
  return {
    version: integerField(file, 1, 'version'),
    schema: decodeSchema(structsField(file, 2, 'schema')),
    rowCount: integerField(file, 3, 'num_rows'),
    rowGroups: structsField(file, 4, 'row_groups').map(decodeRowGroup),
    keyValues,
    createdBy: file.has(6) ? textField(file, 6, 'created_by') : '',
  }
}

export function encodeFileMetadata(metadata: FileMetadata): Uint8Array {
  const out = new ThriftWriter()
  out.i32(1, metadata.version)
  const { leafCount } = encodeSchema(out, metadata.schema)
  out.i64(3, metadata.rowCount)
  out.structs(4, metadata.rowGroups, (group) => {
    out.structs(1, group.columns, (column) => encodeColumnChunk(out, column))
    out.i64(2, group.totalSizeBytes)
    out.i64(3, group.rowCount)
    const first = group.columns[0]
    if (first) out.i64(5, first.dictionaryPageOffset ?? first.dataPageOffset)
    out.i64(
      6,
      group.columns.reduce((sum, column) => sum + column.compressedSizeBytes, 0),
    )
  })
  if (metadata.keyValues.size > 0) {
    out.structs(5, [...metadata.keyValues], ([key, value]) => {
      out.text(1, key)
      out.text(2, value)
    })
  }
  out.text(6, metadata.createdBy)
  // TYPE_ORDER for every leaf: without it readers must not use min_value and max_value.
  out.structs(7, new Array<null>(leafCount).fill(null), () => out.struct(1, () => {}))
  return out.finish()
}

function decodeRowGroup(group: ThriftStruct): RowGroup {
  return {
    columns: structsField(group, 1, 'columns').map(decodeColumnChunk),
    totalSizeBytes: integerField(group, 2, 'total_byte_size'),
    rowCount: integerField(group, 3, 'num_rows'),
  }
}

function decodeColumnChunk(chunk: ThriftStruct): ColumnChunk {
  if (chunk.has(1)) throw new CorruptionError('parquet column chunk in another file')
  const column = structField(chunk, 3, 'meta_data')
  const statistics = column.has(12) ? decodeStatistics(structField(column, 12, 'statistics')) : undefined
  const offsetIndex = decodeRange(chunk, 4, 5)
  const columnIndex = decodeRange(chunk, 6, 7)
  return {
    physicalType: integerField(column, 1, 'type'),
    encodings: listField(column, 2, 'encodings').map(Number),
    path: textsField(column, 3, 'path_in_schema'),
    codec: integerField(column, 4, 'codec'),
    valueCount: integerField(column, 5, 'num_values'),
    uncompressedSizeBytes: integerField(column, 6, 'total_uncompressed_size'),
    compressedSizeBytes: integerField(column, 7, 'total_compressed_size'),
    dataPageOffset: integerField(column, 9, 'data_page_offset'),
    ...(column.has(11) ? { dictionaryPageOffset: integerField(column, 11, 'dictionary_page_offset') } : {}),
    ...(statistics ? { statistics } : {}),
    ...(offsetIndex ? { offsetIndex } : {}),
    ...(columnIndex ? { columnIndex } : {}),
  }
}

function decodeRange(chunk: ThriftStruct, offsetId: number, lengthId: number): FileRange | undefined {
  if (!chunk.has(offsetId) || !chunk.has(lengthId)) return undefined
  return {
    offset: integerField(chunk, offsetId, 'page index offset'),
    length: integerField(chunk, lengthId, 'page index length'),
  }
}

function decodeStatistics(statistics: ThriftStruct): ColumnStatistics {
  return {
    ...(statistics.has(3) ? { nullCount: integerField(statistics, 3, 'null_count') } : {}),
    ...(statistics.has(5) ? { max: bytesField(statistics, 5, 'max_value') } : {}),
    ...(statistics.has(6) ? { min: bytesField(statistics, 6, 'min_value') } : {}),
  }
}

function encodeColumnChunk(out: ThriftWriter, column: ColumnChunk): void {
  out.i64(2, 0)
  out.struct(3, () => {
    out.i32(1, column.physicalType)
    out.i32s(2, column.encodings)
    out.texts(3, column.path)
    out.i32(4, column.codec)
    out.i64(5, column.valueCount)
    out.i64(6, column.uncompressedSizeBytes)
    out.i64(7, column.compressedSizeBytes)
    out.i64(9, column.dataPageOffset)
    out.i64(11, column.dictionaryPageOffset)
    const { statistics } = column
    if (statistics) {
      out.struct(12, () => {
        out.i64(3, statistics.nullCount)
        out.binary(5, statistics.max)
        out.binary(6, statistics.min)
      })
    }
  })
  if (column.offsetIndex) {
    out.i64(4, column.offsetIndex.offset)
    out.i32(5, column.offsetIndex.length)
  }
  if (column.columnIndex) {
    out.i64(6, column.columnIndex.offset)
    out.i32(7, column.columnIndex.length)
  }
}
