/**
 * Content of `_pg_raw` for one row: entries of
 *   u16 attnum, u8 kind
 *   kind 0 "bytes": u32 length, the datum's bytes as on the page (a varlena with its header)
 *   kind 1 "form":  the value is in its column, but its varlena header has the other form than the usual one
 */
import { CorruptionError } from '../base/errors.ts'
import type { BytesValues } from '../parquet/values.ts'
import { i32, u16, writeI32, writeU16 } from './little-endian.ts'

export const ExceptionKind = { bytes: 0, form: 1 } as const

/** Collects the entries of one row at a time. */
export class ExceptionBuilder {
  #bytes = new Uint8Array(1024)
  #length = 0

  get isEmpty(): boolean {
    return this.#length === 0
  }

  addBytes(attributeNumber: number, page: Uint8Array, start: number, end: number): void {
    const at = this.#header(attributeNumber, ExceptionKind.bytes, 4 + end - start)
    writeI32(this.#bytes, at, end - start)
    this.#bytes.set(page.subarray(start, end), at + 4)
  }

  addForm(attributeNumber: number): void {
    this.#header(attributeNumber, ExceptionKind.form, 0)
  }

  /** Appends the row's entries to the column and forgets them. */
  flush(values: BytesValues): void {
    values.append(this.#bytes, 0, this.#length)
    this.#length = 0
  }

  clear(): void {
    this.#length = 0
  }

  #header(attributeNumber: number, kind: number, rest: number): number {
    const at = this.#length
    this.#length = at + 3 + rest
    if (this.#length > this.#bytes.length) {
      const grown = new Uint8Array(this.#length * 2)
      grown.set(this.#bytes.subarray(0, at))
      this.#bytes = grown
    }
    writeU16(this.#bytes, at, attributeNumber)
    this.#bytes[at + 2] = kind
    return at + 3
  }
}

export interface ValueException {
  readonly kind: number
  /** Of kind "bytes"; borrowed. */
  readonly bytes: Uint8Array
}

/** Entries by attnum; borrows from `data`. */
export function decodeExceptions(data: Uint8Array, start: number, end: number): Map<number, ValueException> {
  const entries = new Map<number, ValueException>()
  let at = start
  while (at < end) {
    if (at + 3 > end) throw new CorruptionError('value exceptions end too early', { at, end })
    const attributeNumber = u16(data, at)
    const kind = data[at + 2]!
    at += 3
    if (kind === ExceptionKind.form) {
      entries.set(attributeNumber, { kind, bytes: data.subarray(at, at) })
      continue
    }
    const length = at + 4 <= end ? i32(data, at) : -1
    if (kind !== ExceptionKind.bytes || length < 0 || at + 4 + length > end) {
      throw new CorruptionError('value exception', { kind, length })
    }
    entries.set(attributeNumber, { kind, bytes: data.subarray(at + 4, at + 4 + length) })
    at += 4 + length
  }
  return entries
}
