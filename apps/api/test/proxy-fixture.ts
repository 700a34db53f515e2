import { randomBytes } from 'node:crypto'
import * as fs from 'node:fs'
import { connect } from 'node:net'
import * as os from 'node:os'
import * as path from 'node:path'
import type pg from 'pg'
import { pino } from 'pino'
import {
  createPostgres,
  type PostgresFixture,
  type PostgresSettings,
} from '../../../packages/storage-engine/test/postgres-fixture.ts'
import { Poolers } from '../src/proxy/pooler/poolers.ts'
import { type ProxyConfig, proxyConfigSchema } from '../src/proxy/proxy-config.ts'
import type {
  ComputeAddress,
  ConnectionsReport,
  RouteAnswer,
  RouteQuery,
  WakeRequest,
} from '../src/proxy/proxy-contract.ts'
import { ProxyServer } from '../src/proxy/proxy-server.ts'
import type { RouteProvider } from '../src/proxy/route-provider.ts'
import { loadTlsMaterial, type TlsMaterial } from '../src/proxy/tls-material.ts'
import { encodeCancelRequest, ProxyError } from '../src/proxy/wire.ts'

/** A stock Postgres that asks for SCRAM of all but its superuser on the socket, with a role `app` (password `secret`) and a database `app`. */
export async function startScramPostgres(tcpPort: number, settings: PostgresSettings = {}): Promise<PostgresFixture> {
  const postgres = await createPostgres({ tcpPort, settings })
  fs.writeFileSync(
    path.join(postgres.dataDir, 'pg_hba.conf'),
    'local all postgres trust\nlocal all all scram-sha-256\nlocal replication all trust\nhost all all all scram-sha-256\n',
  )
  await postgres.start()
  await postgres.query(`create role app login password 'secret'`)
  await postgres.query('create database app owner app')
  return postgres
}

/** The control plane's part, over Postgres servers of the test. */
export class TestRoutes implements RouteProvider {
  readonly endpoints = new Map<string, TestEndpoint>()
  readonly queries: RouteQuery[] = []
  readonly wakes: WakeRequest[] = []
  readonly reports: ConnectionsReport[] = []
  /** How an endpoint is woken; by default it is said to run on its own server at once. */
  onWake: (request: WakeRequest, signal: AbortSignal) => Promise<ComputeAddress> = async ({ endpointId }) => {
    const address = this.endpoints.get(endpointId)?.server
    if (!address) throw new ProxyError('57P03', 'no server')
    return address
  }

  async route(query: RouteQuery): Promise<RouteAnswer> {
    this.queries.push(query)
    const endpoint = this.endpoints.get(query.endpoint)
    if (!endpoint) throw new ProxyError('08004', 'no such endpoint')
    return {
      endpointId: query.endpoint,
      projectId: 'test',
      branchId: 'br-test',
      state: endpoint.isDisabled ? 'disabled' : endpoint.isAsleep ? 'idle' : 'active',
      address: endpoint.isAsleep ? null : endpoint.server,
      verifier: endpoint.verifiers.get(query.user) ?? null,
      limits: { connectionsMax: endpoint.connectionsMax ?? 100, idleTimeoutMs: endpoint.idleTimeoutMs ?? 0 },
    }
  }

  wake(request: WakeRequest, { signal }: { signal: AbortSignal }): Promise<ComputeAddress> {
    this.wakes.push(request)
    return this.onWake(request, signal)
  }

  async reportConnections(report: ConnectionsReport) {
    this.reports.push(report)
    return {
      current: report.endpoints.flatMap(({ endpointId }) => {
        const endpoint = this.endpoints.get(endpointId)
        return endpoint ? [{ endpointId, address: endpoint.server }] : []
      }),
    }
  }

  /** Adds an endpoint over a server, with the verifiers the server has. */
  async add(endpointId: string, postgres: PostgresFixture, more: Partial<TestEndpoint> = {}): Promise<TestEndpoint> {
    const rows = await postgres.query<{ rolname: string; rolpassword: string }>(
      'select rolname, rolpassword from pg_authid where rolpassword is not null',
    )
    const endpoint: TestEndpoint = {
      server: { host: '127.0.0.1', port: postgres.port },
      verifiers: new Map(rows.map((row) => [row.rolname, row.rolpassword])),
      ...more,
    }
    this.endpoints.set(endpointId, endpoint)
    return endpoint
  }
}

export interface TestEndpoint {
  server: ComputeAddress
  verifiers: Map<string, string>
  isAsleep?: boolean
  isDisabled?: boolean
  connectionsMax?: number
  idleTimeoutMs?: number
}

export interface TestProxy {
  readonly proxy: ProxyServer
  readonly port: number
  readonly tls: TlsMaterial
  readonly folder: string
  close(): Promise<void>
}

export async function startTestProxy(
  routes: RouteProvider,
  options: {
    limits?: Partial<ProxyConfig['limits']>
    publicHost?: string
    port?: number
    computeSockets?: ProxyConfig['computeSockets']
    /** PgBouncer, for pooled names. */
    pooler?: string
  } = {},
): Promise<TestProxy> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tributary-proxy-'))
  const config = proxyConfigSchema.parse({
    port: options.port ?? 0,
    publicHost: options.publicHost ?? 'db.localtest',
    api: { url: 'http://127.0.0.1:1', tokenFile: 'none' },
    home: folder,
    limits: options.limits ?? {},
    computeSockets: options.computeSockets,
  })
  const tls = loadTlsMaterial({
    given: undefined,
    folder,
    names: ['db.localtest', '*.db.localtest', 'localhost', '127.0.0.1'],
    nowMs: Date.now(),
  })
  const log = pino({ level: process.env.PROXY_TEST_LOG ?? 'silent' })
  const { pooledClientsMax: clientsMax } = config.limits
  const poolers =
    options.pooler === undefined
      ? undefined
      : await Poolers.open({ file: options.pooler, home: folder, clientsMax, log, nowMs: Date.now })
  const proxy = new ProxyServer({
    config,
    tls,
    routes,
    poolers,
    mockSecret: randomBytes(32),
    proxyId: 'test-proxy',
    log,
    nowMs: Date.now,
  })
  await proxy.listen()
  return {
    proxy,
    port: proxy.port,
    tls,
    folder,
    async close() {
      await proxy.close()
      await poolers?.close()
      fs.rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Asks, as libpq does, for a cancel of what this session runs; at the proxy's port, or wherever it logged in. */
export function requestCancel(port: number, session: pg.Client): void {
  const { processID, secretKey } = session as unknown as { processID: number; secretKey: number }
  const key = Buffer.alloc(4)
  key.writeInt32BE(secretKey)
  connect(port, '127.0.0.1').end(encodeCancelRequest(processID, key))
}
