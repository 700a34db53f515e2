import * as fs from 'node:fs'
import { z } from 'zod'
import { errorText, StorageError } from '../base/errors.ts'
import type { ComputeParts } from '../compute/compute-parts.ts'
import { type ComputeOptions, ComputeService } from '../compute/compute-service.ts'
import { PageClient } from '../compute/page-client.ts'
import { leaseLsn, readBootBundle, saveStatistics } from '../compute/storage-calls.ts'
import { clearStaleMount, type FuseMount, fuseObstacle, openFuseMount } from '../fuse/fuse-driver.ts'
import { Opcode } from '../fuse/fuse-protocol.ts'
import { openHttpServer } from '../io/http-server.ts'
import { type NodeEnv, openNodeEnv } from '../io/node-env.ts'
import type { LogLevel } from '../io/node-log.ts'
import { stopOnSignal } from '../io/node-process.ts'
import { assertReachableBy, findPostgresBinaries } from '../io/postgres-binaries.ts'
import type { DatabaseSpec, RoleSpec } from '../protocol/compute-control.ts'
import { ComputeExit } from '../protocol/compute-control.ts'
import { type ComputeConfig, parseComputeConfig, socketFolderOf } from './compute-config.ts'
import { isInOwnNamespace, namespaceIsOfUse, runInNamespace } from './compute-namespace.ts'
import { openComputeQuorum } from './compute-quorum.ts'
import { CuttableNetwork } from './cuttable-network.ts'
import { openReadPoint, type ReadPoint } from './read-point.ts'

/** A page that cannot be had for so long fails the query that needs it. */
const PAGE_GIVE_UP_MS = 60_000
const STOP_GRACE_MS = 20_000

await main()

async function main(): Promise<void> {
  const config = readConfig()
  if (namespaceIsOfUse(config.mode)) {
    process.exitCode = await runInNamespace()
    return
  }
  const env = openNodeEnv({ name: `compute-${config.computeId.slice(0, 8)}`, logLevel: config.logLevel as LogLevel })
  const { readOnlyLsn } = config
  const point =
    readOnlyLsn === undefined
      ? undefined
      : await openReadPoint(env, config, readOnlyLsn).catch((error: unknown) =>
          exitWith(ComputeExit.failed, `lsn: ${errorText(error)}`),
        )
  let mount: FuseMount | undefined
  const network = new CuttableNetwork(env.network)
  const service = new ComputeService(
    env,
    optionsOf(config, point),
    partsOf(env, config, point, network, (opened) => (mount = opened)),
  )
  const metrics = startedMetrics(env, service, () => mount)
  const server = await openHttpServer({
    host: config.host,
    port: config.httpPort,
    log: env.log,
    status: () => service.status(),
    metricsText: metrics,
    routes: {
      'POST /stop': () => {
        void service.stop('asked over http')
        return {}
      },
      'GET /activity': () => service.activity(),
      'POST /links': ({ body }) => {
        const { safekeeperIds, cut } = parseBody(linksBody, body)
        for (const id of safekeeperIds) {
          const found = config.safekeepers.find((safekeeper) => safekeeper.id === id)
          if (!found) throw new StorageError('not-found', 'no such safekeeper', { id })
          const address = { host: found.host, port: found.port }
          env.log.warn('link for a drill', { safekeeper: id, cut })
          if (cut === 'on') network.cut(address)
          else network.mend(address)
        }
        return {}
      },
      'POST /roles': ({ body }) => service.applyRoles(parseBody(z.array(roleSpec), body) as RoleSpec[]),
      'POST /databases': ({ body }) => service.applyDatabases(parseBody(z.array(databaseSpec), body) as DatabaseSpec[]),
    },
  }).catch((error: unknown) => exitWith(ComputeExit.failed, `http port: ${errorText(error)}`))

  stopOnSignal({
    graceMs: STOP_GRACE_MS,
    stop: (reason) => service.stop(reason),
    onError: (error) => env.log.error('stop failed', { reason: errorText(error) }),
  })
  void service.ended.then(async (exitCode) => {
    await server.close()
    process.exit(exitCode)
  })
  // Its failure is in the log and in `ended`.
  await service.start().catch(() => undefined)
  service.phases.set('process', performance.now())
}

function optionsOf(config: ComputeConfig, point: ReadPoint | undefined): ComputeOptions {
  const isRoot = process.getuid?.() === 0
  return {
    computeId: config.computeId,
    projectId: config.projectId,
    timelineId: config.timelineId,
    folder: config.dataDirectory,
    socketFolder: socketFolderOf(config),
    host: config.host,
    httpPort: config.httpPort,
    postgresPort: config.postgresPort,
    postgresPassword: config.postgresPassword,
    mode: config.mode,
    readOnlyLsn: point?.lsn,
    account: isRoot ? { uid: config.postgresUid, gid: config.postgresGid } : undefined,
    launcher: isInOwnNamespace() ? ['setpriv', '--inh-caps=-all', '--ambient-caps=-all'] : [],
    settings: config.settings,
    roleVerifiers: config.roleVerifiers,
  }
}

