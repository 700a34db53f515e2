import { afterEach, expect, test } from 'vitest'
import { openWorkerPool } from './node-workers.ts'
import type { Workers } from './workers.ts'

let pool: Workers | undefined
afterEach(() => pool?.close())

test('tasks run on threads, in parallel, and results come back to their callers', async () => {
  pool = openWorkerPool({ name: 'io/selftest', threadCount: 2 })
  const results = await Promise.all([1, 2, 3, 4, 5].map((n) => pool?.run<number, number>('double', n)))
  expect(results).toEqual([2, 4, 6, 8, 10])
  const bytes = await pool.run<number, Uint8Array>('bytes', 3)
  expect([...bytes]).toEqual([0, 1, 2])
})

test('a failing task rejects with its own code; an unknown one is invalid-input', async () => {
  pool = openWorkerPool({ name: 'io/selftest', threadCount: 1 })
  await expect(pool.run('fail', 'x')).rejects.toMatchObject({ code: 'corruption', message: 'bad bytes (at=x)' })
  await expect(pool.run('none', 1)).rejects.toMatchObject({ code: 'invalid-input' })
})

test('a thread that dies rejects its task with unavailable, and the next task gets a new thread', async () => {
  pool = openWorkerPool({ name: 'io/selftest', threadCount: 1 })
  const dying = pool.run('exit', 1)
  const next = pool.run<number, number>('double', 4)
  await expect(dying).rejects.toMatchObject({ code: 'unavailable' })
  expect(await next).toBe(8)
})

test('an abort and a close end the waiting callers', async () => {
  pool = openWorkerPool({ name: 'io/selftest', threadCount: 1 })
  const abort = new AbortController()
  const hanging = pool.run('hang', 1, { signal: abort.signal })
  const queued = pool.run('double', 1)
  abort.abort()
  await expect(hanging).rejects.toMatchObject({ code: 'aborted' })
  const closing = expect(queued).rejects.toMatchObject({ code: 'aborted' })
  await pool.close()
  await closing
  await expect(pool.run('double', 1)).rejects.toMatchObject({ code: 'aborted' })
})
