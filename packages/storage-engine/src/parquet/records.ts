/**
 * Nested records <-> leaf columns with levels (Dremel): for small files such as Delta checkpoints, where convenience
 * counts. A LIST group is an array, a MAP group a plain object, another group an object, null means absent.
 */
import { assert } from '../base/assert.ts'
import { CorruptionError } from '../base/errors.ts'
import { PhysicalType, Repetition, type SchemaLeaf, type SchemaNode, schemaLeaves, valueWidth } from './schema.ts'
import { BytesValues, type ColumnData, FixedValues, Levels } from './values.ts'

export type RecordValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | RecordValue[]
  | { [name: string]: RecordValue }

/** Turns records into columns in the order of the schema's leaves. A field that is missing or undefined is null. */
export function shredRecords(schema: SchemaNode, records: readonly RecordObject[]): ColumnData[] {
  const writers = schemaLeaves(schema).map((leaf) => new LeafWriter(leaf))
  for (const record of records) {
    let next = 0
    const write = (
      node: SchemaNode,
      value: RecordValue | undefined,
      repetition: number,
      definition: number,
      depth: number,
    ): void => {
      const present = value !== null && value !== undefined
      if (node.repetition === Repetition.repeated) {
        const items = present ? repeatedItems(value) : []
        if (items.length === 0) next = skip(node, repetition, definition)
        const start = next
        items.forEach((item, i) => {
          next = start
          writeBody(node, item, i === 0 ? repetition : depth + 1, definition + 1, depth + 1)
        })
        return
      }
      if (!present) {
        assert(node.repetition === Repetition.optional, () => `required field ${node.name} is null`)
        next = skip(node, repetition, definition)
        return
      }
      writeBody(node, value, repetition, definition + (node.repetition === Repetition.optional ? 1 : 0), depth)
    }
    const writeBody = (
      node: SchemaNode,
      value: RecordValue,
      repetition: number,
      definition: number,
      depth: number,
    ): void => {
      if (node.children === undefined) {
        writers[next++]!.append(value, repetition, definition)
        return
      }
      const kind = node.logicalType?.kind
      if (kind === 'list' || kind === 'map') {
        const items =
          kind === 'list' ? (value as RecordValue[]).map((item) => wrapElement(node, item)) : mapEntries(value)
        write(node.children[0]!, items, repetition, definition, depth)
        return
      }
      const fields = value as RecordObject
      for (const child of node.children) write(child, fields[child.name], repetition, definition, depth)
    }
    const skip = (node: SchemaNode, repetition: number, definition: number): number => {
      if (node.children === undefined) writers[next++]!.appendAbsent(repetition, definition)
      else for (const child of node.children) skip(child, repetition, definition)
      return next
    }
    for (const child of schema.children ?? []) write(child, record[child.name], 0, 0, 0)
  }
  return writers
}

export type RecordObject = { [name: string]: RecordValue }

/** The inverse of `shredRecords`, for columns of any writer. Throws CorruptionError when levels do not fit together. */
export function assembleRecords(schema: SchemaNode, columns: readonly ColumnData[], rowCount: number): RecordObject[] {
  const readers = schemaLeaves(schema).map((leaf, i) => new LeafReader(leaf, columns[i]!))
  const firstLeaf = new Map<SchemaNode, LeafReader>()
  const leavesOf = new Map<SchemaNode, LeafReader[]>()
  let nextLeaf = 0
  const index = (node: SchemaNode): LeafReader[] => {
    const under = node.children === undefined ? [readers[nextLeaf++]!] : node.children.flatMap(index)
    if (under[0]) firstLeaf.set(node, under[0])
    leavesOf.set(node, under)
    return under
  }
  index(schema)

  const read = (node: SchemaNode, definition: number, repetition: number): RecordValue => {
    const first = firstLeaf.get(node)
    if (!first) return node.repetition === Repetition.optional ? null : {}
    if (node.repetition === Repetition.required) return readBody(node, definition, repetition)
    const inner = definition + 1
    if (first.definition() < inner) {
      for (const leaf of leavesOf.get(node)!) leaf.skip()
      return node.repetition === Repetition.repeated ? [] : null
    }
    if (node.repetition === Repetition.optional) return readBody(node, inner, repetition)
    const items: RecordValue[] = [readBody(node, inner, repetition + 1)]
    while (first.continues(repetition + 1)) items.push(readBody(node, inner, repetition + 1))
    return items
  }
  const readBody = (node: SchemaNode, definition: number, repetition: number): RecordValue => {
    if (node.children === undefined) return firstLeaf.get(node)!.take()
    const fields: RecordObject = {}
    for (const child of node.children) fields[child.name] = read(child, definition, repetition)
    const only = node.children.length === 1 ? fields[node.children[0]!.name] : undefined
    if (node.logicalType?.kind === 'list' && Array.isArray(only)) return only.map((item) => unwrapElement(node, item))
    if (node.logicalType?.kind === 'map' && Array.isArray(only)) return mapObject(only)
    return fields
  }
  const rows: RecordObject[] = []
  for (let row = 0; row < rowCount; row++) {
    const fields: RecordObject = {}
    for (const child of schema.children ?? []) fields[child.name] = read(child, 0, 0)
    rows.push(fields)
  }
  return rows
}

