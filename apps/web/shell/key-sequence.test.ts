import { expect, test } from 'vitest'
import { noSequence, pressKey, sequenceLimitMs } from './key-sequence.ts'

const leaders = new Set(['g'])

test('g then b is one shortcut', () => {
  const first = pressKey(noSequence, 'g', 0, leaders)
  expect(first.shortcut).toBeUndefined()
  expect(pressKey(first.state, 'b', 500, leaders).shortcut).toBe('g b')
})

test('a first key is forgotten after the limit', () => {
  const first = pressKey(noSequence, 'g', 0, leaders)
  expect(pressKey(first.state, 'b', sequenceLimitMs + 1, leaders).shortcut).toBe('b')
})

test('a sequence is used up by what completes it', () => {
  const first = pressKey(noSequence, 'g', 0, leaders)
  const second = pressKey(first.state, 'g', 10, leaders)
  expect(second.shortcut).toBe('g g')
  expect(pressKey(second.state, 'b', 20, leaders).shortcut).toBe('b')
})
