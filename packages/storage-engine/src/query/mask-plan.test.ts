import { expect, test } from 'vitest'
import { maskPlan } from './mask-plan.ts'

test('names of files go from a drawn plan, also from boxes side by side; all else stays', () => {
  const plan = [
    '┌─────────────┴─────────────┐┌─────────────┴─────────────┐',
    '│         TABLE_SCAN        ││         TABLE_SCAN        │',
    '│        Filters: b=3       ││        Filename(s):       │',
    '│        Filename(s):       ││  /cache/worker/layers/a-  │',
    '│   /cache/worker/layers/   ││         b.parquet         │',
    '│         x.parquet         ││                           │',
    '│                           ││          12 rows          │',
    '│          143 rows         │└───────────────────────────┘',
    '└───────────────────────────┘',
  ].join('\n')
  const masked = maskPlan(plan)
  expect(masked).not.toMatch(/Filename|cache|layers|parquet/)
  expect(masked).toContain('Filters: b=3')
  expect(masked).toContain('12 rows')
  expect(masked).toContain('143 rows')
  for (const line of masked.split('\n')) expect(plan.split('\n').map(({ length }) => length)).toContain(line.length)
  expect(maskPlan('no plan')).toBe('no plan')
})

test('the map of changed blocks goes from a drawn plan, and the lines it took; other conditions stay', () => {
  const plan = [
    '┌─────────────┴─────────────┐',
    '│        READ_PARQUET       │',
    '│          Filters:         │',
    '│          (get_bit         │',
    ...Array.from({ length: 300 }, () => '│(10000000000000000000000000│'),
    '│   000, _pg_blk) = 0)      │',
    '│            k<3            │',
    '└───────────────────────────┘',
  ].join('\n')
  expect(maskPlan(plan).split('\n')).toEqual([
    '┌─────────────┴─────────────┐',
    '│        READ_PARQUET       │',
    '│          Filters:         │',
    '│                           │',
    '│            k<3            │',
    '└───────────────────────────┘',
  ])
})
