import * as fs from 'node:fs'
import { errorText } from '../base/errors.ts'
import { openHttpServer } from '../io/http-server.ts'
import { openNodeEnv } from '../io/node-env.ts'
import { lowerProcessPriority } from '../io/node-priority.ts'
import { stopOnSignal } from '../io/node-process.ts'
import { openWorkerPool } from '../io/node-workers.ts'
import { openQueryWorker } from '../query/open-query-worker.ts'
import { queryRoutes } from '../query/query-routes.ts'
import { readQueryWorkerConfig } from './query-worker-config.ts'

const STOP_GRACE_MS = 10_000

/** The query worker process: SQL over branches, answered from columnar layers and pages. */
async function main(): Promise<void> {
  const config = readQueryWorkerConfig(process.env)
  lowerProcessPriority(config.niceness)
  const env = openNodeEnv({ name: 'query-worker', logLevel: config.logLevel })
  fs.mkdirSync(config.dataDirectory, { recursive: true })
  const workers = openWorkerPool({ name: 'query/fresh', threadCount: config.decodeThreads })
  const worker = await openQueryWorker({ ...config, env, workers })
  const http = await openHttpServer({
    host: config.host,
    port: config.httpPort,
    log: env.log,
    status: () => ({ state: 'ready', ...worker.service.status() }),
    metricsText: () => env.metrics.text(),
    ...(config.adminToken === undefined ? {} : { token: config.adminToken }),
    routes: queryRoutes(worker.service),
  })
  env.log.info('ready', { httpPort: http.port })
  stopOnSignal({
    graceMs: STOP_GRACE_MS,
    stop: async (reason) => {
      env.log.info('stopping', { reason })
      await worker.close()
      await http.close()
    },
    onError: (error) => env.log.error('stop failed', { error: errorText(error) }),
  })
}

main().catch((error: unknown) => {
  process.stderr.write(`${JSON.stringify({ level: 'fatal', name: 'query-worker', error: errorText(error) })}\n`)
  process.exit(1)
})
