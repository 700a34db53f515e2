/**
 * The schema of a Parquet file: a tree of nodes, stored flat and depth first (apache/parquet-format parquet.thrift,
 * SchemaElement). Leaves carry the levels that nested encoding needs.
 */
import { CorruptionError } from '../base/errors.ts'

export const PhysicalType = {
  boolean: 0,
  int32: 1,
  int64: 2,
  int96: 3,
  float: 4,
  double: 5,
  byteArray: 6,
  fixedLenByteArray: 7,
} as const
export type PhysicalType = (typeof PhysicalType)[keyof typeof PhysicalType]

export const Repetition = { required: 0, optional: 1, repeated: 2 } as const
export type Repetition = (typeof Repetition)[keyof typeof Repetition]

export type TimeUnit = 'millis' | 'micros' | 'nanos'

export type LogicalType =
  | { readonly kind: 'string' | 'map' | 'list' | 'enum' | 'date' | 'json' | 'bson' | 'uuid' | 'unknown' | 'float16' }
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number }
  | { readonly kind: 'time' | 'timestamp'; readonly adjustedToUtc: boolean; readonly unit: TimeUnit }
  | { readonly kind: 'integer'; readonly bitWidth: number; readonly signed: boolean }

export interface SchemaNode {
  readonly name: string
  readonly repetition: Repetition
  readonly fieldId?: number
  /** Of a leaf; a group has children instead. */
  readonly physicalType?: PhysicalType
  /** Bytes of a fixedLenByteArray. */
  readonly typeLength?: number
  readonly logicalType?: LogicalType
  /** ConvertedType, the older annotation; kept when reading, derived when writing. */
  readonly convertedType?: number
  readonly children?: readonly SchemaNode[]
}

export interface SchemaLeaf {
  readonly index: number
  readonly path: readonly string[]
  readonly node: SchemaNode
  readonly physicalType: PhysicalType
  readonly definitionLevelMax: number
  readonly repetitionLevelMax: number
}

/** Levels are held in bytes, and one bit is kept free for arithmetic. */
const LEVEL_MAX = 100

/** The leaves in file order. */
export function schemaLeaves(root: SchemaNode): SchemaLeaf[] {
  const leaves: SchemaLeaf[] = []
  const visit = (node: SchemaNode, path: readonly string[], definition: number, repetition: number): void => {
    if (definition > LEVEL_MAX) throw new CorruptionError('parquet schema nested too deep', { depth: definition })
    if (node.children === undefined) {
      if (node.physicalType === undefined)
        throw new CorruptionError('parquet column without a type', { name: node.name })
      leaves.push({
        index: leaves.length,
        path,
        node,
        physicalType: node.physicalType,
        definitionLevelMax: definition,
        repetitionLevelMax: repetition,
      })
      return
    }
    for (const child of node.children) {
      visit(
        child,
        [...path, child.name],
        definition + (child.repetition === Repetition.required ? 0 : 1),
        repetition + (child.repetition === Repetition.repeated ? 1 : 0),
      )
    }
  }
  visit(root, [], 0, 0)
  return leaves
}

/** Bytes of one value, or undefined for byteArray (its values have lengths of their own). */
export function valueWidth(leaf: SchemaNode): number | undefined {
  switch (leaf.physicalType) {
    case PhysicalType.boolean:
      return 1
    case PhysicalType.int32:
    case PhysicalType.float:
      return 4
    case PhysicalType.int64:
    case PhysicalType.double:
      return 8
    case PhysicalType.int96:
      return 12
    case PhysicalType.fixedLenByteArray:
      return leaf.typeLength ?? 0
    default:
      return undefined
  }
}

/** The standard three-level list: optional group (LIST) > repeated group list > element. */
export function listNode(name: string, fieldId: number | undefined, element: SchemaNode): SchemaNode {
  return {
    name,
    repetition: Repetition.optional,
    ...(fieldId === undefined ? {} : { fieldId }),
    logicalType: { kind: 'list' },
    children: [{ name: 'list', repetition: Repetition.repeated, children: [element] }],
  }
}

/** The standard map with text keys: optional group (MAP) > repeated group key_value > required key, value. */
export function textMapNode(name: string): SchemaNode {
  const text = { physicalType: PhysicalType.byteArray, logicalType: { kind: 'string' } } as const
  return {
    name,
    repetition: Repetition.optional,
    logicalType: { kind: 'map' },
    children: [
      {
        name: 'key_value',
        repetition: Repetition.repeated,
        children: [
          { name: 'key', repetition: Repetition.required, ...text },
          { name: 'value', repetition: Repetition.optional, ...text },
        ],
      },
    ],
  }
}
