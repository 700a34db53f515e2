import { ByteWriter } from './byte-writer.ts'
import type { ResultTable } from './export-result.ts'
import { type ParquetColumn, type ParquetKind, type ParquetValue, parquetColumns } from './parquet-columns.ts'
import { type ThriftStruct, writeStruct } from './thrift-writer.ts'

/**
 * A result as a Parquet file (parquet-format 2, page V1): one row group, a page a column, plain values, not compressed. A result
 * in the browser is small and flat; nothing more is needed for every Parquet reader to take it.
 */
export function toParquet(table: ResultTable): Uint8Array<ArrayBuffer> {
  const columns = parquetColumns(table)
  const rows = table.rows.length
  const out = new ByteWriter()
  out.bytes(magic)
  const chunks = columns.map((column) => {
    const offset = out.size
    writePage(out, column)
    return { column, offset, size: out.size - offset }
  })
  const metadataAt = out.size
  writeStruct(out, {
    1: { i32: 1 },
    2: { list: [{ struct: { 4: { text: 'result' }, 5: { i32: columns.length } } }, ...columns.map(leaf)] },
    3: { i64: rows },
    4: {
      list: [
        {
          struct: {
            1: { list: chunks.map((chunk) => ({ struct: chunkMetadata(chunk, rows) })) },
            2: { i64: chunks.reduce((sum, { size }) => sum + size, 0) },
            3: { i64: rows },
          },
        },
      ],
    },
    6: { text: 'tributary console' },
  })
  out.uint32(out.size - metadataAt)
  out.bytes(magic)
  return out.written()
}

const magic = new TextEncoder().encode('PAR1')
const plain = 0
const runLength = 3

interface Chunk {
  readonly column: ParquetColumn
  readonly offset: number
  readonly size: number
}

function chunkMetadata({ column, offset, size }: Chunk, rows: number): ThriftStruct {
  return {
    2: { i64: offset },
    3: {
      struct: {
        1: { i32: physicalTypes[column.kind] },
        2: { list: [{ i32: plain }, { i32: runLength }] },
        3: { list: [{ text: column.name }] },
        4: { i32: 0 },
        5: { i64: rows },
        6: { i64: size },
        7: { i64: size },
        9: { i64: offset },
      },
    },
  }
}

/** BOOLEAN 0, INT32 1, INT64 2, DOUBLE 5, BYTE_ARRAY 6. */
const physicalTypes: Record<ParquetKind, number> = {
  boolean: 0,
  int32: 1,
  int64: 2,
  double: 5,
  date: 1,
  timestamp: 2,
  timestamptz: 2,
  decimal: 2,
  bytes: 6,
  text: 6,
}

const decimalPrecision = 18

/** SchemaElement of an optional column: with its logical type, and the older ConvertedType where there is one. */
function leaf({ name, kind, scale }: ParquetColumn): { struct: ThriftStruct } {
  return {
    struct: { 1: { i32: physicalTypes[kind] }, 3: { i32: 1 }, 4: { text: name }, ...meaning(kind, scale) },
  }
}

function meaning(kind: ParquetKind, scale: number): ThriftStruct {
  switch (kind) {
    case 'text':
      return { 6: { i32: 0 }, 10: { struct: { 1: { struct: {} } } } }
    case 'decimal':
      return {
        6: { i32: 5 },
        7: { i32: scale },
        8: { i32: decimalPrecision },
        10: { struct: { 5: { struct: { 1: { i32: scale }, 2: { i32: decimalPrecision } } } } },
      }
    case 'date':
      return { 6: { i32: 6 }, 10: { struct: { 6: { struct: {} } } } }
    case 'timestamp':
    case 'timestamptz': {
      const micros = { struct: { 2: { struct: {} } } }
      const isUtc = kind === 'timestamptz'
      return {
        // The older annotation means UTC, so that a time without a zone goes without it.
        ...(isUtc ? { 6: { i32: 10 } } : {}),
        10: { struct: { 8: { struct: { 1: { bool: isUtc }, 2: micros } } } },
      }
    }
    default:
      return {}
  }
}

function writePage(out: ByteWriter, { kind, values }: ParquetColumn): void {
  const page = new ByteWriter()
  const levels = definitionLevels(values)
  page.uint32(levels.length)
  page.bytes(levels)
  const present = values.filter((value) => value !== null)
  if (kind === 'boolean') page.bytes(packBits(present.map((value) => value === true)))
  else for (const value of present) writeValue(page, kind, value)
  const size = { i32: page.size }
  const header = { 1: { i32: values.length }, 2: { i32: plain }, 3: { i32: runLength }, 4: { i32: runLength } }
  writeStruct(out, { 1: { i32: 0 }, 2: size, 3: size, 5: { struct: header } })
  out.bytes(page.written())
}

/** One bit a row, 1 where there is a value, as one bit-packed run. */
function definitionLevels(values: readonly ParquetValue[]): Uint8Array {
  const out = new ByteWriter()
  if (values.length > 0) out.varint((Math.ceil(values.length / 8) << 1) | 1)
  out.bytes(packBits(values.map((value) => value !== null)))
  return out.written()
}

function packBits(bits: readonly boolean[]): Uint8Array {
  const bytes = new Uint8Array(Math.ceil(bits.length / 8))
  bits.forEach((bit, index) => {
    if (bit) bytes[index >> 3] = (bytes[index >> 3] ?? 0) | (1 << (index & 7))
  })
  return bytes
}

function writeValue(page: ByteWriter, kind: ParquetKind, value: Exclude<ParquetValue, null>): void {
  if (typeof value === 'bigint') page.int64(value)
  else if (typeof value === 'number') {
    if (kind === 'double') page.double(value)
    else page.int32(value)
  } else if (typeof value !== 'boolean') {
    const bytes = typeof value === 'string' ? new TextEncoder().encode(value) : value
    page.uint32(bytes.length)
    page.bytes(bytes)
  }
}
