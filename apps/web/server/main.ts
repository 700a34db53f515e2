import { spawn } from 'node:child_process'
import { once } from 'node:events'
import * as net from 'node:net'
import * as path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { createGateway } from './gateway.ts'

/**
 * The program `web`: the console on one port, with the API behind it.
 *
 *   TRIBUTARY_WEB_PORT   port to listen on (default 3000)
 *   TRIBUTARY_WEB_HOST   address to listen on (default 127.0.0.1)
 *   TRIBUTARY_API_URL    where the API is (default http://127.0.0.1:4000)
 *
 * With --dev, Next.js runs from source and reloads; without, the standalone build runs in this very process.
 */
const isDevelopment = process.argv.includes('--dev')
const webFolder = path.dirname(import.meta.dirname)
const port = portFrom('TRIBUTARY_WEB_PORT', 3000)
const host = process.env.TRIBUTARY_WEB_HOST ?? '127.0.0.1'
const api = urlFrom('TRIBUTARY_API_URL', 'http://127.0.0.1:4000')

const nextPort = await freePort()
const next = new URL(`http://127.0.0.1:${nextPort}`)
process.env.NEXT_TELEMETRY_DISABLED = '1'
if (isDevelopment) startNextFromSource()
else await startNextBuild()

const server = createGateway({ api, next, isDevelopment })
server.listen(port, host)
await once(server, 'listening')
await untilReachable(nextPort)
console.log(
  JSON.stringify({ level: 30, time: Date.now(), process: 'web', msg: 'listening', host, port, api: api.href }),
)
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(0))

function startNextFromSource(): void {
  const child = spawn(process.execPath, [nextCommand(), 'dev', '--port', String(nextPort), '--hostname', '127.0.0.1'], {
    cwd: webFolder,
    stdio: 'inherit',
  })
  process.on('exit', () => child.kill())
  child.on('exit', (code) => process.exit(code ?? 1))
}

/** Next's standalone server listens where the environment says and keeps running here: one process, not two. */
async function startNextBuild(): Promise<void> {
  const entry = path.join(webFolder, '.next', 'standalone', 'apps', 'web', 'server.js')
  process.env.PORT = String(nextPort)
  process.env.HOSTNAME = '127.0.0.1'
  await import(pathToFileURL(entry).href)
}

function nextCommand(): string {
  return path.join(path.dirname(path.dirname(webFolder)), 'node_modules', 'next', 'dist', 'bin', 'next')
}

async function freePort(): Promise<number> {
  const probe = net.createServer()
  probe.listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  probe.close()
  await once(probe, 'close')
  if (address === null || typeof address === 'string') throw new Error('no free port')
  return address.port
}

async function untilReachable(portNumber: number): Promise<void> {
  for (;;) {
    const socket = net.connect(portNumber, '127.0.0.1')
    const isOpen = await new Promise<boolean>((done) => {
      socket.once('connect', () => done(true))
      socket.once('error', () => done(false))
    })
    socket.destroy()
    if (isOpen) return
    await sleep(50)
  }
}

function portFrom(name: string, fallback: number): number {
  const text = process.env[name]
  if (text === undefined) return fallback
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1 || value > 65_535) throw new Error(`${name}: not a port: ${text}`)
  return value
}

function urlFrom(name: string, fallback: string): URL {
  const text = process.env[name] ?? fallback
  if (!URL.canParse(text) || !text.startsWith('http://')) throw new Error(`${name}: not an http:// address: ${text}`)
  const url = new URL(text)
  if (url.port === '') url.port = '80'
  return url
}
