import { expect, test } from 'vitest'
import {
  checkSettings,
  checkSuspendAfter,
  idleDecision,
  restartPauseMs,
  settingsOf,
  sizeForComputeUnits,
} from './endpoint-rules.ts'

const minute = 60_000
const view = { suspendAfterSeconds: 300, nowMs: 10 * minute, lastActivityMs: 0, activeConnections: 0, connections: 0 }

test('an endpoint without activity for its time is suspended, also under idle connections', () => {
  expect(idleDecision({ ...view, connections: 5 }).suspend).toBe(true)
})

test('a running statement keeps an endpoint awake, however long it takes', () => {
  expect(idleDecision({ ...view, activeConnections: 1, connections: 2 })).toEqual({
    suspend: false,
    keepsAwake: '1 of 2 connections are running statements',
  })
})

test('activity within the time keeps an endpoint awake and says how long it is ago', () => {
  const { suspend, keepsAwake } = idleDecision({ ...view, lastActivityMs: 8 * minute })
  expect(suspend).toBe(false)
  expect(keepsAwake).toContain('120 s ago')
})

test('an endpoint that never suspends stays up', () => {
  expect(idleDecision({ ...view, suspendAfterSeconds: null }).suspend).toBe(false)
})

test('a compute that keeps dying is replaced after pauses that double, up to a minute', () => {
  expect([0, 1, 2, 3, 10, 100].map(restartPauseMs)).toEqual([0, 1000, 2000, 4000, 60_000, 60_000])
})

test('a suspend time is a default, never, or within its bounds', () => {
  expect([0, -1, 60, 604_800].map(checkSuspendAfter).map((result) => result.ok && result.value)).toEqual([
    300,
    null,
    60,
    604_800,
  ])
  for (const seconds of [59, -2, 604_801, 1.5, Number.NaN]) expect(checkSuspendAfter(seconds).ok).toBe(false)
})

test('settings that durability rests on are refused by name', () => {
  for (const name of ['fsync', 'synchronous_commit', 'archive_command', 'max_connections', 'no_such_setting']) {
    const checked = checkSettings({ [name]: 'off' })
    expect(checked.ok).toBe(false)
    if (!checked.ok) expect(checked.error.message).toContain(name)
  }
  expect(checkSettings({ work_mem: '8MB', jit: false })).toEqual({ ok: true, value: { work_mem: '8MB', jit: 'off' } })
})

test('what an owner set wins over the size', () => {
  const settings = settingsOf({ size: 'large', maxConnections: 50, settings: { shared_buffers: '64MB' } })
  expect(settings).toEqual({ shared_buffers: '64MB', max_connections: '60' })
})

test('compute units of the public interface map to the smallest size that has them', () => {
  expect([0.25, 0.3, 1, 8].map((units) => sizeForComputeUnits(units).name)).toEqual([
    'small',
    'medium',
    'large',
    'xlarge',
  ])
})
