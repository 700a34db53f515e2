import { watchParent } from '../io/node-process.ts'

/**
 * Loaded by `node --import` before a program that knows nothing of its supervisor: asks it to stop when the supervisor is
 * gone, and ends it when it does not.
 */
const GRACE_MS = 5000

watchParent(() => {
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), GRACE_MS).unref()
  process.kill(process.pid, 'SIGTERM')
})
