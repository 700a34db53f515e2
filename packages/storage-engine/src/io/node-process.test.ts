import { expect, test } from 'vitest'
import { isProcessAlive, PARENT_WATCH_VARIABLE, spawnProcess } from './node-process.ts'

const node = process.execPath

test('lines of both streams arrive whole, and the exit is reported', async () => {
  const lines: string[] = []
  const child = await spawnProcess({
    command: node,
    args: ['-e', 'process.stdout.write("a\\nb"); process.stderr.write("c\\n"); process.exitCode = 3'],
    onLine: (line, stream) => lines.push(`${stream}:${line}`),
  })
  expect(await child.exited).toEqual({ code: 3, signal: null })
  await expect.poll(() => lines.sort()).toEqual(['err:c', 'out:a', 'out:b'])
  expect(child.isRunning()).toBe(false)
})

test('a missing program is not-found', async () => {
  await expect(spawnProcess({ command: '/nonexistent/program', args: [] })).rejects.toMatchObject({ code: 'not-found' })
})

test('stop kills a process that ignores the polite signal', async () => {
  let isReady = () => {}
  const ready = new Promise<void>((resolve) => {
    isReady = resolve
  })
  const child = await spawnProcess({
    command: node,
    args: ['-e', 'process.on("SIGTERM", () => {}); setInterval(() => {}, 1000); console.log("up")'],
    onLine: () => isReady(),
  })
  await ready
  expect(await child.stop({ graceMs: 100 })).toEqual({ code: null, signal: 'SIGKILL' })
})

test('a child that watches its parent ends when the parent is killed', async () => {
  // The parent in the middle starts a child whose standard input is a pipe, as spawnProcess does, and tells its pid.
  const grandchild =
    'process.stdin.on("close", () => process.exit(0)); process.stdin.resume(); setInterval(() => {}, 1000)'
  const middle = `
    const { spawn } = require('node:child_process')
    const child = spawn(process.execPath, ['-e', ${JSON.stringify(grandchild)}], { stdio: ['pipe', 'ignore', 'ignore'] })
    console.log(child.pid)
    setInterval(() => {}, 1000)`
  let gotPid: (pid: number) => void = () => undefined
  const pidLine = new Promise<number>((resolve) => {
    gotPid = resolve
  })
  const parent = await spawnProcess({ command: node, args: ['-e', middle], onLine: (line) => gotPid(Number(line)) })
  const pid = await pidLine
  expect(isProcessAlive(pid)).toBe(true)
  parent.kill('SIGKILL')
  await parent.exited
  await expect.poll(() => isProcessAlive(pid), { timeout: 5000 }).toBe(false)
})

test('endsWithParent tells the child by its environment', async () => {
  const lines: string[] = []
  const child = await spawnProcess({
    command: node,
    args: ['-e', `console.log(process.env.${PARENT_WATCH_VARIABLE})`],
    endsWithParent: true,
    onLine: (line) => lines.push(line),
  })
  await child.exited
  await expect.poll(() => lines).toEqual(['stdin'])
})
