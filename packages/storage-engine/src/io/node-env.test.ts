import { expect, test } from 'vitest'
import { nodeClock } from './node-clock.ts'
import { openNodeLog } from './node-log.ts'
import { openNodeMetrics } from './node-metrics.ts'
import { nodeRandom } from './node-random.ts'

test('a sleep ends early with aborted when its signal fires, and a cancelled timer never fires', async () => {
  const abort = new AbortController()
  const sleeping = nodeClock.sleep(60_000, { signal: abort.signal })
  abort.abort()
  await expect(sleeping).rejects.toMatchObject({ code: 'aborted' })
  await expect(nodeClock.sleep(1, { signal: abort.signal })).rejects.toMatchObject({ code: 'aborted' })
  let fired = 0
  nodeClock.setTimer(1, () => fired++).cancel()
  await nodeClock.sleep(10)
  expect(fired).toBe(0)
})

test('random numbers stay below their bound', () => {
  for (let i = 0; i < 200; i++) expect(nodeRandom.below(3)).toBeLessThan(3)
  expect(nodeRandom.below(1)).toBe(0)
  expect(nodeRandom.bytes(16)).toHaveLength(16)
  expect(nodeRandom.uint32()).toBeLessThan(2 ** 32)
})

test('log lines are JSON with level, name and fields, and children add theirs', () => {
  const lines: string[] = []
  const log = openNodeLog({ name: 'p', level: 'info', destination: { write: (line: string) => void lines.push(line) } })
  log.debug('hidden')
  log.child({ term: 2 }).warn('look', { lsn: '0/1' })
  expect(lines).toHaveLength(1)
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ level: 'warn', name: 'p', term: 2, lsn: '0/1', msg: 'look' })
})

test('asking twice for a metric gives the same one, and a name off the pattern is a bug', async () => {
  const metrics = openNodeMetrics({ isProcessIncluded: false })
  metrics.counter('tributary_test_things_total', 'things').add()
  metrics.counter('tributary_test_things_total', 'things').add()
  metrics.gauge('tributary_test_level_bytes', 'level').set(5)
  metrics.histogram('tributary_test_wait_ms', 'wait', [1, 10]).observe(4)
  const text = await metrics.text()
  expect(text).toContain('tributary_test_things_total 2')
  expect(text).toContain('tributary_test_level_bytes 5')
  expect(text).toContain('tributary_test_wait_ms_bucket{le="10"} 1')
  expect(() => metrics.gauge('things', 'x')).toThrow(/does not follow/)
})
