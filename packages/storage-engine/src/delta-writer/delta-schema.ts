import type { PublishedColumn } from '../protocol/delta-publisher.ts'

/**
 * Schema of a Delta table with column mapping by name: physical names are `a<attnum>`, which Postgres never gives twice,
 * so columns are renamed, dropped and added without touching a file.
 */
export function deltaSchema(columns: readonly PublishedColumn[]): string {
  const names = distinctNames(columns)
  return JSON.stringify({
    type: 'struct',
    fields: columns.map((column, i) => ({
      name: names[i],
      type: column.isList ? { type: 'array', elementType: column.deltaType, containsNull: true } : column.deltaType,
      nullable: true,
      metadata: {
        'delta.columnMapping.id': column.number,
        'delta.columnMapping.physicalName': column.physicalName,
      },
    })),
  })
}

/** Delta takes names that differ in case alone for the same; Postgres does not. The later ones get their attnum behind. */
export function distinctNames(columns: readonly PublishedColumn[]): string[] {
  const taken = new Set<string>()
  return columns.map(({ name, number }) => {
    let distinct = name
    while (taken.has(distinct.toLowerCase())) distinct = `${distinct}_${number}`
    taken.add(distinct.toLowerCase())
    return distinct
  })
}

export function hasTimestampNtz(columns: readonly PublishedColumn[]): boolean {
  return columns.some(({ deltaType }) => deltaType === 'timestamp_ntz')
}
