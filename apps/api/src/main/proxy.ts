import { randomBytes } from 'node:crypto'
import * as fs from 'node:fs'
import * as path from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { pino } from 'pino'
import { runConnectionReporter } from '../proxy/connection-reporter.ts'
import { HttpRouteProvider } from '../proxy/http-route-provider.ts'
import { Poolers } from '../proxy/pooler/poolers.ts'
import { readProxyConfig } from '../proxy/proxy-config.ts'
import { ProxyServer } from '../proxy/proxy-server.ts'
import { openStatusServer } from '../proxy/status-server.ts'
import { loadTlsMaterial } from '../proxy/tls-material.ts'

const STOP_MS_MAX = 5_000

/** The Postgres proxy: `proxy <configuration file>`. One line of JSON on standard output says where it listens. */
async function main(): Promise<void> {
  const configFile = process.argv[2]
  if (configFile === undefined) throw new Error('usage: proxy <configuration file>')
  const config = readProxyConfig(configFile)
  const log = pino({ name: 'proxy', level: config.logLevel }, pino.destination({ fd: 2, sync: false }))
  const folder = path.join(config.home, 'proxy')
  const tls = loadTlsMaterial({
    given: config.tls,
    folder,
    names: certificateNames(config.publicHost),
    nowMs: Date.now(),
  })
  if (tls.channelBinding === undefined)
    log.warn(
      { file: tls.certificateFile },
      'this certificate allows no channel binding: SCRAM-SHA-256-PLUS is not offered',
    )
  if (tls.validToMs < Date.now()) log.warn({ file: tls.certificateFile }, 'the TLS certificate has expired')

  const proxyId = randomBytes(8).toString('hex')
  const routes = new HttpRouteProvider({
    url: config.api.url.replace(/\/$/, ''),
    token: () => fs.readFileSync(config.api.tokenFile, 'utf8').trim(),
    nowMs: Date.now,
  })
  const poolers =
    config.pooler &&
    (await Poolers.open({
      file: config.pooler.file,
      home: config.home,
      clientsMax: config.limits.pooledClientsMax,
      log,
      nowMs: Date.now,
    }))
  const proxy = new ProxyServer({
    config,
    tls,
    routes,
    poolers,
    mockSecret: loadSecret(path.join(folder, 'mock-secret')),
    proxyId,
    log,
    nowMs: Date.now,
  })
  await proxy.listen()
  const loop = monitorEventLoopDelay({ resolution: 10 })
  loop.enable()
  const startedAt = new Date().toISOString()
  const status = await openStatusServer({
    ...config.status,
    registry: proxy.metrics.registry,
    status: () => ({
      process: 'proxy',
      pid: process.pid,
      proxyId,
      startedAt,
      host: config.host,
      port: proxy.port,
      certificateFile: tls.certificateFile,
      certificateValidTo: new Date(tls.validToMs).toISOString(),
      eventLoopDelayMsMax: Math.round(loop.max / 1e5) / 10,
      ...proxy.status(),
    }),
  })
  const stop = new AbortController()
  const reporter = runConnectionReporter({
    sessions: proxy.sessions,
    routes,
    proxyId,
    intervalMs: config.limits.reportMs,
    log,
    nowMs: Date.now,
    signal: stop.signal,
  })
  const end = (reason: string) => {
    if (stop.signal.aborted) return
    log.info({ reason }, 'stopping')
    stop.abort()
    setTimeout(() => process.exit(1), STOP_MS_MAX).unref()
    status.server.close()
    status.server.closeAllConnections()
    Promise.all([proxy.close().then(() => poolers?.close()), reporter]).then(
      () => process.exit(0),
      () => process.exit(1),
    )
  }
  process.on('SIGTERM', () => end('SIGTERM'))
  process.on('SIGINT', () => end('SIGINT'))
  log.info({ host: config.host, port: proxy.port, statusPort: status.port }, 'listening')
  process.stdout.write(`${JSON.stringify({ host: config.host, port: proxy.port, statusPort: status.port })}\n`)
}

function certificateNames(publicHost: string | undefined): string[] {
  const names = publicHost === undefined ? [] : [publicHost, `*.${publicHost}`]
  return [...new Set([...names, 'localhost', '*.localhost', '127.0.0.1', '::1'])]
}

/** Made at the first start and kept. */
function loadSecret(file: string): Buffer {
  fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 })
  try {
    fs.writeFileSync(file, randomBytes(32), { mode: 0o600, flag: 'wx', flush: true })
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  }
  const secret = fs.readFileSync(file)
  if (secret.length < 32) throw new Error(`the secret ${file} is too short: remove it, a new one is made`)
  return secret
}

main().catch((error: unknown) => {
  process.stderr.write(`the proxy did not start: ${error instanceof Error ? error.message : error}\n`)
  process.exit(1)
})
