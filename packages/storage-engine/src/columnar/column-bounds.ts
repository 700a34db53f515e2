/** What a file's own statistics say of its visible columns, in the JSON forms that the statistics of a Delta log have. */
import { mergeBounds } from '../parquet/bounds.ts'
import type { ColumnChunk, FileMetadata } from '../parquet/metadata.ts'
import { PhysicalType, type SchemaLeaf, type SchemaNode } from '../parquet/schema.ts'

export interface ColumnBounds {
  /** Rows whose value is null. */
  readonly nullCount: number
  /** No value is less, or greater. Undefined: not known, or not to be written so that every reader takes it for the same. */
  readonly min?: string | number
  readonly max?: string | number
}

/** Years that every reader's calendar agrees on, and that have four digits. */
const DATE_MIN_MS = Date.UTC(1583, 0, 1)
const DATE_MAX_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999)
const DAY_MS = 86_400_000
/** Decimals of more digits do not come through a double, which some readers make of every JSON number. */
const DECIMAL_UNSCALED_MAX = 10n ** 15n
const DECIMAL_SCALE_MAX = 22
/** Smaller ones are printed with an exponent. */
const DECIMAL_MIN = 1e-6

/** By physical name; the first `columnsMax` columns of scalars. Lists are left out: nulls in them count otherwise. */
export function visibleColumnBounds(
  { rowGroups }: Pick<FileMetadata, 'rowGroups'>,
  leaves: readonly SchemaLeaf[],
  columnsMax: number,
): Record<string, ColumnBounds> {
  const bounds: Record<string, ColumnBounds> = {}
  const visible = leaves.filter(({ path, repetitionLevelMax }) => {
    return path.length === 1 && repetitionLevelMax === 0 && /^a\d+$/.test(path[0]!)
  })
  for (const leaf of visible.slice(0, columnsMax)) {
    const ofColumn = mergedBounds(
      leaf,
      rowGroups.map(({ columns }) => columns[leaf.index]!),
    )
    if (ofColumn) bounds[leaf.path[0]!] = ofColumn
  }
  return bounds
}

function mergedBounds({ node }: SchemaLeaf, chunks: readonly ColumnChunk[]): ColumnBounds | undefined {
  let nullCount = 0
  for (const { statistics } of chunks) {
    if (statistics?.nullCount === undefined) return undefined
    nullCount += statistics.nullCount
  }
  // Where one part has values and no bounds (a NaN, a long text), the whole has none.
  const filled = chunks.filter(({ statistics, valueCount }) => statistics!.nullCount! < valueCount)
  const parts = filled.flatMap(({ statistics }) => {
    const { min, max } = statistics!
    return min && max ? [{ min, max }] : []
  })
  const merged = parts.length === filled.length ? mergeBounds(node, parts) : undefined
  if (!merged) return { nullCount }
  const min = jsonBound(node, merged.min, 'min')
  const max = jsonBound(node, merged.max, 'max')
  return { nullCount, ...(min === undefined ? {} : { min }), ...(max === undefined ? {} : { max }) }
}

/** A value in PLAIN encoding as JSON, rounded outwards where its JSON form is coarser. */
function jsonBound(node: SchemaNode, bytes: Uint8Array, side: 'min' | 'max'): string | number | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const { logicalType } = node
  switch (node.physicalType) {
    case PhysicalType.int32:
      return logicalType?.kind === 'date'
        ? isoTime(view.getInt32(0, true) * DAY_MS)?.slice(0, 10)
        : view.getInt32(0, true)
    case PhysicalType.int64: {
      const value = view.getBigInt64(0, true)
      if (logicalType?.kind === 'decimal') return decimalBound(value, logicalType.scale)
      if (logicalType?.kind === 'timestamp') return timestampBound(value, side, logicalType.adjustedToUtc)
      return Number.isSafeInteger(Number(value)) ? Number(value) : undefined
    }
    case PhysicalType.float:
      return floatBound(view.getFloat32(0, true), side, 1e-37)
    case PhysicalType.double:
      return floatBound(view.getFloat64(0, true), side, 1e-300)
    case PhysicalType.fixedLenByteArray:
      return logicalType?.kind === 'decimal' ? decimalBound(signedBigEndian(view), logicalType.scale) : undefined
    case PhysicalType.byteArray:
      return logicalType?.kind === 'string' ? textBound(bytes) : undefined
    default:
      return undefined
  }
}

/** JSON has no infinity, and JavaScript none of its minus zero, which some readers order before zero. */
function floatBound(value: number, side: 'min' | 'max', tiny: number): number | undefined {
  if (!Number.isFinite(value)) return undefined
  return value === 0 && side === 'min' ? -tiny : value
}

function decimalBound(unscaled: bigint, scale: number): number | undefined {
  const magnitude = unscaled < 0n ? -unscaled : unscaled
  if (magnitude >= DECIMAL_UNSCALED_MAX || scale > DECIMAL_SCALE_MAX) return undefined
  const value = Number(unscaled) / 10 ** scale
  return value !== 0 && Math.abs(value) < DECIMAL_MIN ? undefined : value
}

/** The JSON form has milliseconds. */
function timestampBound(micros: bigint, side: 'min' | 'max', adjustedToUtc: boolean): string | undefined {
  let ms = micros / 1000n
  const rest = micros % 1000n
  if (side === 'min' && rest < 0n) ms--
  if (side === 'max' && rest > 0n) ms++
  const text = isoTime(Number(ms))
  return adjustedToUtc ? text : text?.slice(0, -1)
}

function isoTime(ms: number): string | undefined {
  return ms >= DATE_MIN_MS && ms <= DATE_MAX_MS ? new Date(ms).toISOString() : undefined
}

function signedBigEndian(view: DataView): bigint {
  let value = BigInt(view.getInt8(0))
  for (let i = 1; i < view.byteLength; i++) value = (value << 8n) | BigInt(view.getUint8(i))
  return value
}

function textBound(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}
