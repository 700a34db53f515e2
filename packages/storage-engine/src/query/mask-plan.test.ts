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
  expect(masked.split('\n').map((line) => line.length)).toEqual(plan.split('\n').map((line) => line.length))
  expect(maskPlan('no plan')).toBe('no plan')
})
