import { CorruptionError } from '../base/errors.ts'

/**
 * Little-endian fixed-width fields in a byte array, without a DataView per message. The unsigned 64-bit number form is
 * for LSNs and terms (at most 2^53 - 1); the bigint form is for values that use all 64 bits.
 */
const TWO_32 = 0x1_0000_0000

export function readU16(bytes: Uint8Array, offset: number): number {
  return bytes[offset]! | (bytes[offset + 1]! << 8)
}

export function writeU16(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value
  bytes[offset + 1] = value >>> 8
}

export function readU32(bytes: Uint8Array, offset: number): number {
  return (bytes[offset]! | (bytes[offset + 1]! << 8) | (bytes[offset + 2]! << 16) | (bytes[offset + 3]! << 24)) >>> 0
}

export function writeU32(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value
  bytes[offset + 1] = value >>> 8
  bytes[offset + 2] = value >>> 16
  bytes[offset + 3] = value >>> 24
}

/** Throws CorruptionError beyond 2^53 - 1: no LSN or term is that large. */
export function readU64(bytes: Uint8Array, offset: number): number {
  const high = readU32(bytes, offset + 4)
  if (high > 0x1f_ffff) throw new CorruptionError('64-bit field out of range', { offset })
  return high * TWO_32 + readU32(bytes, offset)
}

export function writeU64(bytes: Uint8Array, offset: number, value: number): void {
  writeU32(bytes, offset, value % TWO_32)
  writeU32(bytes, offset + 4, Math.floor(value / TWO_32))
}

export function readBigU64(bytes: Uint8Array, offset: number): bigint {
  return (BigInt(readU32(bytes, offset + 4)) << 32n) | BigInt(readU32(bytes, offset))
}

export function writeBigU64(bytes: Uint8Array, offset: number, value: bigint): void {
  writeU32(bytes, offset, Number(value & 0xffff_ffffn))
  writeU32(bytes, offset + 4, Number((value >> 32n) & 0xffff_ffffn))
}

/** 16 raw bytes as 32 lowercase hex digits. */
export function readHexId(bytes: Uint8Array, offset: number): string {
  let text = ''
  for (let i = 0; i < 16; i++) text += HEX[bytes[offset + i]!]!
  return text
}

export function writeHexId(bytes: Uint8Array, offset: number, id: string): void {
  for (let i = 0; i < 16; i++) bytes[offset + i] = Number.parseInt(id.slice(i * 2, i * 2 + 2), 16)
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))
