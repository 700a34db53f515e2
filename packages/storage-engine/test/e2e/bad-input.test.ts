import { randomBytes } from 'node:crypto'
import * as fs from 'node:fs'
import * as net from 'node:net'
import * as os from 'node:os'
import * as path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { isProcessAlive } from '../../src/io/node-process.ts'
import { type Stack, startStack } from '../stack-fixture.ts'

let stack: Stack

beforeAll(async () => {
  stack = await startStack()
}, 180_000)

afterAll(() => stack?.cleanup())

test('garbage on every port of every process ends that connection and nothing else', async () => {
  await stack.query('create table t as select generate_series(1, 1000) i')
  const before = await stack.describe()
  const ports = [before.pageserver, ...before.safekeepers].flatMap(({ port, httpPort }) => [port, httpPort])
  for (const { compute, frontPort } of before.branches) {
    if (compute) ports.push(compute.postgresPort, Number(new URL(compute.statusUrl).port))
    if (frontPort !== null) ports.push(frontPort)
  }
  for (const port of ports) {
    for (const size of [1, 100, 100_000]) await sendGarbage(port, randomBytes(size))
    await sendGarbage(port, Buffer.alloc(64, 0xff))
  }
  expect(await stack.query('select count(*)::int as n from t')).toEqual([{ n: 1000 }])
  await stack.query('insert into t values (0)')
  const after = await stack.describe()
  expect(after.processes.map(({ name, pid }) => ({ name, pid }))).toEqual(
    before.processes.map(({ name, pid }) => ({ name, pid })),
  )
})

test('a taken Postgres port stops the start with a message that names the setting', async () => {
  const port = new URL(stack.uri).port
  await expect(
    startStack({ env: { TRIBUTARY_ADMIN_PORT: String(Number(port) + 90) }, portBase: Number(port) }),
  ).rejects.toThrow(/TRIBUTARY_PG_PORT/)
})

test('a second supervisor on the same home is refused, and the first goes on', async () => {
  await expect(startStack({ home: stack.home, keepRunFiles: true })).rejects.toThrow(
    /another Tributary runs in this home/,
  )
  expect(await stack.query('select 1 as n')).toEqual([{ n: 1 }])
})

test('a home that cannot be a folder is reported as such', async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tributary-home-'))
  const file = path.join(folder, 'file')
  fs.writeFileSync(file, '')
  try {
    await expect(startStack({ env: { TRIBUTARY_COMPUTE_MODE: 'magic' } })).rejects.toThrow(/TRIBUTARY_COMPUTE_MODE/)
    await expect(startStack({ home: file, keepRunFiles: true })).rejects.toThrow(/TRIBUTARY_HOME cannot be written/)
  } finally {
    fs.rmSync(folder, { recursive: true, force: true })
  }
})

test('kill -9 of the supervisor leaves no process behind, and the next start has every committed row', async () => {
  const { processes } = await stack.describe()
  await stack.query('insert into t values (-1)')
  await stack.killSupervisor()
  expect(processes.filter(({ pid }) => pid !== null && isProcessAlive(pid))).toEqual([])
  await stack.start()
  expect(await stack.query('select count(*)::int as n from t')).toEqual([{ n: 1002 }])
})

/** Resolves when the other side has closed, or after a moment: a Postgres server may wait for more. */
function sendGarbage(port: number, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () => socket.write(bytes))
    const timer = setTimeout(() => socket.destroy(), 300)
    socket.on('data', () => undefined)
    socket.on('error', () => undefined)
    socket.on('close', () => {
      clearTimeout(timer)
      resolve()
    })
  })
}
