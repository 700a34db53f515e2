import type { ComputeInfo } from '@tributary/storage-engine/admin'
import { expect, test } from 'vitest'
import { type EndpointView, planReconcile } from './reconcile-plan.ts'

const endpoint: EndpointView = {
  id: 'ep-1',
  desiredState: 'RUNNING',
  state: 'ACTIVE',
  computeId: 'c1',
  restartCount: 0,
  restartAfterMs: null,
  isBusy: false,
}
const compute = (more: Partial<ComputeInfo> = {}): ComputeInfo =>
  ({
    computeId: 'c1',
    state: 'running',
    labels: { endpoint: 'ep-1' },
    lastError: null,
    endedAt: null,
    ...more,
  }) as ComputeInfo

test('nothing is done when all is as wanted', () => {
  expect(planReconcile([endpoint], [compute()], 0)).toEqual([])
})

test('a compute that died, was fenced or is gone is replaced', () => {
  for (const computes of [[compute({ state: 'failed' })], [compute({ state: 'fenced' })], []])
    expect(planReconcile([endpoint], computes, 0)).toMatchObject([{ kind: 'replace', endpointId: 'ep-1' }])
})

test('a compute that keeps dying is left alone until its pause is over', () => {
  const resting = { ...endpoint, restartAfterMs: 1000 }
  expect(planReconcile([resting], [compute({ state: 'failed' })], 999)).toEqual([])
  expect(planReconcile([resting], [compute({ state: 'failed' })], 1000)).toHaveLength(1)
})

test('a running compute that the catalog does not show as such is adopted', () => {
  expect(planReconcile([{ ...endpoint, state: 'STARTING' }], [compute()], 0)).toMatchObject([{ kind: 'adopt' }])
})

test('a compute of no endpoint is stopped, and so is one whose endpoint has another by now', () => {
  expect(planReconcile([], [compute()], 0)).toEqual([{ kind: 'stop-stray', endpointId: 'ep-1', computeId: 'c1' }])
  expect(planReconcile([endpoint], [compute(), compute({ computeId: 'c0' })], 0)).toEqual([
    { kind: 'stop-stray', endpointId: 'ep-1', computeId: 'c0' },
  ])
})

test('nothing is done beside an operation', () => {
  const busy = { ...endpoint, isBusy: true }
  expect(planReconcile([busy], [], 0)).toEqual([])
  expect(planReconcile([busy], [compute({ computeId: 'c0' })], 0)).toEqual([])
})

test('computes without an endpoint of their own are not strays', () => {
  expect(planReconcile([], [compute({ labels: { purpose: 'time-travel' } })], 0)).toEqual([])
})

test('an endpoint to be suspended whose compute runs is stopped', () => {
  expect(planReconcile([{ ...endpoint, desiredState: 'SUSPENDED' }], [compute()], 0)).toEqual([
    { kind: 'stop-stray', endpointId: 'ep-1', computeId: 'c1' },
  ])
})
