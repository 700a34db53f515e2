import { expect, test } from 'vitest'
import { CRC32C_INIT, crc32c, crc32cFinish, crc32cUpdate } from './crc32c.ts'

test('matches the check value of RFC 3720 for "123456789"', () => {
  expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283)
})

test('matches the RFC 3720 vectors of 32 zero bytes and 32 one bytes', () => {
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa)
  expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43)
})

test('a CRC taken in pieces equals the CRC taken at once, wherever it is cut', () => {
  const bytes = Uint8Array.from({ length: 41 }, (_, i) => (i * 37) & 255)
  for (let cut = 0; cut <= bytes.length; cut++) {
    const running = crc32cUpdate(crc32cUpdate(CRC32C_INIT, bytes, 0, cut), bytes, cut)
    expect(crc32cFinish(running)).toBe(crc32c(bytes))
  }
})

test('a CRC of any length equals the one taken bit by bit', () => {
  const bytes = Uint8Array.from({ length: 120 }, (_, i) => (i * 151 + 3) & 255)
  for (let length = 0; length <= bytes.length; length++) {
    let crc = -1
    for (const byte of bytes.subarray(0, length)) {
      crc ^= byte
      for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
    }
    expect(crc32c(bytes, 0, length)).toBe((crc ^ -1) >>> 0)
  }
})
