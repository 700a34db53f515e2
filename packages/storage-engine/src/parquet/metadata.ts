/**
 * The footer of a Parquet file (apache/parquet-format src/main/thrift/parquet.thrift, FileMetaData): decode and encode.
 *
 *   "PAR1" | column chunks, page indexes, blobs | FileMetaData (thrift) | u32 length of it | "PAR1"
 */
import { CorruptionError } from '../base/errors.ts'
import { type LogicalType, PhysicalType, Repetition, type SchemaNode, type TimeUnit } from './schema.ts'
import { type ThriftStruct, ThriftReader, ThriftWriter } from './thrift.ts'
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

/** Schema elements in one file; beyond it the footer is not believed. */
const SCHEMA_ELEMENTS_MAX = 100_000

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
  const elements = flattenSchema(metadata.schema)
  out.structs(2, elements, (element) => encodeSchemaElement(out, element, element === elements[0]))
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
  const leafCount = elements.filter((element) => element.children === undefined).length
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

function decodeSchema(elements: readonly ThriftStruct[]): SchemaNode {
  if (elements.length > SCHEMA_ELEMENTS_MAX)
    throw new CorruptionError('parquet schema too large', { elements: elements.length })
  let next = 0
  const take = (depth: number): SchemaNode => {
    const element = elements[next++]
    if (!element) throw new CorruptionError('parquet schema ends too early', { elements: elements.length })
    if (depth > 64) throw new CorruptionError('parquet schema nested too deep', { depth })
    const node = decodeSchemaElement(element)
    const childCount = element.has(5) ? integerField(element, 5, 'num_children') : undefined
    if (childCount === undefined || (childCount === 0 && element.has(1))) return node
    if (childCount < 0 || childCount > elements.length) throw new CorruptionError('parquet group size', { childCount })
    return { ...node, children: Array.from({ length: childCount }, () => take(depth + 1)) }
  }
  const root = take(0)
  if (next !== elements.length)
    throw new CorruptionError('parquet schema has loose elements', { elements: elements.length })
  if (root.children === undefined) throw new CorruptionError('parquet schema without columns')
  return root
}

function decodeSchemaElement(element: ThriftStruct): SchemaNode {
  const physicalType = element.has(1) ? integerField(element, 1, 'type') : undefined
  if (physicalType !== undefined && !isMember(PhysicalType, physicalType)) {
    throw new CorruptionError('unknown parquet type', { physicalType })
  }
  const repetition = element.has(3) ? integerField(element, 3, 'repetition_type') : Repetition.required
  if (!isMember(Repetition, repetition)) throw new CorruptionError('unknown parquet repetition', { repetition })
  const typeLength = element.has(2) ? integerField(element, 2, 'type_length') : undefined
  if (
    physicalType === PhysicalType.fixedLenByteArray &&
    !(typeLength !== undefined && typeLength > 0 && typeLength < 65536)
  ) {
    throw new CorruptionError('parquet fixed length', { typeLength })
  }
  const logicalType = element.has(10)
    ? decodeLogicalType(structField(element, 10, 'logicalType'))
    : legacyLogicalType(element)
  return {
    name: textField(element, 4, 'name'),
    repetition,
    ...(element.has(9) ? { fieldId: integerField(element, 9, 'field_id') } : {}),
    ...(physicalType === undefined ? {} : { physicalType }),
    ...(typeLength === undefined ? {} : { typeLength }),
    ...(element.has(6) ? { convertedType: integerField(element, 6, 'converted_type') } : {}),
    ...(logicalType ? { logicalType } : {}),
  }
}

function isMember<T extends Record<string, number>>(members: T, value: number): value is T[keyof T] {
  return Object.values(members).includes(value)
}

const SIMPLE_LOGICAL: ReadonlyMap<number, LogicalType> = new Map([
  [1, { kind: 'string' }],
  [2, { kind: 'map' }],
  [3, { kind: 'list' }],
  [4, { kind: 'enum' }],
  [6, { kind: 'date' }],
  [11, { kind: 'unknown' }],
  [12, { kind: 'json' }],
  [13, { kind: 'bson' }],
  [14, { kind: 'uuid' }],
  [15, { kind: 'float16' }],
])

