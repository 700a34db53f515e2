import * as fs from 'node:fs'
import * as os from 'node:os'
import * as path from 'node:path'
import { z } from 'zod'
import { projectOf, queryOf, storageAdminRoutes, timelineOf } from '../admin/http-storage-admin-server.ts'
import { errorText, StorageError } from '../base/errors.ts'
import { DeltaWriter } from '../delta-writer/delta-writer.ts'
import { openHttpServer, rawReply } from '../io/http-server.ts'
import { openNodeEnv } from '../io/node-env.ts'
import { spawnProcess, stopOnSignal } from '../io/node-process.ts'
import { openWorkerPool } from '../io/node-workers.ts'
import { assertReachableBy, findPostgresBinaries } from '../io/postgres-binaries.ts'
import { openObjectStore } from '../object-store/open-object-store.ts'
import { STATISTICS_BYTES_MAX } from '../pageserver/compute-statistics.ts'
import type { Initdb } from '../pageserver/initdb.ts'
import { OpenLayerPool } from '../pageserver/layer/open-layer-pool.ts'
import { openPageService } from '../pageserver/page-service.ts'
import { PageServerService } from '../pageserver/pageserver-service.ts'
import { PageCache } from '../pageserver/timeline/page-cache.ts'
import { openWalArchive } from '../pageserver/wal-archive.ts'
import { Lsn } from '../postgres/lsn.ts'
import { parseBody } from './node-agent-routes.ts'
import { readPageserverConfig } from './pageserver-config.ts'

const statisticsBody = z.strictObject({ lsn: z.string(), file: z.base64() })
const STOP_GRACE_MS = 30_000
/** 8192 x 8 KiB = 64 MiB of rebuilt pages. */
const CACHED_PAGES_MAX = 8192
/** Merges and images can wait for a turn of the processor; reads, ingest and flushes cannot. */
const UPKEEP_NICENESS = 5
/** Account that initdb runs as when this process is root ("nobody"). */
const POSTGRES_UID = 65534
const BUNDLE_WAIT_MS_MAX = 60_000

