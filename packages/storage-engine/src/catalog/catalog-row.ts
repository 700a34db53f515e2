/** Reads chosen columns of catalog tuples; a tuple is walked once, fields are kept as numbers, texts or bytes. */
import { CorruptionError } from '../base/errors.ts'
import { alignUp, f32, i32, u16, u32 } from '../columnar/little-endian.ts'
import { decompressInline, varlenaForm, varlenaSize, varlenaStart } from '../columnar/varlena.ts'
import { CATALOG_COLUMNS, type CatalogColumnName, type CatalogColumnType, type CatalogName } from './catalog-columns.ts'
import { Infomask, TUPLE_HEADER_BYTES, tupleAttributeCount, tupleInfomask } from './heap-tuple.ts'

/** Names and single characters are texts, bool is a boolean, varlenas are payload bytes; null and absent are undefined. */
export type CatalogValue<Type extends CatalogColumnType> = Type extends 'name' | 'char'
  ? string
  : Type extends 'bool'
    ? boolean
    : Type extends 'varlena4' | 'varlena8'
      ? Uint8Array | undefined
      : number

export type CatalogRow<Name extends CatalogName> = {
  readonly [Column in CatalogColumnName<Name>]: (typeof CATALOG_COLUMNS)[Name][Column] extends CatalogColumnType
    ? CatalogValue<(typeof CATALOG_COLUMNS)[Name][Column]>
    : never
}

const WIDTH: Readonly<Record<CatalogColumnType, number>> = {
  oid: 4,
  int2: 2,
  int4: 4,
  float4: 4,
  bool: 1,
  char: 1,
  name: 64,
  varlena4: -1,
  varlena8: -1,
}
const ALIGNMENT: Readonly<Record<CatalogColumnType, number>> = {
  oid: 4,
  int2: 2,
  int4: 4,
  float4: 4,
  bool: 1,
  char: 1,
  name: 1,
  varlena4: 4,
  varlena8: 8,
}

/** Copies the columns out of the tuple in [start, end) of a page. */
export function readCatalogRow<Name extends CatalogName>(
  name: Name,
  page: Uint8Array,
  start: number,
  end: number,
): CatalogRow<Name> {
  const row: Record<string, unknown> = {}
  const count = tupleAttributeCount(page, start)
  const hasNull = (tupleInfomask(page, start) & Infomask.hasNull) !== 0
  let at = start + page[start + 22]!
  let index = 0
  for (const [column, type] of Object.entries<CatalogColumnType>(CATALOG_COLUMNS[name])) {
    const i = index++
    if (i >= count) break
    if (hasNull && (page[start + TUPLE_HEADER_BYTES + (i >> 3)]! & (1 << (i & 7))) === 0) continue
    const alignment = ALIGNMENT[type]
    if (WIDTH[type] < 0) {
      if (at >= end) throw damaged(name, column)
      const from = varlenaStart(page, at, start, alignment)
      const size = from + 4 > end && (page[from]! & 1) === 0 ? -1 : varlenaSize(page, from)
      if (size < 1 || from + size > end) throw damaged(name, column)
      row[column] = varlenaPayload(page, from, size)
      at = from + size
      continue
    }
    const from = start + alignUp(at - start, alignment)
    at = from + WIDTH[type]
    if (at > end) throw damaged(name, column)
    row[column] = fixedValue(type, page, from)
  }
  return row as CatalogRow<Name>
}

function fixedValue(type: CatalogColumnType, page: Uint8Array, at: number): number | string | boolean {
  switch (type) {
    case 'oid':
      return u32(page, at)
    case 'int2':
      return (u16(page, at) << 16) >> 16
    case 'int4':
      return i32(page, at)
    case 'float4':
      return f32(page, at)
    case 'bool':
      return page[at] !== 0
    case 'char':
      return page[at] === 0 ? '' : String.fromCharCode(page[at]!)
    default:
      return nameText(page, at)
  }
}

function nameText(page: Uint8Array, at: number): string {
  let end = at
  while (end < at + 64 && page[end] !== 0) end++
  return decoder.decode(page.subarray(at, end))
}

/** Out-of-line values are none of the columns read here: they read as undefined. */
function varlenaPayload(page: Uint8Array, start: number, size: number): Uint8Array | undefined {
  switch (varlenaForm(page, start)) {
    case 'short':
      return page.slice(start + 1, start + size)
    case 'long':
      return page.slice(start + 4, start + size)
    case 'compressed':
      return decompressInline(page.subarray(start, start + size))
    case 'external':
      return undefined
  }
}

function damaged(catalog: string, column: string): CorruptionError {
  return new CorruptionError('catalog tuple is shorter than its columns', { catalog, column })
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
