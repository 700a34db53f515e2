import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { RateLimiter } from '../http/rate-limit.ts'
import { EventBus } from './event-bus.ts'
import { makeScramVerifier, scramVerifierMatches } from './scram.ts'
import { SecretBox } from './secret-box.ts'

test('a sealed secret opens with its key and context, and with nothing else', () => {
  const box = new SecretBox(randomBytes(32))
  const sealed = box.seal('secret', 'role:a')
  expect(box.open(sealed, 'role:a')).toBe('secret')
  expect(() => box.open(sealed, 'role:b')).toThrow()
  expect(() => new SecretBox(randomBytes(32)).open(sealed, 'role:a')).toThrow()
  expect(() => box.open(`${sealed.slice(0, -2)}AA`, 'role:a')).toThrow()
})

test('a verifier tells the right password from a wrong one', async () => {
  const verifier = await makeScramVerifier('right')
  expect(await scramVerifierMatches(verifier, 'right')).toBe(true)
  expect(await scramVerifierMatches(verifier, 'wrong')).toBe(false)
})

test('a rate limit lets a burst through and then its rate', () => {
  let nowMs = 0
  const limiter = new RateLimiter({ perSecond: 2, burst: 3 }, () => nowMs)
  expect([1, 2, 3, 4].map(() => limiter.take('a'))).toEqual([0, 0, 0, 1])
  expect(limiter.take('b')).toBe(0)
  nowMs = 500
  expect([limiter.take('a'), limiter.take('a')]).toEqual([0, 1])
})

test('a subscriber that returns while it waits is let go at once, and its listener is gone', async () => {
  const bus = new EventBus()
  const stream = bus.stream('endpoint', () => true)
  const waiting = stream.next()
  await stream.return?.()
  expect((await waiting).done).toBe(true)
  expect(bus.listenerCount).toBe(0)
})
