/**
 * What is needed to read a heap page's tuples: the attributes as pg_attribute has them, dropped ones included, with their
 * types resolved through pg_type. It is kept as JSON in every columnar layer, so a layer can be decoded with nothing else.
 */

/** attalign as bytes. */
export type Alignment = 1 | 2 | 4 | 8

export interface TableDefinition {
  readonly name: string
  readonly attributes: readonly TableAttribute[]
}

export interface TableAttribute {
  /** attnum, from 1 without gaps. */
  readonly number: number
  readonly name: string
  /** Of a dropped attribute: undefined; its length and alignment still hold. */
  readonly type?: PostgresType
  readonly typmod: number
  /** attlen: bytes, -1 varlena, -2 C string. */
  readonly length: number
  readonly alignment: Alignment
  /** attstorage. */
  readonly storage: 'p' | 'e' | 'm' | 'x'
  /** attgenerated = 'v': nothing is stored, tuples hold null. */
  readonly isVirtual?: boolean
  /** attmissingval: the datum that tuples shorter than this attribute have, as hex of its payload. */
  readonly missingHex?: string
}

interface TypeBase {
  readonly oid: number
  readonly name: string
  /** typlen. */
  readonly length: number
  readonly alignment: Alignment
  /** typstorage. */
  readonly storage: 'p' | 'e' | 'm' | 'x'
}

export type PostgresType = TypeBase &
  (
    | { readonly kind: 'base' }
    | { readonly kind: 'enum'; readonly labels: readonly (readonly [oid: number, label: string])[] }
    | { readonly kind: 'domain'; readonly base: PostgresType; readonly typmod: number }
    | { readonly kind: 'composite'; readonly attributes: readonly TableAttribute[] }
    | { readonly kind: 'array'; readonly element: PostgresType; readonly delimiter: string }
    | { readonly kind: 'range'; readonly subtype: PostgresType }
    | { readonly kind: 'multirange'; readonly subtype: PostgresType }
  )
