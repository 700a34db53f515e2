/** One attribute of a table while a row group is being filled: its visible column and the payload beside. */
import { CorruptionError } from '../base/errors.ts'
import { valueWidth } from '../parquet/schema.ts'
import type { SchemaLeaf } from '../parquet/schema.ts'
import { BytesValues, type ColumnData, FixedValues, Levels, type Values } from '../parquet/values.ts'
import type { AttributeLayout } from './table-layout.ts'
import { Appended, type ListCodec } from './types/type-codec.ts'

/** Definition levels of a visible list: null, empty, null element, element. */
const ListLevel = { null: 0, empty: 1, nullElement: 2, element: 3 } as const

/** A column with its levels, and how to take the last rows back. */
export class GrowingColumn implements ColumnData {
  readonly values: Values
  readonly definitionLevels?: Levels
  readonly repetitionLevels?: Levels
  #valueMark = 0
  #slotMark = 0

  constructor(leaf: SchemaLeaf) {
    const width = valueWidth(leaf.node)
    this.values = width === undefined ? new BytesValues() : new FixedValues(width)
    if (leaf.definitionLevelMax > 0) this.definitionLevels = new Levels()
    if (leaf.repetitionLevelMax > 0) this.repetitionLevels = new Levels()
  }

  /** Values before the mark. */
  get valueMark(): number {
    return this.#valueMark
  }

  mark(): void {
    this.#valueMark = this.values.count
    this.#slotMark = this.definitionLevels?.count ?? 0
  }

  /** Drops what came after the mark. */
  rollback(): void {
    this.values.count = this.#valueMark
    if (this.definitionLevels) this.definitionLevels.count = this.#slotMark
    if (this.repetitionLevels) this.repetitionLevels.count = this.#slotMark
  }

  clear(): void {
    this.values.clear()
    this.definitionLevels?.clear()
    this.repetitionLevels?.clear()
  }
}

export class AttributeColumn {
  readonly layout: AttributeLayout
  readonly value: GrowingColumn | undefined
  readonly payload: GrowingColumn | undefined
  readonly #missing: Uint8Array | undefined

  constructor(layout: AttributeLayout, columns: readonly GrowingColumn[]) {
    this.layout = layout
    this.value = layout.valueLeaf === undefined ? undefined : columns[layout.valueLeaf]!
    this.payload = layout.payloadLeaf === undefined ? undefined : columns[layout.payloadLeaf]!
    const { missingHex } = layout.attribute
    this.#missing =
      missingHex === undefined
        ? undefined
        : Uint8Array.from(missingHex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
  }

  appendNull(): void {
    this.#appendNullValue()
    this.payload?.definitionLevels?.append(0)
  }

  /** The tuple is older than the attribute: its value is the missing one, and nothing of it is on the page. */
  appendMissing(): void {
    if (
      this.#missing === undefined ||
      this.#appendValue(this.#missing, 0, this.#missing.length) === Appended.overflow
    ) {
      this.#appendNullValue()
    }
    this.payload?.definitionLevels?.append(0)
  }

  /**
   * Appends a datum by its payload. With `keepPayload` false, the caller keeps the page's bytes as an exception itself.
   * What comes back says whether it must: `exact` means that the columns give the payload back.
   */
  appendDatum(bytes: Uint8Array, start: number, end: number, keepPayload: boolean): Appended {
    const appended = this.#appendValue(bytes, start, end)
    if (appended === Appended.overflow) this.#appendNullValue()
    if (!this.payload) return appended
    this.payload.definitionLevels!.append(keepPayload ? 1 : 0)
    if (keepPayload) (this.payload.values as BytesValues).append(bytes, start, end)
    return appended === Appended.overflow ? appended : Appended.exact
  }

  /** The value exists but cannot be shown; its page bytes are kept as an exception. */
  appendUnreadable(): void {
    this.appendNull()
  }

  #appendNullValue(): void {
    const { value } = this
    if (!value) return
    value.definitionLevels!.append(0)
    value.repetitionLevels?.append(0)
  }

  #appendValue(bytes: Uint8Array, start: number, end: number): Appended {
    const { value, layout } = this
    const { codec } = layout
    if (!value || !codec) return Appended.exact
    if (codec.kind === 'list') return this.#appendList(value, codec, bytes, start, end)
    const count = value.values.count
    try {
      const appended = codec.append(value.values, bytes, start, end)
      if (appended !== Appended.overflow) value.definitionLevels!.append(1)
      return appended
    } catch (error) {
      value.values.count = count
      return overflowOf(error)
    }
  }

  #appendList(value: GrowingColumn, codec: ListCodec, bytes: Uint8Array, start: number, end: number): Appended {
    const definitions = value.definitionLevels!
    const repetitions = value.repetitionLevels!
    const valueCount = value.values.count
    const slotCount = definitions.count
    let fits = true
    try {
      const isList = codec.elements(bytes, start, end, (item, from, to) => {
        repetitions.append(definitions.count === slotCount ? 0 : 1)
        if (item !== undefined && codec.element.append(value.values, item, from, to) === Appended.overflow) fits = false
        definitions.append(item === undefined ? ListLevel.nullElement : ListLevel.element)
      })
      fits &&= isList
      if (fits && definitions.count === slotCount) {
        repetitions.append(0)
        definitions.append(ListLevel.empty)
      }
      if (fits) return Appended.exact
    } catch (error) {
      overflowOf(error)
    }
    value.values.count = valueCount
    definitions.count = slotCount
    repetitions.count = slotCount
    return Appended.overflow
  }
}

/** Damaged bytes inside a value do not stop a layer: the value is kept as it is and shown as null. */
function overflowOf(error: unknown): Appended {
  if (error instanceof CorruptionError || error instanceof RangeError) return Appended.overflow
  throw error
}
