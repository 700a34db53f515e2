import * as fs from 'node:fs'
import * as net from 'node:net'
import * as os from 'node:os'
import * as path from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import type { Address, Connection, Listener } from './network.ts'
import { nodeNetwork } from './node-network.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function pair(address: Address = { host: '127.0.0.1', port: 0 }): Promise<[Connection, Connection, Listener]> {
  let accept: (connection: Connection) => void = () => undefined
  const accepted = new Promise<Connection>((resolve) => {
    accept = resolve
  })
  const listener = await nodeNetwork.listen(address, (connection) => accept(connection))
  cleanups.push(() => listener.close())
  const client = await nodeNetwork.connect(listener.address, { timeoutMs: 2000 })
  cleanups.push(() => client.destroy())
  return [client, await accepted, listener]
}

function collect(connection: Connection): { bytes: () => number[]; closed: Promise<Error | undefined> } {
  const bytes: number[] = []
  connection.onData = (chunk) => bytes.push(...chunk)
  const closed = new Promise<Error | undefined>((resolve) => {
    connection.onClose = resolve
  })
  return { bytes: () => bytes, closed }
}

test('bytes arrive in order and an end closes both sides without an error', async () => {
  const [client, server] = await pair()
  const seen = collect(server)
  const back = collect(client)
  client.send(Uint8Array.of(1), Uint8Array.of(2, 3))
  client.send(Uint8Array.of(4))
  client.end()
  expect(await seen.closed).toBeUndefined()
  expect(await back.closed).toBeUndefined()
  expect(seen.bytes()).toEqual([1, 2, 3, 4])
})

test('data and close that come before the handlers are held back, not lost', async () => {
  const [client, server] = await pair()
  server.send(Uint8Array.of(7, 8))
  server.end()
  await new Promise((resolve) => setTimeout(resolve, 50))
  const seen = collect(client)
  expect(await seen.closed).toBeUndefined()
  expect(seen.bytes()).toEqual([7, 8])
})

test('send answers false above the high-water mark, and drained resolves when the peer reads or goes', async () => {
  const [client, server] = await pair()
  server.onClose = () => undefined
  client.onClose = () => undefined
  let isQueueFull = false
  for (let i = 0; i < 64 && !isQueueFull; i++) isQueueFull = !client.send(new Uint8Array(1024 * 1024))
  expect(isQueueFull).toBe(true)
  let received = 0
  server.onData = (chunk) => {
    received += chunk.length
  }
  await client.drained()
  expect(received).toBeGreaterThan(0)
  server.pause()
  while (client.send(new Uint8Array(1024 * 1024)));
  const waiting = client.drained()
  server.destroy()
  await waiting
})

test('bytes may be written over as soon as none are borrowed any more', async () => {
  const [client, server] = await pair()
  server.onClose = () => undefined
  client.onClose = () => undefined
  const received: number[] = []
  let receivedBytes = 0
  const chunk = new Uint8Array(64 * 1024)
  let sentBytes = 0
  let isBorrowed = false
  // Until the peer, which does not read yet, has no room left.
  for (let round = 0; !isBorrowed && round < 1000; round++) {
    chunk.fill(round & 0xff)
    client.send(chunk)
    sentBytes += chunk.length
    isBorrowed = client.borrowedBytes > 0
  }
  expect(isBorrowed).toBe(true)
  server.onData = (bytes) => {
    for (let i = 0; i < bytes.length; i++, receivedBytes++) {
      if (receivedBytes % chunk.length === 0) received.push(bytes[i]!)
      else if (bytes[i] !== received.at(-1)) throw new Error('bytes were written over while they were sent')
    }
  }
  while (receivedBytes < sentBytes) await new Promise((resolve) => setTimeout(resolve, 5))
  expect(client.borrowedBytes).toBe(0)
  expect(received).toEqual(received.map((_, round) => round & 0xff))
})

test('both ends of a connection are probed while nothing comes', async () => {
  const probed = vi.spyOn(net.Socket.prototype, 'setKeepAlive')
  cleanups.push(() => probed.mockRestore())
  await pair()
  expect(probed.mock.calls).toEqual([
    [true, 10_000],
    [true, 10_000],
  ])
})

test('Unix sockets work, and the file of a dead server does not stand in the way', async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tributary-net-'))
  cleanups.push(() => fs.rmSync(folder, { recursive: true, force: true }))
  const socketPath = path.join(folder, 's')
  fs.writeFileSync(socketPath, '')
  const [client, server] = await pair({ socketPath })
  const seen = collect(server)
  client.send(Uint8Array.of(5))
  client.end()
  await seen.closed
  expect(seen.bytes()).toEqual([5])
})

test('nobody listening is unavailable, an abort is aborted, a taken port is conflict', async () => {
  const [, , listener] = await pair()
  await expect(nodeNetwork.listen(listener.address, () => undefined)).rejects.toMatchObject({ code: 'conflict' })
  await listener.close()
  await expect(nodeNetwork.connect(listener.address, { timeoutMs: 1000 })).rejects.toMatchObject({
    code: 'unavailable',
  })
  await expect(nodeNetwork.connect({ socketPath: '/nonexistent/s' }, { timeoutMs: 1000 })).rejects.toMatchObject({
    code: 'unavailable',
  })
  const signal = AbortSignal.abort()
  await expect(nodeNetwork.connect(listener.address, { timeoutMs: 1000, signal })).rejects.toMatchObject({
    code: 'aborted',
  })
})

test('closing a listener closes its connections', async () => {
  const [client, server, listener] = await pair()
  server.onClose = () => undefined
  const seen = collect(client)
  await listener.close()
  await seen.closed
})
