import { expect, test } from 'vitest'
import { failoverSteps } from './failover-steps.ts'

test('each step says how long it took after the one before', () => {
  const steps = failoverSteps({ detectedMs: 80, electedMs: 140, startedMs: 620, firstCommitMs: 700 })
  expect(steps.map((step) => step.tookMs)).toEqual([80, 60, 480, 80])
  expect(steps.every((step) => step.state === 'done')).toBe(true)
})

test('exactly one step runs while the failover is under way', () => {
  const steps = failoverSteps({ detectedMs: 80, electedMs: null, startedMs: null, firstCommitMs: null })
  expect(steps.map((step) => step.state)).toEqual(['done', 'running', 'waiting', 'waiting'])
})