function partsOf(
  env: NodeEnv,
  config: ComputeConfig,
  point: ReadPoint | undefined,
  network: CuttableNetwork,
  onMount: (mount: FuseMount) => void,
): ComputeParts {
  const { postgres } = findPostgresBinaries()
  const timelineId = point?.timelineId ?? config.timelineId
  if (process.getuid?.() === 0) {
    try {
      fs.mkdirSync(config.dataDirectory, { recursive: true, mode: 0o711 })
      assertReachableBy(config.postgresUid, postgres)
      assertReachableBy(config.postgresUid, `${config.dataDirectory}/pgdata`)
    } catch (error) {
      exitWith(ComputeExit.failed, errorText(error))
    }
  }
  return {
    quorum: config.readOnlyLsn === undefined ? openComputeQuorum({ ...env, network }, config) : undefined,
    readBootBundle: (lsn) => readBootBundle(config.pageserver, config.projectId, timelineId, lsn),
    saveStatistics: (lsn, file) => saveStatistics(config.pageserver, config.projectId, timelineId, lsn, file),
    leaseLsn: (lsn, seconds) =>
      leaseLsn(config.pageserver, config.projectId, timelineId, { id: config.computeId, lsn, seconds }),
    openPages(lsn) {
      const { host, port } = config.pageserver
      const client = new PageClient({
        env,
        address: { host, port },
        projectId: config.projectId,
        timelineId,
        lsn,
        giveUpMs: PAGE_GIVE_UP_MS,
      })
      client.warmUp()
      return {
        readPages: (relation, firstBlock, blockCount) => client.readPages(relation, firstBlock, blockCount),
        usePages: (...args) => client.usePages(...args),
        close: () => client.close(),
      }
    },
    mountObstacle: config.mode === 'hydrate' ? undefined : fuseObstacle(),
    async openMount({ mountPath, cacheFolder, usePages }) {
      await clearStaleMount(mountPath)
      const mount = await openFuseMount({ mountPath, cacheFolder, pageReader: { usePages }, log: env.log })
      onMount(mount)
      return mount
    },
    postgresProgram: postgres,
  }
}

const roleSpec = z.strictObject({
  name: z.string().min(1).max(63),
  password: z.string().min(1).optional(),
  drop: z.boolean().optional(),
})
const databaseSpec = z.strictObject({
  name: z.string().min(1).max(63),
  owner: z.string().min(1).max(63).optional(),
  drop: z.boolean().optional(),
})

const linksBody = z.strictObject({ safekeeperIds: z.array(z.int()).min(1).max(100), cut: z.enum(['on', 'off']) })

function parseBody<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body)
  if (!parsed.success) throw new StorageError('invalid-input', z.prettifyError(parsed.error))
  return parsed.data
}

function startedMetrics(
  env: NodeEnv,
  service: ComputeService,
  mount: () => FuseMount | undefined,
): () => Promise<string> {
  const gauges = {
    readHits: env.metrics.gauge('tributary_compute_mount_read_hits', 'Reads of the mount answered locally'),
    readMisses: env.metrics.gauge(
      'tributary_compute_mount_read_misses',
      'Reads of the mount that needed the PageServer',
    ),
    writes: env.metrics.gauge('tributary_compute_mount_writes', 'Writes of Postgres to the mount'),
    requests: env.metrics.gauge(
      'tributary_compute_mount_requests',
      'Requests of the kernel to the mount: reads that its cache could not answer, writes, opens, and all others',
    ),
    readAheadPages: env.metrics.gauge(
      'tributary_compute_mount_read_ahead_pages',
      'Pages fetched ahead of their reader',
    ),
    ingestLagBytes: env.metrics.gauge(
      'tributary_compute_ingest_lag_bytes',
      'WAL of this compute that the PageServer has not ingested',
    ),
    throttledMs: env.metrics.gauge(
      'tributary_compute_wal_throttled_milliseconds',
      'Time for which WAL was held back because the PageServer was too far behind',
    ),
    startMs: env.metrics.gauge('tributary_compute_start_milliseconds', 'Process start to ready'),
  }
  return async () => {
    const stats = mount()?.stats()
    if (stats) {
      gauges.readHits.set(stats.readHits)
      gauges.readMisses.set(stats.readMisses)
      gauges.writes.set(stats.requests[Opcode.write] ?? 0)
      gauges.requests.set(Object.values(stats.requests).reduce((sum, count) => sum + count, 0))
      gauges.readAheadPages.set(stats.misses.readAheadPages)
    }
    const lag = service.ingestLag
    if (lag) {
      gauges.ingestLagBytes.set(lag.lagBytes)
      gauges.throttledMs.set(lag.throttledMs)
    }
    gauges.startMs.set(service.phases.toJson().process ?? 0)
    return env.metrics.text()
  }
}

function readConfig(): ComputeConfig {
  const configPath = process.env.TRIBUTARY_CONFIG
  if (!configPath) exitWith(ComputeExit.failed, 'TRIBUTARY_CONFIG must name a JSON file')
  try {
    return parseComputeConfig(JSON.parse(fs.readFileSync(configPath, 'utf8')))
  } catch (error) {
    exitWith(ComputeExit.failed, `${configPath}: ${errorText(error)}`)
  }
}

function exitWith(code: number, message: string): never {
  process.stderr.write(`${JSON.stringify({ level: 'error', name: 'compute', msg: message })}\n`)
  process.exit(code)
}
