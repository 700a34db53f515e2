/**
 * Variable-length datums (struct varlena, src/include/varatt.h, PG 18; little-endian).
 *   short      u8  odd, not 1: length << 1 | 1      length includes the header; never aligned
 *   external   u8  1, u8 tag 18, 16 bytes           a TOAST pointer; never aligned
 *   long       u32 length << 2                      aligned
 *   compressed u32 length << 2 | 2, u32 info, data  aligned; info: raw size in 30 bits, method in 2 (0 pglz, 1 lz4)
 */
import { CorruptionError } from '../base/errors.ts'
import { decompressPglz } from '../postgres/pglz.ts'
import { alignUp, u32 } from './little-endian.ts'
import { decompressLz4 } from './lz4.ts'

export const EXTERNAL_POINTER_SIZE = 18
/** VARTAG_ONDISK. */
const EXTERNAL_TAG = 18
/** VARATT_SHORT_MAX less its header. */
export const SHORT_PAYLOAD_MAX = 126
/** Values of 1 GiB are the most that Postgres has (MaxAllocSize). */
const RAW_SIZE_MAX = 0x3fffffff

export type VarlenaForm = 'short' | 'long' | 'compressed' | 'external'

/** Where the varlena at or after `at` begins: alignment padding is zero and only long headers are aligned. */
export function varlenaStart(bytes: Uint8Array, at: number, base: number, alignment: number): number {
  return bytes[at] === 0 ? base + alignUp(at - base, alignment) : at
}

/** Whole size with header of the varlena that begins at `start`. Not checked against the bytes that are there. */
export function varlenaSize(bytes: Uint8Array, start: number): number {
  const first = bytes[start]!
  if (first === 1) return EXTERNAL_POINTER_SIZE
  return first & 1 ? first >> 1 : u32(bytes, start) >>> 2
}

export function varlenaForm(bytes: Uint8Array, start: number): VarlenaForm {
  const first = bytes[start]!
  if (first === 1) return 'external'
  if (first & 1) return 'short'
  return first & 2 ? 'compressed' : 'long'
}

/** Payload of a compressed datum, given with its header. */
export function decompressInline(datum: Uint8Array): Uint8Array {
  if (datum.length < 8) throw new CorruptionError('compressed value too short', { sizeBytes: datum.length })
  return decompressValue(datum.subarray(8), u32(datum, 4))
}

/** `info` as in the header of a compressed datum or the va_extinfo of a TOAST pointer. */
function decompressValue(data: Uint8Array, info: number): Uint8Array {
  const rawSize = info & RAW_SIZE_MAX
  const method = info >>> 30
  // Neither method can expand more than about 256 times, so a forged size is refused before it is allocated.
  if (rawSize > data.length * 512 + 1024) throw new CorruptionError('compressed value claims too much', { rawSize })
  if (method === 0) {
    const target = new Uint8Array(rawSize)
    decompressPglz(data, target)
    return target
  }
  if (method === 1) return decompressLz4(data, rawSize)
  throw new CorruptionError('unknown compression method of a value', { method })
}

/** varatt_external: where an out-of-line value lies. */
export interface ToastPointer {
  /** Size with a header, before compression. */
  readonly rawSizeBytes: number
  /** Bytes stored in the TOAST table. */
  readonly storedSizeBytes: number
  readonly isCompressed: boolean
  readonly info: number
  readonly valueId: number
  readonly toastRelationOid: number
}

export function decodeToastPointer(bytes: Uint8Array, start: number): ToastPointer {
  if (bytes[start + 1] !== EXTERNAL_TAG)
    throw new CorruptionError('unknown kind of external value', { tag: bytes[start + 1] ?? -1 })
  const rawSizeBytes = u32(bytes, start + 2)
  const info = u32(bytes, start + 6)
  const storedSizeBytes = info & RAW_SIZE_MAX
  return {
    rawSizeBytes,
    storedSizeBytes,
    isCompressed: storedSizeBytes < rawSizeBytes - 4,
    info,
    valueId: u32(bytes, start + 10),
    toastRelationOid: u32(bytes, start + 14),
  }
}

/** Payload of an out-of-line value from its chunks joined: compressed values carry their raw size in front. */
export function toastPayload(pointer: ToastPointer, stored: Uint8Array): Uint8Array {
  if (stored.length !== pointer.storedSizeBytes) {
    throw new CorruptionError('toast value of another size', { got: stored.length, expected: pointer.storedSizeBytes })
  }
  if (!pointer.isCompressed) return stored
  const payload = decompressValue(stored.subarray(4), u32(stored, 0))
  if (payload.length !== pointer.rawSizeBytes - 4) {
    throw new CorruptionError('toast value decompresses to another size', { got: payload.length })
  }
  return payload
}

/**
 * Payload [start, end) of a datum embedded in an array, range or composite, which begins (after alignment) at `at`.
 * `length` as attlen. Checked against `end`.
 */
export interface EmbeddedDatum {
  readonly bytes: Uint8Array
  readonly start: number
  readonly end: number
  /** Offset after the datum in the outer bytes. */
  readonly next: number
}

export function embeddedDatum(outer: Uint8Array, at: number, end: number, length: number): EmbeddedDatum {
  if (length > 0) {
    if (at + length > end) throw tooLong(at, length, end)
    return { bytes: outer, start: at, end: at + length, next: at + length }
  }
  if (length === -2) {
    const zero = outer.indexOf(0, at)
    if (zero < 0 || zero >= end) throw tooLong(at, length, end)
    return { bytes: outer, start: at, end: zero, next: zero + 1 }
  }
  if (at >= end) throw tooLong(at, length, end)
  const form = varlenaForm(outer, at)
  if (form !== 'short' && at + 4 > end) throw tooLong(at, length, end)
  const size = varlenaSize(outer, at)
  const header = form === 'short' ? 1 : 4
  if (size < header || at + size > end) throw tooLong(at, size, end)
  if (form === 'external') throw new CorruptionError('external value inside a value', { at })
  if (form === 'compressed') {
    const payload = decompressInline(outer.subarray(at, at + size))
    return { bytes: payload, start: 0, end: payload.length, next: at + size }
  }
  return { bytes: outer, start: at + header, end: at + size, next: at + size }
}

function tooLong(at: number, length: number, end: number): CorruptionError {
  return new CorruptionError('value longer than what holds it', { at, length, end })
}
