import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { BlockSpan } from '../protocol/snapshot-plan.ts'
import { countBlocks, intersectSpans, mergeSpans, splitSpans } from './block-span.ts'

const spans = fc.array(
  fc.tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 1, max: 9 })).map((pair): BlockSpan => pair),
  { maxLength: 12 },
)

function blocksOf(list: readonly BlockSpan[]): Set<number> {
  return new Set(list.flatMap(([first, count]) => Array.from({ length: count }, (_, i) => first + i)))
}

test('merged spans are ascending, apart, and hold the same blocks; intersections are those of the sets', () => {
  fc.assert(
    fc.property(spans, spans, (a, b) => {
      const [left, right] = [mergeSpans(a), mergeSpans(b)]
      expect(blocksOf(left)).toEqual(blocksOf(a))
      expect(countBlocks(left)).toBe(blocksOf(a).size)
      for (let i = 1; i < left.length; i++) expect(left[i]![0]).toBeGreaterThan(left[i - 1]![0] + left[i - 1]![1])
      const common = intersectSpans(left, right)
      expect(countBlocks(common)).toBe(blocksOf(common).size)
      const theirs = blocksOf(right)
      expect([...blocksOf(common)].sort((x, y) => x - y)).toEqual(
        [...blocksOf(left)].filter((block) => theirs.has(block)).sort((x, y) => x - y),
      )
    }),
  )
})

test('spans are split into few parts that hold each block once, in order', () => {
  fc.assert(
    fc.property(spans, fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 20 }), (list, parts, blocksMin) => {
      const merged = mergeSpans(list)
      const split = splitSpans(merged, parts, blocksMin)
      expect(split.length).toBeLessThanOrEqual(parts)
      expect(mergeSpans(split.flat())).toEqual(merged)
      for (const part of split.slice(0, -1)) expect(countBlocks(part)).toBeGreaterThanOrEqual(blocksMin)
    }),
  )
})
