import { expect, test } from 'vitest'
import { suspendChoice, suspendOptions, suspendSeconds } from './suspend-choice.ts'

test('every choice survives the way to the API and back', () => {
  for (const { value } of suspendOptions) expect(suspendChoice(suspendSeconds(value))).toBe(value)
})

test('a value set elsewhere shows as the next choice above it', () => {
  expect(suspendChoice(61)).toBe('300')
  expect(suspendChoice(90_000)).toBe('3600')
})
