import { describe, expect, test } from 'vitest'
import { splitPhases } from './phase-bar.tsx'

describe('phases of a duration', () => {
  test('a phase that spans the others is the length of the bar, not a part of it', () => {
    const split = splitPhases(
      [
        { name: 'plan', ms: 30 },
        { name: 'execute', ms: 50 },
        { name: 'total', ms: 100 },
      ],
      'total',
    )
    expect(split.parts.map((phase) => phase.name)).toEqual(['plan', 'execute'])
    expect(split).toMatchObject({ restMs: 20, totalMs: 100 })
  })

  test('one that is shorter than the others together is a phase like them', () => {
    const split = splitPhases(
      [
        { name: 'plan', ms: 30 },
        { name: 'process', ms: 10 },
      ],
      'process',
    )
    expect(split).toMatchObject({ restMs: 0, totalMs: 40 })
    expect(split.parts).toHaveLength(2)
  })
})
