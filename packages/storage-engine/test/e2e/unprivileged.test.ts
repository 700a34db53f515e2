import { spawnSync } from 'node:child_process'
import * as fs from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { callJson } from '../../src/io/http-client.ts'
import { type Stack, startStack } from '../stack-fixture.ts'
import { amcheckDatabase } from './amcheck.ts'

/** "nobody" when the tests run as root; else they are an ordinary user already. */
const account = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : undefined
let stack: Stack

beforeAll(async () => {
  stack = await startStack({ ...(account ? { account } : {}), env: { HOME: '/tmp' } })
}, 180_000)

afterAll(() => stack?.cleanup())

/** Why an ordinary user cannot mount FUSE in a user namespace here, or undefined. */
function fuseObstacle(): string | undefined {
  if (process.platform !== 'linux') return 'not Linux'
  try {
    if ((fs.statSync('/dev/fuse').mode & 0o006) !== 0o006) return '/dev/fuse is not open to all users'
  } catch {
    return 'there is no /dev/fuse'
  }
  const { status } = spawnSync('unshare', ['--user', '--mount', '--keep-caps', 'true'], {
    stdio: 'ignore',
    ...account,
  })
  return status === 0 ? undefined : 'an ordinary user may not make a user namespace'
}

async function statusOf(): Promise<{ mode: string; modeReason: string; pid: number }> {
  const { compute } = await stack.branch()
  return (await callJson(compute!.statusUrl, { timeoutMs: 5000 })) as { mode: string; modeReason: string; pid: number }
}

const obstacle = fuseObstacle()

test('as an ordinary user the stack starts, fetches pages as this system allows and says why, and survives a failover', async () => {
  const status = await statusOf()
  if (obstacle !== undefined) expect(status.mode).toBe('hydrate')
  expect(status.modeReason).not.toBe('')
  if (account && process.platform === 'linux') {
    expect(fs.statSync(`/proc/${status.pid}`).uid).toBe(account.uid)
  }
  await stack.query('create table kept (id int primary key, text text)')
  await stack.query("insert into kept select g, repeat('x', 100) from generate_series(1, 20000) g")
  await stack.failover()
  const [row] = await stack.query<{ n: string }>('select count(*) n from kept where length(text) = 100')
  expect(Number(row?.n)).toBe(20_000)
  expect((await statusOf()).mode).toBe(status.mode)
  await stack.withClient(async (client) => expect(await amcheckDatabase(client)).toEqual([]))
})

test('as an ordinary user with /dev/fuse open to all, the compute mounts in a user namespace: mode fuse', async (context) => {
  if (obstacle !== undefined) return context.skip(obstacle)
  const status = await statusOf()
  expect(status.mode, status.modeReason).toBe('fuse')
})
