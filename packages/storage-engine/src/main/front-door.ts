import * as net from 'node:net'
import type { Log } from '../io/log.ts'
import { systemError } from '../io/node-errors.ts'

/** How long a client waits for a compute before it is told that there is none. */
const TARGET_WAIT_MS_MAX = 30_000
/** Clients waiting for a compute. */
const WAITING_MAX = 1000

export interface FrontDoorTarget {
  readonly host: string
  readonly port: number
}

export interface FrontDoor {
  readonly port: number
  /** New connections go there. Those to another target are closed; without a target new ones wait. */
  setTarget(target: FrontDoorTarget | undefined): void
  close(): Promise<void>
}

/** A fixed Postgres address in front of whichever compute serves a branch now: failover is a change of pointer. */
export async function openFrontDoor(options: { host: string; port: number; log: Log }): Promise<FrontDoor> {
  let target: FrontDoorTarget | undefined
  let isClosed = false
  const waiting = new Set<() => void>()
  const pairs = new Map<net.Socket, FrontDoorTarget | undefined>()

  const server = net.createServer({ noDelay: true, pauseOnConnect: true }, (client) => {
    pairs.set(client, undefined)
    client.on('close', () => pairs.delete(client))
    client.on('error', () => client.destroy())
    if (target) return splice(client, target)
    if (waiting.size >= WAITING_MAX) return refuse(client)
    const timer = setTimeout(() => {
      waiting.delete(wake)
      refuse(client)
    }, TARGET_WAIT_MS_MAX)
    const wake = () => {
      clearTimeout(timer)
      waiting.delete(wake)
      if (target && !client.destroyed) splice(client, target)
      else client.destroy()
    }
    waiting.add(wake)
    client.on('close', () => {
      clearTimeout(timer)
      waiting.delete(wake)
    })
  })

  function splice(client: net.Socket, to: FrontDoorTarget): void {
    pairs.set(client, to)
    const upstream = net.connect({ host: to.host, port: to.port, noDelay: true })
    upstream.on('connect', () => {
      client.pipe(upstream)
      upstream.pipe(client)
    })
    upstream.on('error', (error) => {
      if (upstream.bytesRead === 0) {
        options.log.debug('front door: compute does not answer', { error: error.message })
        refuse(client)
      } else client.destroy()
    })
    upstream.on('close', () => client.end())
    client.on('close', () => upstream.destroy())
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) =>
      reject(systemError('listen', error, { address: `${options.host}:${options.port}` })),
    )
    server.listen({ host: options.host, port: options.port }, () => {
      server.removeAllListeners('error')
      server.on('error', (error) => options.log.warn('front door error', { error: error.message }))
      resolve()
    })
  })
  const address = server.address()

  return {
    port: address !== null && typeof address === 'object' ? address.port : options.port,
    setTarget(next: FrontDoorTarget | undefined): void {
      target = next
      for (const [client, to] of pairs) {
        if (to && (to.host !== next?.host || to.port !== next.port)) client.destroy()
      }
      if (next) for (const wake of [...waiting]) wake()
    },
    close: () =>
      new Promise((resolve) => {
        if (isClosed) return resolve()
        isClosed = true
        server.close(() => resolve())
        for (const client of pairs.keys()) client.destroy()
      }),
  }
}

/** ErrorResponse of the Postgres protocol: 'E', length, fields ended by zeros. Sent before anything else it is understood. */
function refuse(client: net.Socket): void {
  const fields = [
    'SFATAL',
    'VFATAL',
    'C57P03',
    'Mno compute is running for this branch',
    'HTry again in a few seconds.',
  ]
  const body = Buffer.from(`${fields.join('\0')}\0\0`)
  const head = Buffer.alloc(5)
  head.write('E', 0)
  head.writeUInt32BE(body.length + 4, 1)
  if (!client.destroyed) client.end(Buffer.concat([head, body]))
}
