import { expect, test } from 'vitest'
import type { ColumnChunk } from '../parquet/metadata.ts'
import { type LogicalType, PhysicalType, Repetition, type SchemaLeaf } from '../parquet/schema.ts'
import { visibleColumnBounds } from './column-bounds.ts'

type Part = { readonly nulls?: number; readonly min?: Uint8Array; readonly max?: Uint8Array }

/** Bounds of one column whose row groups, of 10 rows each, have these statistics. */
function boundsOf(physicalType: PhysicalType, logicalType: LogicalType | undefined, ...parts: readonly Part[]) {
  const node = { name: 'a1', repetition: Repetition.optional, physicalType, ...(logicalType ? { logicalType } : {}) }
  const leaf: SchemaLeaf = { index: 0, path: ['a1'], node, physicalType, definitionLevelMax: 1, repetitionLevelMax: 0 }
  const rowGroups = parts.map(({ nulls, min, max }) => {
    const statistics = {
      ...(nulls === undefined ? {} : { nullCount: nulls }),
      ...(min && max ? { min, max } : {}),
    }
    return { columns: [{ valueCount: 10, statistics } as unknown as ColumnChunk], totalSizeBytes: 0, rowCount: 10 }
  })
  return visibleColumnBounds({ rowGroups }, [leaf], 32).a1
}

function bytesOf(write: (view: DataView) => void, length = 8): Uint8Array {
  const bytes = new Uint8Array(length)
  write(new DataView(bytes.buffer))
  return bytes
}
const i32 = (value: number) => bytesOf((view) => view.setInt32(0, value, true), 4)
const i64 = (value: bigint) => bytesOf((view) => view.setBigInt64(0, value, true))
const f32 = (value: number) => bytesOf((view) => view.setFloat32(0, value, true), 4)
const f64 = (value: number) => bytesOf((view) => view.setFloat64(0, value, true))
const i128 = (value: bigint) =>
  bytesOf((view) => {
    view.setBigInt64(0, value >> 64n)
    view.setBigUint64(8, value & 0xffff_ffff_ffff_ffffn)
  }, 16)
const text = (value: string) => new TextEncoder().encode(value)
const string = { kind: 'string' } as const

test('bounds are the widest over all row groups; parts without values have no say, parts without bounds leave none', () => {
  const { int32 } = PhysicalType
  expect(
    boundsOf(int32, undefined, { nulls: 3, min: i32(-5), max: i32(7) }, { nulls: 0, min: i32(-9), max: i32(2) }),
  ).toEqual({ nullCount: 3, min: -9, max: 7 })
  expect(boundsOf(int32, undefined, { nulls: 10 }, { nulls: 1, min: i32(1), max: i32(2) })).toEqual({
    nullCount: 11,
    min: 1,
    max: 2,
  })
  expect(boundsOf(int32, undefined, { nulls: 9 }, { nulls: 1, min: i32(1), max: i32(2) })).toEqual({ nullCount: 10 })
  expect(boundsOf(int32, undefined, { nulls: 10 })).toEqual({ nullCount: 10 })
  expect(boundsOf(int32, undefined, { min: i32(1), max: i32(2) })).toBeUndefined()
})

test('what JSON or another reader would make another value of is left out, or rounded outwards', () => {
  const one = (type: PhysicalType, logical: LogicalType | undefined, min: Uint8Array, max: Uint8Array) => {
    const found = boundsOf(type, logical, { nulls: 0, min, max })!
    return [found.min, found.max]
  }
  const { int32, int64, float, double, byteArray, fixedLenByteArray } = PhysicalType
  expect(one(int64, undefined, i64(-(2n ** 53n)), i64(2n ** 53n - 1n))).toEqual([undefined, 2 ** 53 - 1])
  expect(one(double, undefined, f64(-0), f64(0))).toEqual([-1e-300, 0])
  expect(one(double, undefined, f64(Number.NEGATIVE_INFINITY), f64(1.5))).toEqual([undefined, 1.5])
  expect(one(float, undefined, f32(0), f32(0.1))).toEqual([-1e-37, Math.fround(0.1)])
  const decimal = (scale: number) => ({ kind: 'decimal', precision: 18, scale }) as const
  expect(one(int64, decimal(2), i64(-1230n), i64(10n ** 15n))).toEqual([-12.3, undefined])
  expect(one(fixedLenByteArray, { ...decimal(3), precision: 38 }, i128(-(10n ** 30n)), i128(123_456n))).toEqual([
    undefined,
    123.456,
  ])
  expect(one(int64, decimal(8), i64(1n), i64(100n))).toEqual([undefined, 0.000001])
  expect(one(int32, { kind: 'date' }, i32(-200_000), i32(19_723))).toEqual([undefined, '2024-01-01'])
  const at = (adjustedToUtc: boolean) => ({ kind: 'timestamp', adjustedToUtc, unit: 'micros' }) as const
  expect(one(int64, at(true), i64(-1n), i64(1n))).toEqual(['1969-12-31T23:59:59.999Z', '1970-01-01T00:00:00.001Z'])
  expect(one(int64, at(false), i64(1_999n), i64(2_000n))).toEqual([
    '1970-01-01T00:00:00.001',
    '1970-01-01T00:00:00.002',
  ])
  expect(one(int64, at(true), i64(-(2n ** 62n)), i64(2n ** 62n))).toEqual([undefined, undefined])
  expect(one(byteArray, string, text('€"\n'), text('\u{feff}a'))).toEqual(['€"\n', '\u{feff}a'])
  expect(one(byteArray, string, text('b'), Uint8Array.of(0xff))).toEqual(['b', undefined])
  expect(one(byteArray, undefined, text('a'), text('b'))).toEqual([undefined, undefined])
  expect(one(PhysicalType.boolean, undefined, Uint8Array.of(0), Uint8Array.of(1))).toEqual([undefined, undefined])
})
