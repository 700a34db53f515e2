import { assert } from '../../base/assert.ts'
import { KEY_BYTES } from '../key.ts'

/** Compares `length` bytes of a at aOffset with b at bOffset, bytewise: negative, zero or positive. */
export function comparePacked(a: Uint8Array, aOffset: number, b: Uint8Array, bOffset: number, length: number): number {
  for (let i = 0; i < length; i++) {
    const difference = a[aOffset + i]! - b[bOffset + i]!
    if (difference !== 0) return difference
  }
  return 0
}

export function compareKeys(a: Uint8Array, b: Uint8Array): number {
  return comparePacked(a, 0, b, 0, KEY_BYTES)
}

export function maxKey(a: Uint8Array, b: Uint8Array): Uint8Array {
  return compareKeys(a, b) >= 0 ? a : b
}

export function minKey(a: Uint8Array, b: Uint8Array): Uint8Array {
  return compareKeys(a, b) <= 0 ? a : b
}

/** The smallest key above `key`: the exclusive end of a range that ends with it. */
export function keyAfter(key: Uint8Array): Uint8Array {
  const next = key.slice(0, KEY_BYTES)
  for (let i = KEY_BYTES - 1; i >= 0; i--) {
    next[i] = (next[i]! + 1) & 255
    if (next[i] !== 0) return next
  }
  assert(false, 'the last key of all has no successor')
  return next
}

export function parseKeyHex(hex: string): Uint8Array | undefined {
  if (!/^[0-9a-f]{36}$/.test(hex)) return undefined
  const key = new Uint8Array(KEY_BYTES)
  for (let i = 0; i < KEY_BYTES; i++) key[i] = Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16)
  return key
}
