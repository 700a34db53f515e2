import { expect, test } from 'vitest'
import { StepClock } from './step-clock.ts'

test('a moment at which several steps are under way counts once, for the last of them', async () => {
  let nowMs = 100
  const clock = { now: () => 0, monotonicMs: () => nowMs, setTimer: () => ({ cancel: () => undefined }) } as never
  const steps = new StepClock(clock, ['resolve', 'plan', 'fresh'])
  const gates = new Map<string, () => void>()
  const gate = (name: string) => () => new Promise<void>((resolve) => gates.set(name, resolve))
  const works = [steps.during('plan', gate('a')), steps.during('plan', gate('b'))]
  const end = async (name: string, work: Promise<void>) => {
    gates.get(name)!()
    await work
  }
  nowMs += 5
  const fresh = steps.during('fresh', gate('c'))
  nowMs += 7
  await end('a', works[0]!)
  nowMs += 1
  await end('c', fresh)
  nowMs += 2
  await end('b', works[1]!)
  nowMs += 1000
  await steps.during('resolve', async () => {
    nowMs += 3
  })
  expect([steps.msOf('resolve'), steps.msOf('plan'), steps.msOf('fresh')]).toEqual([3, 7, 8])
})
