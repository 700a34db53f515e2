import { assert } from '../base/assert.ts'
import { StorageError } from '../base/errors.ts'

declare const lsnTag: unique symbol

/**
 * Byte position in the WAL stream of one project (XLogRecPtr, src/include/access/xlogdefs.h, PG 18).
 *
 * Held as a number, not a bigint: a double counts bytes exactly up to 8 PiB of WAL, and the hot paths (decode, ingest,
 * layer indexes) stay free of allocation. `Lsn.of` and `Lsn.read` refuse anything beyond that.
 * See docs/decisions/0002-lsn-is-a-number.md.
 */
export type Lsn = number & { readonly [lsnTag]: true }

const TWO_32 = 0x1_0000_0000

export const Lsn = {
  zero: 0 as Lsn,
  /** The largest LSN held exactly; used as "no bound". */
  max: Number.MAX_SAFE_INTEGER as Lsn,

  of(value: number): Lsn {
    assert(Number.isSafeInteger(value) && value >= 0, () => `lsn out of range: ${value}`)
    return value as Lsn
  },

  /** Parses '0/16B3748', as Postgres prints it. Throws `invalid-input` naming the text. */
  parse(text: string): Lsn {
    const match = /^([0-9A-Fa-f]{1,8})\/([0-9A-Fa-f]{1,8})$/.exec(text)
    const value = match ? Number.parseInt(match[1]!, 16) * TWO_32 + Number.parseInt(match[2]!, 16) : Number.NaN
    if (!Number.isSafeInteger(value)) throw new StorageError('invalid-input', 'not an lsn', { text })
    return value as Lsn
  },

  format(lsn: Lsn): string {
    const high = Math.floor(lsn / TWO_32)
    return `${high.toString(16).toUpperCase()}/${(lsn % TWO_32).toString(16).toUpperCase()}`
  },

  add(lsn: Lsn, byteCount: number): Lsn {
    return Lsn.of(lsn + byteCount)
  },

  min(a: Lsn, b: Lsn): Lsn {
    return a < b ? a : b
  },

  max2(a: Lsn, b: Lsn): Lsn {
    return a > b ? a : b
  },

  /** Rounds up to the 8-byte alignment of WAL records (MAXALIGN). */
  align8(lsn: Lsn): Lsn {
    const rest = lsn % 8
    return (rest === 0 ? lsn : lsn + 8 - rest) as Lsn
  },

  /** Reads a little-endian u64. */
  read(view: DataView, offset: number): Lsn {
    return Lsn.of(view.getUint32(offset + 4, true) * TWO_32 + view.getUint32(offset, true))
  },

  /** Writes a little-endian u64. */
  write(view: DataView, offset: number, lsn: Lsn): void {
    view.setUint32(offset, lsn % TWO_32, true)
    view.setUint32(offset + 4, Math.floor(lsn / TWO_32), true)
  },

  /** Reads a big-endian u64, the byte order of the replication protocol. */
  readBigEndian(view: DataView, offset: number): Lsn {
    return Lsn.of(view.getUint32(offset, false) * TWO_32 + view.getUint32(offset + 4, false))
  },

  writeBigEndian(view: DataView, offset: number, lsn: Lsn): void {
    view.setUint32(offset, Math.floor(lsn / TWO_32), false)
    view.setUint32(offset + 4, lsn % TWO_32, false)
  },
} as const
