/**
 * The schema in the footer of a Parquet file (SchemaElement, ConvertedType and LogicalType of apache/parquet-format
 * src/main/thrift/parquet.thrift): a tree, written as a list with the parents first.
 */
import { CorruptionError } from '../base/errors.ts'
import { type LogicalType, PhysicalType, Repetition, type SchemaNode, type TimeUnit } from './schema.ts'
import type { ThriftStruct, ThriftWriter } from './thrift.ts'
import { integerField, structField, textField } from './thrift-fields.ts'

/** Schema elements in one file; beyond it the footer is not believed. */
const SCHEMA_ELEMENTS_MAX = 100_000

/** Throws CorruptionError unless the elements are one whole tree. */
export function decodeSchema(elements: readonly ThriftStruct[]): SchemaNode {
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

/** Field 2 of the footer. */
export function encodeSchema(out: ThriftWriter, schema: SchemaNode): { leafCount: number } {
  const elements = flattenSchema(schema)
  out.structs(2, elements, (element) => encodeSchemaElement(out, element, element === elements[0]))
  return { leafCount: elements.filter((element) => element.children === undefined).length }
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
