import { connect, createServer, type Server, type Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import type { ComputeConnection } from './compute-connection.ts'
import { SplicedSession } from './spliced-session.ts'
import { ProxyError, SQLSTATE } from './wire.ts'

const servers: Server[] = []
const sockets: Socket[] = []
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy()
  for (const server of servers.splice(0)) server.close()
})

/** Two ends of one connection; the far one says itself when it is done. */
async function pair(): Promise<{ near: Socket; far: Socket }> {
  const server = createServer()
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve))
  const port = typeof address === 'object' && address ? address.port : 0
  const far = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  const near = await accepted
  sockets.push(near, far)
  far.on('error', () => undefined)
  return { near, far }
}

test('a session that is ended twice says why once, and waits for the end of a client that still sends', async () => {
  const [client, compute] = [await pair(), await pair()]
  let isClosed = false
  const connection = {
    socket: compute.near,
    attach: (onChunk: (chunk: Buffer) => void) => void compute.near.on('data', onChunk),
  } as unknown as ComputeConnection
  const session = new SplicedSession({
    client: client.near,
    compute: connection,
    isPooled: false,
    ahead: Buffer.alloc(0),
    onBrokenWait: () => undefined,
    onClose: () => {
      isClosed = true
    },
  })
  const told: Buffer[] = []
  client.far.on('data', (chunk: Buffer) => told.push(chunk))
  const farewell = new Promise((resolve) => client.far.once('end', resolve))
  session.end(new ProxyError(SQLSTATE.adminShutdown, 'moved'))
  session.end(new ProxyError(SQLSTATE.adminShutdown, 'moved again'))
  await farewell
  expect(Buffer.concat(told).toString()).toMatch(/^E[^E]*FATAL\0.*moved\0\0$/s)
  // More than sockets buffer: it goes out only if somebody reads.
  await new Promise<void>((resolve) => client.far.write(Buffer.alloc(8 * 1024 * 1024), () => resolve()))
  expect(isClosed).toBe(false)
  client.far.end()
  await expect.poll(() => isClosed, { timeout: 20_000 }).toBe(true)
})
