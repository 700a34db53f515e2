/** What readers see of a columnar layer's columns, and a checksum by which two layers can be told to look alike. */
import { crc32c } from '../base/crc32c.ts'
import type { TableDefinition } from './table-definition.ts'
import { columnName } from './table-layout.ts'
import type { CodecSettings } from './types/registry.ts'
import { codecOf } from './types/registry.ts'

export interface VisibleColumn {
  /** attnum; also the field id. */
  readonly number: number
  /** Name in the Parquet file: a<attnum>. */
  readonly physicalName: string
  /** attname. */
  readonly name: string
  /** Type name of a Delta schema; of the elements where `isList`. */
  readonly deltaType: string
  readonly isList: boolean
}

/** Attributes that have a column of their own in the layers of a table, in attnum order. */
export function visibleColumns(table: TableDefinition, settings: CodecSettings): VisibleColumn[] {
  return table.attributes.flatMap((attribute): VisibleColumn[] => {
    if (!attribute.type || attribute.isVirtual) return []
    const codec = codecOf(attribute.type, attribute.typmod, settings)
    const { shape } = codec.kind === 'list' ? codec.element : codec
    return [
      {
        number: attribute.number,
        physicalName: columnName(attribute.number),
        name: attribute.name,
        deltaType: shape.deltaType,
        isList: codec.kind === 'list',
      },
    ]
  })
}

/**
 * Equal for two definitions whose layers show the same columns with the same types, and the same values in rows that are
 * older than a column. Names do not count: they are given by whoever reads.
 */
export function columnsChecksum(table: TableDefinition, settings: CodecSettings): number {
  const missing = new Map(table.attributes.map(({ number, missingHex }) => [number, missingHex ?? '']))
  const text = visibleColumns(table, settings)
    .map(({ number, deltaType, isList }) => `${number} ${deltaType} ${isList} ${missing.get(number)}`)
    .join('\n')
  return crc32c(new TextEncoder().encode(text))
}
