/** Unaligned little-endian access to page bytes without a DataView per tuple. Callers have checked the bounds. */

export function u16(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8)
}

export function i32(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
}

export function u32(bytes: Uint8Array, at: number): number {
  return i32(bytes, at) >>> 0
}

export function i64(bytes: Uint8Array, at: number): bigint {
  return (BigInt(i32(bytes, at + 4)) << 32n) | BigInt(u32(bytes, at))
}

export function f64(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset + at, 8).getFloat64(0, true)
}

export function f32(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset + at, 4).getFloat32(0, true)
}

export function writeU16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value
  bytes[at + 1] = value >> 8
}

export function writeI32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value
  bytes[at + 1] = value >> 8
  bytes[at + 2] = value >> 16
  bytes[at + 3] = value >> 24
}

export function writeI64(bytes: Uint8Array, at: number, value: bigint): void {
  writeI32(bytes, at, Number(BigInt.asIntN(32, value)))
  writeI32(bytes, at + 4, Number(BigInt.asIntN(32, value >> 32n)))
}

/** Rounds up to a power of two. */
export function alignUp(value: number, alignment: number): number {
  return (value + alignment - 1) & ~(alignment - 1)
}
