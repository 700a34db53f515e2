import { expect, test } from 'vitest'
import { crc32 } from './crc32.ts'

test('CRC-32 of "123456789" is the check value of the catalogue of parametrised CRC algorithms', () => {
  expect(crc32(Buffer.from('123456789'))).toBe(0xcbf43926)
})

test('a CRC-32 of any length, taken at once or in two pieces, equals the one taken bit by bit', () => {
  const bytes = Uint8Array.from({ length: 300 }, (_, i) => (i * 151 + 3) & 255)
  for (let length = 0; length <= bytes.length; length += 7) {
    let crc = -1
    for (const byte of bytes.subarray(0, length)) {
      crc ^= byte
      for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
    }
    const expected = ~crc >>> 0
    expect(crc32(bytes, 0, length)).toBe(expected)
    for (let cut = 0; cut <= length; cut += 13) expect(crc32(bytes, cut, length, crc32(bytes, 0, cut))).toBe(expected)
  }
})
