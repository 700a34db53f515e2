import * as fs from 'node:fs'
import type { Stack } from '../test/stack-fixture.ts'

/** CPU time that a process of the stack has had so far, in milliseconds: of its main thread, and of all others. */
export interface CpuTime {
  readonly mainMs: number
  readonly othersMs: number
}

/**
 * Unlike time on the clock it says what a piece of work costs also on a machine that is busy with other things. Linux only
 * (/proc/PID/task/TID/schedstat, nanoseconds first); elsewhere not a number.
 */
export async function cpuTime(stack: Stack, processName: string): Promise<CpuTime> {
  const pid = (await stack.describe()).processes.find(({ name }) => name === processName)?.pid
  if (process.platform !== 'linux' || !pid) return { mainMs: Number.NaN, othersMs: Number.NaN }
  let mainMs = 0
  let othersMs = 0
  for (const id of fs.readdirSync(`/proc/${pid}/task`)) {
    const ms = Number(fs.readFileSync(`/proc/${pid}/task/${id}/schedstat`, 'utf8').split(' ')[0]) / 1e6
    if (Number(id) === pid) mainMs = ms
    else othersMs += ms
  }
  return { mainMs, othersMs }
}