/** The PageServer process: page service, admin and boot bundles. */
async function main(): Promise<void> {
  const config = readPageserverConfig(process.env)
  const env = openNodeEnv({ name: 'pageserver', logLevel: config.logLevel })
  let state = 'starting'
  let service: PageServerService | undefined
  const ready = (): PageServerService => {
    if (!service) throw new StorageError('unavailable', 'pageserver is starting')
    return service
  }

  fs.mkdirSync(config.dataDirectory, { recursive: true })
  const http = await openHttpServer({
    host: config.host,
    port: config.httpPort,
    log: env.log,
    status: () => ({ state, ...((service?.status() as object | undefined) ?? {}) }),
    metricsText: () => env.metrics.text(),
    // A statistics file in base64.
    bodyBytesMax: STATISTICS_BYTES_MAX * 1.4,
    ...(config.adminToken === undefined ? {} : { token: config.adminToken }),
    routes: {
      ...storageAdminRoutes(lazyAdmin(ready)),
      'GET /projects/:projectId/timelines/:timelineId/tip': (request) =>
        ready().tip(
          projectOf(request),
          timelineOf(request),
          Lsn.parse(request.query.get('atLeast') ?? '0/0'),
          Number(request.query.get('waitMs') ?? 0) || 0,
        ),
      'GET /projects/:projectId/timelines/:timelineId/read-point': (request) =>
        ready().readPoint(projectOf(request), timelineOf(request), queryOf(request, 'lsn')),
      'PUT /projects/:projectId/timelines/:timelineId/statistics': (request) => {
        const { lsn, file } = parseBody(statisticsBody, request.body)
        return ready().saveStatistics(
          projectOf(request),
          timelineOf(request),
          Lsn.parse(lsn),
          Uint8Array.from(Buffer.from(file, 'base64')),
        )
      },
      'GET /projects/:projectId/timelines/:timelineId/boot-bundle': async (request) => {
        const waitMs = Math.min(Number(request.query.get('waitMs') ?? BUNDLE_WAIT_MS_MAX), BUNDLE_WAIT_MS_MAX)
        const lsn = Lsn.parse(queryOf(request, 'lsn'))
        const bytes = await ready().bootBundle(projectOf(request), timelineOf(request), lsn, waitMs)
        return rawReply('application/octet-stream', bytes)
      },
    },
  })
  const objectStore = await openObjectStore(config.objectStore, env)
  const workers = openWorkerPool({
    name: 'pageserver/upkeep/upkeep',
    threadCount: config.upkeepThreads,
    niceness: UPKEEP_NICENESS,
  })
  const flushWorkers = openWorkerPool({ name: 'pageserver/upkeep/upkeep', threadCount: 1 })
  const openLayerPool = new OpenLayerPool()
  const readWorkers = openWorkerPool({ name: 'pageserver/upkeep/upkeep', threadCount: config.readThreads })
  const opened = await PageServerService.open({
    env,
    objectStore,
    workers,
    flushWorkers,
    readWorkers,
    openLayerPool,
    directory: config.dataDirectory,
    safekeepers: config.safekeepers,
    archive: openWalArchive(objectStore),
    pageCache: new PageCache(CACHED_PAGES_MAX),
    initdb,
    deltaPublisher: new DeltaWriter({ env, objectStore }),
    publishIntervalMs: config.publishIntervalSeconds * 1000,
  })
  const pages = await openPageService({
    env,
    address: { host: config.host, port: config.port },
    timeline: (projectId, timelineId) => opened.timeline(projectId, timelineId),
  })
  service = opened
  state = 'ready'
  env.log.info('ready', { port: config.port, httpPort: http.port })

  stopOnSignal({
    graceMs: STOP_GRACE_MS,
    stop: async (reason) => {
      state = 'stopping'
      env.log.info('stopping', { reason })
      await pages.close()
      await http.close()
      await opened.close()
      await workers.close()
      await flushWorkers.close()
      await readWorkers.close()
    },
    onError: (error) => env.log.error('stop failed', { error: errorText(error) }),
  })
}

/** The admin, answering `unavailable` until there is one. */
function lazyAdmin(ready: () => PageServerService): PageServerService {
  return new Proxy({} as PageServerService, {
    get: (_target, name) => {
      const service = ready()
      const member = Reflect.get(service, name) as unknown
      return typeof member === 'function' ? member.bind(service) : member
    },
  })
}

/** Runs initdb of the npm binaries, under an unprivileged account when this process is root, which it refuses to serve. */
const initdb: Initdb = async (directory) => {
  const { initdb: command } = findPostgresBinaries()
  const isRoot = process.getuid?.() === 0
  const work = fs.mkdtempSync(path.join(os.tmpdir(), 'tributary-initdb-'))
  try {
    if (isRoot) {
      assertReachableBy(POSTGRES_UID, command)
      fs.chownSync(work, POSTGRES_UID, POSTGRES_UID)
    }
    const made = path.join(work, 'data')
    const lines: string[] = []
    const child = await spawnProcess({
      command,
      args: [
        ...['-D', made, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--no-sync', '--no-data-checksums'],
        ...['--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--no-instructions'],
      ],
      ...(isRoot ? { uid: POSTGRES_UID, gid: POSTGRES_UID } : {}),
      onLine: (line) => lines.push(line),
    })
    const { code } = await child.exited
    if (code !== 0)
      throw new StorageError('unavailable', 'initdb failed', { code: code ?? -1, output: lines.slice(-5).join(' | ') })
    fs.cpSync(made, directory, { recursive: true })
  } finally {
    fs.rmSync(work, { recursive: true, force: true })
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${JSON.stringify({ level: 'fatal', name: 'pageserver', error: errorText(error) })}\n`)
  process.exit(1)
})