function repeatedItems(value: RecordValue): RecordValue[] {
  assert(Array.isArray(value), 'a repeated field takes an array')
  return value
}

/** Elements of a three-level list sit in a field of the repeated group, those of a two-level list are the group. */
function wrapElement(list: SchemaNode, item: RecordValue): RecordValue {
  const element = list.children?.[0]?.children?.[0]
  return element === undefined ? item : { [element.name]: item }
}

function unwrapElement(list: SchemaNode, item: RecordValue): RecordValue {
  const repeated = list.children?.[0]
  const element = repeated?.children?.length === 1 ? repeated.children[0] : undefined
  if (
    element === undefined ||
    item === null ||
    typeof item !== 'object' ||
    Array.isArray(item) ||
    item instanceof Uint8Array
  )
    return item
  return item[element.name] ?? null
}

function mapEntries(value: RecordValue): RecordValue[] {
  return Object.entries(value as RecordObject).map(([key, item]) => ({ key, value: item }))
}

function mapObject(entries: readonly RecordValue[]): RecordObject {
  const object: RecordObject = {}
  for (const entry of entries) {
    const [key, value] = Object.values(entry as RecordObject)
    Object.defineProperty(object, String(key), {
      value: value ?? null,
      enumerable: true,
      configurable: true,
      writable: true,
    })
  }
  return object
}

class LeafWriter implements ColumnData {
  readonly leaf: SchemaLeaf
  readonly values: FixedValues | BytesValues
  readonly definitionLevels?: Levels
  readonly repetitionLevels?: Levels

  constructor(leaf: SchemaLeaf) {
    this.leaf = leaf
    const width = valueWidth(leaf.node)
    this.values = width === undefined ? new BytesValues() : new FixedValues(width)
    if (leaf.definitionLevelMax > 0) this.definitionLevels = new Levels()
    if (leaf.repetitionLevelMax > 0) this.repetitionLevels = new Levels()
  }

  appendAbsent(repetition: number, definition: number): void {
    this.definitionLevels?.append(definition)
    this.repetitionLevels?.append(repetition)
  }

  append(value: RecordValue, repetition: number, definition: number): void {
    this.appendAbsent(repetition, definition)
    const { values } = this
    if (values instanceof BytesValues) {
      if (typeof value === 'string') values.appendText(value)
      else if (value instanceof Uint8Array) values.append(value)
      else assert(false, () => `column ${this.leaf.path.join('.')} takes text or bytes`)
      return
    }
    const at = values.grow()
    const view = new DataView(values.bytes.buffer, values.bytes.byteOffset + at, values.width)
    switch (this.leaf.physicalType) {
      case PhysicalType.boolean:
        view.setUint8(0, value ? 1 : 0)
        return
      case PhysicalType.int32:
        view.setInt32(0, Number(value), true)
        return
      case PhysicalType.int64:
        view.setBigInt64(0, BigInt(value as number | bigint), true)
        return
      case PhysicalType.double:
        view.setFloat64(0, Number(value), true)
        return
      default:
        assert(value instanceof Uint8Array && value.length === values.width, 'fixed bytes of the column width')
        values.bytes.set(value, at)
    }
  }
}

class LeafReader {
  readonly #leaf: SchemaLeaf
  readonly #data: ColumnData
  readonly #slotCount: number
  #slot = 0
  #value = 0

  constructor(leaf: SchemaLeaf, data: ColumnData) {
    this.#leaf = leaf
    this.#data = data
    this.#slotCount = data.definitionLevels?.count ?? data.values.count
  }

  definition(): number {
    this.#check()
    return this.#data.definitionLevels?.levels[this.#slot] ?? 0
  }

  /** True when the next slot belongs to the repeated group at this level. */
  continues(repetition: number): boolean {
    return this.#slot < this.#slotCount && this.#data.repetitionLevels?.levels[this.#slot] === repetition
  }

  skip(): void {
    this.#check()
    if (this.definition() === this.#leaf.definitionLevelMax) this.#value++
    this.#slot++
  }

  take(): RecordValue {
    const definition = this.definition()
    this.#slot++
    if (definition < this.#leaf.definitionLevelMax) return null
    return recordValue(this.#leaf, this.#data, this.#value++)
  }

  #check(): void {
    if (this.#slot >= this.#slotCount) {
      throw new CorruptionError('parquet column has fewer rows than its file', { column: this.#leaf.path.join('.') })
    }
  }
}

/** One value as JavaScript sees it: text where annotated so, int64 as a number where it is exact, else bigint. */
function recordValue(leaf: SchemaLeaf, data: ColumnData, index: number): RecordValue {
  const { values } = data
  const kind = leaf.node.logicalType?.kind
  if (values instanceof BytesValues) {
    return kind === 'string' || kind === 'json' || kind === 'enum' ? values.text(index) : values.at(index).slice()
  }
  switch (leaf.physicalType) {
    case PhysicalType.boolean:
      return values.bytes[index] !== 0
    case PhysicalType.int32:
      return values.int32(index)
    case PhysicalType.int64: {
      const value = values.bigint(index)
      return Number.isSafeInteger(Number(value)) ? Number(value) : value
    }
    case PhysicalType.float:
      return values.float32(index)
    case PhysicalType.double:
      return values.float64(index)
    default:
      return values.at(index).slice()
  }
}
