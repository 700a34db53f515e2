/**
 * Which Parquet columns a table's layer has. Visible columns are named `a<attnum>` (Delta's column mapping gives them their
 * names) and carry the attnum as field id; hidden ones begin with `_pg_` and are what rebuilding pages needs besides.
 *
 *   a<attnum>            the value, as its Postgres type maps (types/registry.ts); optional
 *   _pg_payload_<attnum> payload of a value whose visible form does not give it back
 *   _pg_dropped_<attnum> payload of a dropped or virtual column
 *   _pg_blk, _pg_off     block number, line pointer number from 1
 *   _pg_lpd              tuple offset less the predicted one (packed downwards from pd_special in line pointer order)
 *   _pg_xmin, _pg_xmax, _pg_cid, _pg_im, _pg_im2     fields of the tuple header
 *   _pg_ctb, _pg_cto     t_ctid as block difference and offset; both 0: the tuple itself
 *   _pg_raw              values that need their page bytes (value-exceptions.ts); optional
 *   _pg_overflow         JSON object, column name to Postgres's text (null: not at hand), of values that are null in their
 *                        column only because its type cannot hold them; optional
 */
import { PhysicalType, Repetition, type SchemaNode, listNode, schemaLeaves } from '../parquet/schema.ts'
import type { TableAttribute, TableDefinition } from './table-definition.ts'
import { STRING_SHAPE, textualCodec } from './types/text.ts'
import type { ColumnShape, TypeCodec } from './types/type-codec.ts'
import { type CodecSettings, codecOf } from './types/registry.ts'

export interface AttributeLayout {
  readonly attribute: TableAttribute
  /** Undefined: the column is not visible (dropped, virtual). */
  readonly codec: TypeCodec | undefined
  /** Leaf of the visible column. */
  readonly valueLeaf: number | undefined
  /** Leaf of the payload kept beside; undefined where the visible column gives values back. */
  readonly payloadLeaf: number | undefined
}

export const HIDDEN_COLUMNS = [
  '_pg_blk',
  '_pg_off',
  '_pg_lpd',
  '_pg_xmin',
  '_pg_xmax',
  '_pg_cid',
  '_pg_ctb',
  '_pg_cto',
  '_pg_im',
  '_pg_im2',
] as const
export type HiddenColumn = (typeof HIDDEN_COLUMNS)[number]

export interface TableLayout {
  readonly schema: SchemaNode
  readonly attributes: readonly AttributeLayout[]
  readonly hiddenLeaf: Readonly<Record<HiddenColumn, number>>
  readonly rawLeaf: number
  readonly overflowLeaf: number
  /** What rebuilding pages reads: everything but visible columns that do not give their values back. */
  readonly rebuildLeaves: readonly number[]
}

export function columnName(attributeNumber: number): string {
  return `a${attributeNumber}`
}

/** `textColumns`: attribute numbers whose visible column is the text that Postgres prints, whatever their type. */
export function planTableLayout(
  table: TableDefinition,
  settings: CodecSettings,
  textColumns: ReadonlySet<number> = new Set(),
): TableLayout {
  const visible: SchemaNode[] = []
  const beside: SchemaNode[] = []
  const codecs = table.attributes.map((attribute) => {
    const native =
      attribute.type && !attribute.isVirtual ? codecOf(attribute.type, attribute.typmod, settings) : undefined
    const codec = native && textColumns.has(attribute.number) ? textualCodec(native.text) : native
    if (codec) visible.push(visibleNode(attribute, codec))
    const needsPayload = codec === undefined || codec.kind === 'list' || !codec.isInvertible
    if (needsPayload) beside.push(optionalBytes(payloadName(attribute, codec)))
    return codec
  })
  const hidden = HIDDEN_COLUMNS.map((name) => ({
    name,
    repetition: Repetition.required,
    physicalType: PhysicalType.int32,
  }))
  const schema: SchemaNode = {
    name: 'schema',
    repetition: Repetition.required,
    children: [
      ...visible,
      ...beside,
      ...hidden,
      optionalBytes('_pg_raw'),
      { ...shapeNode('_pg_overflow', STRING_SHAPE), repetition: Repetition.optional },
    ],
  }
  const leafOf = new Map(schemaLeaves(schema).map((leaf) => [leaf.path[0]!, leaf.index]))
  const attributes = table.attributes.map((attribute, i): AttributeLayout => {
    const codec = codecs[i]
    return {
      attribute,
      codec,
      valueLeaf: leafOf.get(columnName(attribute.number)),
      payloadLeaf: leafOf.get(payloadName(attribute, codec)),
    }
  })
  const skipped = new Set(attributes.flatMap((each) => (each.payloadLeaf === undefined ? [] : [each.valueLeaf])))
  skipped.add(leafOf.get('_pg_overflow'))
  return {
    schema,
    attributes,
    hiddenLeaf: Object.fromEntries(HIDDEN_COLUMNS.map((name) => [name, leafOf.get(name)!])) as Record<
      HiddenColumn,
      number
    >,
    rawLeaf: leafOf.get('_pg_raw')!,
    overflowLeaf: leafOf.get('_pg_overflow')!,
    rebuildLeaves: [...leafOf.values()].filter((leaf) => !skipped.has(leaf)),
  }
}

function payloadName(attribute: TableAttribute, codec: TypeCodec | undefined): string {
  return codec ? `_pg_payload_${attribute.number}` : `_pg_dropped_${attribute.number}`
}

function visibleNode(attribute: TableAttribute, codec: TypeCodec): SchemaNode {
  const name = columnName(attribute.number)
  if (codec.kind === 'scalar') return { ...shapeNode(name, codec.shape), fieldId: attribute.number }
  return listNode(name, attribute.number, shapeNode('element', codec.element.shape))
}

function shapeNode(name: string, shape: ColumnShape): SchemaNode {
  return {
    name,
    repetition: Repetition.optional,
    physicalType: shape.physicalType,
    ...(shape.typeLength === undefined ? {} : { typeLength: shape.typeLength }),
    ...(shape.logicalType ? { logicalType: shape.logicalType } : {}),
  }
}

function optionalBytes(name: string): SchemaNode {
  return { name, repetition: Repetition.optional, physicalType: PhysicalType.byteArray }
}
