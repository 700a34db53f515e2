import * as net from 'node:net'
import { expect, test } from 'vitest'
import { FreePorts } from './free-ports.ts'

test('a port that was given back is handed out again once the new ones have run out, and never while it is in use', async () => {
  const host = '127.0.0.1'
  const first = 28_700 + Math.floor(Math.random() * 200)
  const ports = new FreePorts({ host, first, last: first + 3, reserved: [first + 1] })
  const [a, b] = [await ports.take(), await ports.take()]
  expect([a, b]).not.toContain(first + 1)
  ports.giveBack(a)
  const c = await ports.take()
  expect(c).not.toBe(a)
  const user = net.createServer()
  await new Promise<void>((resolve) => user.listen({ host, port: a }, resolve))
  await expect(ports.take()).rejects.toThrow('no free port left')
  await new Promise((resolve) => user.close(resolve))
  expect(await ports.take()).toBe(a)
})
