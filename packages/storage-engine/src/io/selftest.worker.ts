import { CorruptionError } from '../base/errors.ts'
import { serveTasks } from './worker-tasks.ts'

/** Tasks by which node-workers.test.ts tries the pool. */
serveTasks({
  double: (value: number) => value * 2,
  bytes: (length: number) => Uint8Array.from({ length }, (_, index) => index),
  fail: (at: string) => {
    throw new CorruptionError('bad bytes', { at })
  },
  exit: (code: number) => process.exit(code),
  hang: () => new Promise(() => setInterval(() => undefined, 1000)),
})
