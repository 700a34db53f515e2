/**
 * How one Postgres type becomes a Parquet column and back. A datum is given by its payload: the bytes of a fixed-length
 * value, or those of a varlena after its header.
 */
import type { LogicalType, PhysicalType } from '../../parquet/schema.ts'
import type { Values } from '../../parquet/values.ts'

export interface ColumnShape {
  readonly physicalType: PhysicalType
  readonly typeLength?: number
  readonly logicalType?: LogicalType
  /** Type name in the schema of a Delta table. */
  readonly deltaType: string
}

/** What became of a datum: the column value gives it back / has its meaning but not its bytes / cannot hold it. */
export const Appended = { exact: 0, inexact: 1, overflow: 2 } as const
export type Appended = (typeof Appended)[keyof typeof Appended]

export interface ScalarCodec {
  readonly kind: 'scalar'
  readonly shape: ColumnShape
  /**
   * False when column values never give the datum back: its payload is then kept in a hidden column beside it.
   */
  readonly isInvertible: boolean
  /** Appends bytes[start, end) to the column, unless it overflows: then nothing. */
  append(values: Values, bytes: Uint8Array, start: number, end: number): Appended
  /** Writes the payload of an exact value at `out[at]`, which has room for it, and returns the end. */
  write(values: Values, index: number, out: Uint8Array, at: number): number
  /** The type's output function, with TimeZone UTC, DateStyle ISO, IntervalStyle postgres, bytea_output hex. */
  text(bytes: Uint8Array, start: number, end: number): string
}

/** Values of one dimension that begin at 1 become a list; others overflow. The payload is always kept beside. */
export interface ListCodec {
  readonly kind: 'list'
  readonly element: ScalarCodec
  /** Calls back for each element in order, a null one with `bytes` undefined. False, and no calls: the value is no plain list. */
  elements(
    bytes: Uint8Array,
    start: number,
    end: number,
    onElement: (bytes: Uint8Array | undefined, start: number, end: number) => void,
  ): boolean
  text(bytes: Uint8Array, start: number, end: number): string
}

export type TypeCodec = ScalarCodec | ListCodec

export function neverWritten(): never {
  throw new Error('a value that is not invertible has no column form to write from')
}
