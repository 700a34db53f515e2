import { parquetWriteBuffer, type SchemaElement } from 'hyparquet-writer'
import type { ResultTable } from './export-result.ts'
import { type ParquetColumn, type ParquetKind, parquetColumns } from './parquet-columns.ts'

/** A result as a Parquet file. Loaded, with the library that knows the format, by the first export. */
export function toParquet(table: ResultTable): Uint8Array<ArrayBuffer> {
  const columns = parquetColumns(table)
  const buffer = parquetWriteBuffer({
    schema: [{ name: 'result', num_children: columns.length }, ...columns.map(leaf)],
    columnData: columns.map(({ name, values }) => ({ name, data: [...values] })),
    createdBy: 'tributary console',
  })
  return new Uint8Array(buffer)
}

const decimalPrecision = 18

function leaf({ name, kind, scale }: ParquetColumn): SchemaElement {
  return { name, repetition_type: 'OPTIONAL', ...types[kind], ...(kind === 'decimal' ? { scale } : {}) }
}

const types: Record<ParquetKind, Omit<SchemaElement, 'name'>> = {
  boolean: { type: 'BOOLEAN' },
  int32: { type: 'INT32' },
  int64: { type: 'INT64' },
  double: { type: 'DOUBLE' },
  date: { type: 'INT32', converted_type: 'DATE' },
  // The older annotation of a time, ConvertedType, means UTC; a time without a zone goes without it.
  timestamp: { type: 'INT64', logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: false, unit: 'MICROS' } },
  timestamptz: { type: 'INT64', logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MICROS' } },
  decimal: { type: 'INT64', converted_type: 'DECIMAL', precision: decimalPrecision },
  bytes: { type: 'BYTE_ARRAY' },
  text: { type: 'BYTE_ARRAY', converted_type: 'UTF8' },
}
