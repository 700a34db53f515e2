import * as net from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { silentLog } from '../io/log.ts'
import { type FrontDoor, openFrontDoor } from './front-door.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

/** Answers every chunk with its name before it. */
async function echo(name: string): Promise<{ host: string; port: number }> {
  const server = net.createServer((socket) => {
    socket.on('data', (chunk) => socket.write(`${name}:${chunk.toString()}`))
    socket.on('error', () => undefined)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanups.push(() => server.close())
  const address = server.address()
  return { host: '127.0.0.1', port: typeof address === 'object' && address !== null ? address.port : 0 }
}

async function open(): Promise<FrontDoor> {
  const door = await openFrontDoor({ host: '127.0.0.1', port: 0, log: silentLog })
  cleanups.push(() => door.close())
  return door
}

function connect(port: number): { socket: net.Socket; text: () => string; closed: Promise<void> } {
  const socket = net.connect(port, '127.0.0.1')
  let text = ''
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1')
  })
  socket.on('error', () => undefined)
  return { socket, text: () => text, closed: new Promise((resolve) => socket.on('close', () => resolve())) }
}

test('bytes pass both ways, and a new target takes new connections and closes those to the old one', async () => {
  const [first, second] = [await echo('first'), await echo('second')]
  const door = await open()
  door.setTarget(first)
  const old = connect(door.port)
  old.socket.write('a')
  await expect.poll(old.text).toBe('first:a')
  door.setTarget(second)
  await old.closed
  const fresh = connect(door.port)
  fresh.socket.write('b')
  await expect.poll(fresh.text).toBe('second:b')
  fresh.socket.destroy()
})

test('a client that comes while there is no compute waits for the next one, with nothing of what it sent lost', async () => {
  const door = await open()
  const client = connect(door.port)
  client.socket.write('early')
  await new Promise((resolve) => setTimeout(resolve, 50))
  door.setTarget(await echo('late'))
  await expect.poll(client.text).toBe('late:early')
  client.socket.destroy()
})

test('a compute that does not answer gives a Postgres error with a SQLSTATE', async () => {
  const door = await open()
  door.setTarget({ host: '127.0.0.1', port: 1 })
  const client = connect(door.port)
  await client.closed
  expect(client.text()[0]).toBe('E')
  expect(client.text()).toContain('C57P03')
})

test('a taken port is a conflict that names the address', async () => {
  const door = await open()
  await expect(openFrontDoor({ host: '127.0.0.1', port: door.port, log: silentLog })).rejects.toMatchObject({
    code: 'conflict',
  })
})