function decodeLogicalType(union: ThriftStruct): LogicalType | undefined {
  const id = union.keys().next().value
  if (id === undefined) return undefined
  const simple = SIMPLE_LOGICAL.get(id)
  if (simple) return simple
  // Types newer than this reader (variant, geometry): the physical type still reads.
  if (id !== 5 && id !== 7 && id !== 8 && id !== 10) return undefined
  const body = structField(union, id, 'logical type')
  if (id === 5)
    return { kind: 'decimal', scale: integerField(body, 1, 'scale'), precision: integerField(body, 2, 'precision') }
  if (id === 10) {
    return { kind: 'integer', bitWidth: integerField(body, 1, 'bitWidth'), signed: body.get(2) === true }
  }
  const unitId = structField(body, 2, 'unit').keys().next().value
  const unit: TimeUnit = unitId === 1 ? 'millis' : unitId === 3 ? 'nanos' : 'micros'
  return { kind: id === 7 ? 'time' : 'timestamp', adjustedToUtc: body.get(1) === true, unit }
}

/** Files of older writers carry the ConvertedType only. */
function legacyLogicalType(element: ThriftStruct): LogicalType | undefined {
  switch (element.get(6)) {
    case 0:
      return { kind: 'string' }
    case 1:
    case 2:
      return { kind: 'map' }
    case 3:
      return { kind: 'list' }
    case 5:
      return { kind: 'decimal', precision: integerField(element, 8, 'precision'), scale: Number(element.get(7) ?? 0) }
    case 6:
      return { kind: 'date' }
    case 9:
    case 10:
      return { kind: 'timestamp', adjustedToUtc: true, unit: element.get(6) === 9 ? 'millis' : 'micros' }
    case 15:
    case 16:
    case 17:
    case 18:
      return { kind: 'integer', bitWidth: 8 << (Number(element.get(6)) - 15), signed: true }
    default:
      return undefined
  }
}

function flattenSchema(node: SchemaNode): SchemaNode[] {
  return [node, ...(node.children ?? []).flatMap(flattenSchema)]
}

function encodeSchemaElement(out: ThriftWriter, node: SchemaNode, isRoot: boolean): void {
  const logical = node.logicalType
  out.i32(1, node.physicalType)
  out.i32(2, node.typeLength)
  if (!isRoot) out.i32(3, node.repetition)
  out.text(4, node.name)
  out.i32(5, node.children?.length)
  out.i32(6, convertedType(logical))
  if (logical?.kind === 'decimal') {
    out.i32(7, logical.scale)
    out.i32(8, logical.precision)
  }
  out.i32(9, node.fieldId)
  if (logical) out.struct(10, () => encodeLogicalType(out, logical))
}

function convertedType(logical: LogicalType | undefined): number | undefined {
  switch (logical?.kind) {
    case 'string':
      return 0
    case 'map':
      return 1
    case 'list':
      return 3
    case 'enum':
      return 4
    case 'decimal':
      return 5
    case 'date':
      return 6
    case 'time':
      return logical.unit === 'micros' ? 8 : undefined
    case 'timestamp':
      // ConvertedType can only say "adjusted to UTC".
      return logical.unit === 'micros' && logical.adjustedToUtc ? 10 : undefined
    case 'integer':
      return Math.log2(logical.bitWidth) - 3 + (logical.signed ? 15 : 11)
    case 'json':
      return 19
    case 'bson':
      return 20
    default:
      return undefined
  }
}

function encodeLogicalType(out: ThriftWriter, logical: LogicalType): void {
  switch (logical.kind) {
    case 'decimal':
      out.struct(5, () => {
        out.i32(1, logical.scale)
        out.i32(2, logical.precision)
      })
      return
    case 'time':
    case 'timestamp':
      out.struct(logical.kind === 'time' ? 7 : 8, () => {
        out.boolean(1, logical.adjustedToUtc)
        out.struct(2, () => out.struct({ millis: 1, micros: 2, nanos: 3 }[logical.unit], () => {}))
      })
      return
    case 'integer':
      out.struct(10, () => {
        out.i8(1, logical.bitWidth)
        out.boolean(2, logical.signed)
      })
      return
    default:
      for (const [id, simple] of SIMPLE_LOGICAL) if (simple.kind === logical.kind) out.struct(id, () => {})
  }
}
