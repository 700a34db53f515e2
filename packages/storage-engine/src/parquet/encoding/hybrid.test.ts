import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isStorageError } from '../../base/errors.ts'
import { bitWidth, decodeHybrid, encodeHybrid, hybridSizeMax } from './hybrid.ts'

const runs = fc.array(fc.tuple(fc.nat(2047), fc.integer({ min: 1, max: 40 })), { maxLength: 40 })

test('any mix of runs and single values round-trips at every width that holds it, wherever it begins', () => {
  fc.assert(
    fc.property(runs, fc.nat(3), fc.nat(20), (parts, extra, position) => {
      const values = Int32Array.from(parts.flatMap(([value, count]) => new Array<number>(count).fill(value)))
      const width = bitWidth(values.reduce((max, value) => Math.max(max, value), 0)) + extra
      const bytes = new Uint8Array(hybridSizeMax(values.length, width))
      const end = encodeHybrid(values, 0, values.length, width, bytes, 0, position)
      expect(end).toBeLessThanOrEqual(bytes.length)
      const decoded = new Int32Array(values.length)
      expect(decodeHybrid(bytes, 0, end, width, decoded, 0, values.length)).toBe(end)
      expect(decoded).toEqual(values)
    }),
    { numRuns: 500 },
  )
})

test('packed runs begin at multiples of 8 of the position', () => {
  fc.assert(
    fc.property(runs, fc.nat(20), (parts, position) => {
      const values = Int32Array.from(parts.flatMap(([value, count]) => new Array<number>(count).fill(value)))
      const bytes = new Uint8Array(hybridSizeMax(values.length, 11))
      const end = encodeHybrid(values, 0, values.length, 11, bytes, 0, position)
      let at = position
      for (let offset = 0; offset < end; ) {
        let header = 0
        for (let shift = 0; ; shift += 7) {
          header |= (bytes[offset]! & 127) << shift
          if (bytes[offset++]! < 128) break
        }
        const isPacked = (header & 1) === 1
        if (isPacked) expect(at % 8).toBe(0)
        at += (header >>> 1) * (isPacked ? 8 : 1)
        offset += isPacked ? (header >>> 1) * 11 : 2
      }
      expect(at).toBeGreaterThanOrEqual(position + values.length)
      expect(at).toBeLessThan(position + values.length + 8)
    }),
    { numRuns: 500 },
  )
})

test('a column of one value takes a few bytes', () => {
  const bytes = new Uint8Array(hybridSizeMax(100_000, 11))
  expect(encodeHybrid(new Int32Array(100_000).fill(1234), 0, 100_000, 11, bytes, 0)).toBeLessThan(8)
})

test('bytes that end before the promised values are corruption', () => {
  const values = Int32Array.from({ length: 100 }, (_, i) => i)
  const bytes = new Uint8Array(hybridSizeMax(100, 7))
  const end = encodeHybrid(values, 0, 100, 7, bytes, 0)
  // The padding of the last group may be missing: 100 values of 7 bits end 3 bytes before the packed groups do.
  for (let cut = 0; cut < end - 3; cut++) {
    let error: unknown
    try {
      decodeHybrid(bytes, 0, cut, 7, new Int32Array(100), 0, 100)
    } catch (thrown) {
      error = thrown
    }
    expect(isStorageError(error, 'corruption')).toBe(true)
  }
})
