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

/** Whether an ordinary user may open the FUSE device here. */
function isFuseOpenToAll(): boolean {
  try {
    return (fs.statSync('/dev/fuse').mode & 0o006) === 0o006
  } catch {
    return false
  }
}

test('as an ordinary user the stack starts, fetches pages as this system allows and says why, and survives a failover', async () => {
  const statusOf = async () => {
    const { compute } = await stack.branch()
    return (await callJson(compute!.statusUrl, { timeoutMs: 5000 })) as {
      mode: string
      modeReason: string
      pid: number
    }
  }
  const status = await statusOf()
  if (!isFuseOpenToAll()) expect(status.mode).toBe('hydrate')
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
