import fc from 'fast-check'
import { expect, test } from 'vitest'
import { dataPageStarts } from './columnar-encoder.ts'

test('data pages begin with their segment or a batch of 2,048 rows, and ascend; none takes over a quarter more', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 60_000 }), { minLength: 1, maxLength: 32 }), (rowCounts) => {
      const segments = rowCounts.map((_, i) => rowCounts.slice(0, i).reduce((sum, count) => sum + count, 0))
      const starts = dataPageStarts(segments)
      expect(starts[0]).toBe(0)
      expect(starts.length).toBe(segments.length)
      starts.forEach((start, i) => {
        const early = segments[i]! - start
        if (i > 0) expect(start).toBeGreaterThan(starts[i - 1]!)
        expect(early === 0 || start % 2048 === 0).toBe(true)
        expect(early).toBeLessThan(2048)
        if (early > 0) expect(start - starts[i - 1]!).toBeGreaterThanOrEqual(4 * 2048)
      })
    }),
  )
  expect(dataPageStarts([0, 13_900, 27_800, 41_700])).toEqual([0, 12_288, 26_624, 40_960])
})
