import { type ChildProcess, spawn } from 'node:child_process'
import * as fs from 'node:fs'
import { createServer, type Server } from 'node:http'
import * as os from 'node:os'
import * as path from 'node:path'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import {
  type BenchContext,
  type BenchReport,
  median,
  rounded,
} from '../../../packages/storage-engine/bench/bench-report.ts'
import { computeUri } from '../../../packages/storage-engine/bench/commit.bench.ts'
import { pgbenchInit, pgbenchRun, requirePgbench } from '../../../packages/storage-engine/bench/pgbench.ts'
import { startStack } from '../../../packages/storage-engine/test/stack-fixture.ts'
import { PROXY_ROUTE_PATH, type RouteAnswer } from '../src/proxy/proxy-contract.ts'
import { startYardstick } from './pgbouncer-yardstick.ts'

const program = fileURLToPath(new URL('../dist/main/proxy.mjs', import.meta.url))
const ENDPOINT = 'ep-bench'
const YARDSTICK_PORT = 27_195

/**
 * What the proxy costs: pgbench (tpcb-like, prepared, commits through the quorum) at a compute of the real stack, directly
 * over TCP and through the proxy as its own process, where the stack puts it: TCP to the client, the compute's Unix socket
 * behind; turns alternate. Neither side of the ratios has TLS (a compute offers none). Ratios are proxy / direct: latency
 * (lower is better) at 1 and 8 clients, transactions per second (higher is better) at 8. The figures also have the worst case
 * for any proxy, reads that a compute answers from memory, and TLS to the client; and, where PgBouncer is installed, what a
 * proxy in C costs on the same machine in the same turns.
 */
export async function bench({ say, isQuick }: BenchContext): Promise<BenchReport> {
  await requirePgbench()
  const [scale, seconds, rounds] = isQuick ? [2, 3, 1] : [20, 12, 3]
  const stack = await startStack()
  try {
    const direct = await makeRole(new URL(await computeUri(stack)))
    const route = await routeTo(direct)
    const api = await serveRoutes(route)
    const proxy = await startProxy(api.url, { host: direct.hostname, folder: path.join(stack.home, 'run', 'postgres') })
    const yardstick = await startYardstick(direct, YARDSTICK_PORT)
    try {
      const proxied = new URL(direct)
      proxied.port = String(proxy.port)
      proxied.searchParams.set('options', `endpoint=${ENDPOINT}`)
      const uri = (url: URL, sslmode: string) => {
        const result = new URL(url)
        result.searchParams.set('sslmode', sslmode)
        return { uri: result.href.replaceAll('+', '%20') }
      }
      const paths = {
        direct: uri(direct, 'disable'),
        proxy: uri(proxied, 'disable'),
        proxyTls: uri(proxied, 'require'),
        ...(yardstick ? { pgbouncer: uri(yardstick.url, 'disable') } : {}),
      }
      const names = Object.keys(paths) as (keyof typeof paths)[]
      say(`loading scale ${scale}`)
      await pgbenchInit(paths.direct, scale)
      const figures: Record<string, number> = {}
      const ratios: Record<string, number> = {}
      for (const [load, isSelectOnly] of [
        ['write', false],
        ['read', true],
      ] as const) {
        for (const clients of [1, 8]) {
          const tps: Record<string, number[]> = Object.fromEntries(names.map((name) => [name, []]))
          for (let round = 0; round < rounds; round++)
            for (const name of names) {
              const by = paths[name]
              if (by) tps[name]?.push(await pgbenchRun(by, { clients, seconds, isSelectOnly }))
            }
          const tpsOf = (name: string) => median(tps[name] ?? [])
          for (const name of names) {
            const value = tpsOf(name)
            figures[`${load}Tps${name[0]?.toUpperCase()}${name.slice(1)}C${clients}`] = rounded(value)
            figures[`${load}LatencyUs${name[0]?.toUpperCase()}${name.slice(1)}C${clients}`] = rounded(
              (clients * 1e6) / value,
            )
          }
          const ratio = tpsOf('proxy') / tpsOf('direct')
          if (yardstick) figures[`${load}RatioPgbouncerC${clients}`] = rounded(tpsOf('pgbouncer') / tpsOf('direct'))
          say(`${load} c${clients}: proxy ${(100 * ratio).toFixed(0)} % of direct`)
          figures[`${load}RatioC${clients}`] = rounded(ratio)
          if (load === 'write') {
            ratios[`latencyC${clients}`] = rounded(1 / ratio)
            if (clients === 8) ratios.tpsC8 = rounded(ratio)
          }
        }
      }
      return { bench: 'proxy', figures, ratios }
    } finally {
      yardstick?.stop()
      proxy.child.kill('SIGTERM')
      api.server.close()
      api.server.closeAllConnections()
      fs.rmSync(proxy.home, { recursive: true, force: true })
    }
  } finally {
    await stack.cleanup()
  }
}

/** A role such as clients have: the one of the engine alone is `postgres`, which the proxy does not take to the socket. */
async function makeRole(address: URL): Promise<URL> {
  const client = new pg.Client({ connectionString: address.href })
  await client.connect()
  try {
    await client.query("create role bench superuser login password 'bench'")
  } finally {
    await client.end()
  }
  const result = new URL(address)
  result.username = 'bench'
  result.password = 'bench'
  return result
}

/** What the API would answer for the compute at this address. */
async function routeTo(address: URL): Promise<RouteAnswer> {
  const client = new pg.Client({ connectionString: address.href })
  await client.connect()
  try {
    const { rows } = await client.query('select rolpassword from pg_authid where rolname = current_user')
    return {
      endpointId: ENDPOINT,
      projectId: 'bench',
      branchId: 'br-bench',
      state: 'active',
      address: { host: address.hostname, port: Number(address.port) },
      verifier: rows[0]?.rolpassword ?? null,
      limits: { connectionsMax: 100, idleTimeoutMs: 0 },
    }
  } finally {
    await client.end()
  }
}

async function serveRoutes(route: RouteAnswer): Promise<{ server: Server; url: string }> {
  const server = createServer((request, response) => {
    request.resume()
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(request.url?.startsWith(PROXY_ROUTE_PATH) ? route : { current: [] }))
  })
  await new Promise<void>((resolve) => server.listen({ host: '127.0.0.1', port: 0 }, resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no address')
  return { server, url: `http://127.0.0.1:${address.port}` }
}

async function startProxy(
  apiUrl: string,
  computeSockets: { host: string; folder: string },
): Promise<{ child: ChildProcess; port: number; home: string }> {
  const home = fs.mkdtempSync(path.join(os.tmpdir(), 'tributary-proxy-bench-'))
  fs.writeFileSync(path.join(home, 'token'), 'bench', { mode: 0o600 })
  const api = { url: apiUrl, tokenFile: path.join(home, 'token') }
  const config = { port: 0, api, computeSockets, home, logLevel: 'warn' }
  fs.writeFileSync(path.join(home, 'proxy.json'), JSON.stringify(config))
  const child = spawn(process.execPath, [program, path.join(home, 'proxy.json')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const line = await new Promise<string>((resolve, reject) => {
    child.stdout?.once('data', (chunk: Buffer) => resolve(chunk.toString()))
    child.once('exit', (code) => reject(new Error(`the proxy ended with ${code}`)))
  })
  const { port } = JSON.parse(line) as { port: number }
  return { child, port, home }
}
