import { expect, test } from 'vitest'
import { isStorageError } from './errors.ts'
import { compress, decompress } from './zstd.ts'

test('content of any size comes back, from empty to several MiB', () => {
  for (const size of [0, 1, 2, 255, 256, 257, 65_535, 65_791, 65_792, 3_000_000]) {
    const bytes = Uint8Array.from({ length: size }, (_, i) => (i * i) & 255)
    expect(Buffer.compare(decompress(compress(bytes), size), bytes)).toBe(0)
  }
})

test('a frame that declares another size than expected is corruption', () => {
  const frame = compress(new Uint8Array(1000))
  for (const size of [0, 999, 1001, 2 ** 31]) {
    expect(catchError(() => decompress(frame, size))).toSatisfy((error) => isStorageError(error, 'corruption'))
  }
})

test('a damaged frame is corruption or other content of the same size, never a crash', () => {
  const frame = compress(Uint8Array.from({ length: 500 }, (_, i) => (i * 7) & 255))
  for (let at = 0; at < frame.length; at++) {
    const damaged = frame.slice()
    damaged[at]! ^= 1 << (at % 8)
    try {
      expect(decompress(damaged, 500).length).toBe(500)
    } catch (error) {
      expect(isStorageError(error, 'corruption')).toBe(true)
    }
  }
  expect(catchError(() => decompress(new Uint8Array(3), 3))).toSatisfy((error) => isStorageError(error, 'corruption'))
})

function catchError(run: () => unknown): unknown {
  try {
    run()
  } catch (error) {
    return error
  }
  return undefined
}
