import * as fs from 'node:fs'
import * as path from 'node:path'
import { openQueryClient, type QueryClient } from '../src/admin/query-client.ts'
import { openHttpServer } from '../src/io/http-server.ts'
import { openNodeEnv } from '../src/io/node-env.ts'
import { openWorkerPool } from '../src/io/node-workers.ts'
import { openQueryWorker, type QueryWorkerOptions } from '../src/query/open-query-worker.ts'
import { queryRoutes } from '../src/query/query-routes.ts'
import type { Stack } from './stack-fixture.ts'
import { makeTemporaryFolder } from './temporary-folder.ts'

/** A query worker in this process, as main/query-worker.ts makes one, beside a stack. */
export interface QueryFixture {
  readonly client: QueryClient
  readonly directory: string
  close(): Promise<void>
}

export async function startQueryWorker(stack: Stack, options: Partial<QueryWorkerOptions> = {}): Promise<QueryFixture> {
  const { pageserver, safekeepers, home } = await stack.describe()
  const directory = makeTemporaryFolder('tributary-query-')
  const env = openNodeEnv({ name: 'query-worker', logLevel: 'warn' })
  const worker = await openQueryWorker({
    env,
    workers: openWorkerPool({ name: 'query/fresh', threadCount: 2 }),
    dataDirectory: directory,
    pageserver,
    safekeepers,
    objectStore: { kind: 'local', folder: path.join(home, 'objects') },
    concurrentQueries: 2,
    queuedQueriesMax: 16,
    queryMemoryMb: 512,
    queryThreads: 2,
    decodeThreads: 2,
    queryTimeoutMs: 60_000,
    querySpillMb: 1024,
    layerCacheMb: 1024,
    freshCacheMb: 256,
    exportBytesMax: 64 * 1024 * 1024,
    ...options,
  })
  const http = await openHttpServer({
    host: '127.0.0.1',
    port: 0,
    log: env.log,
    status: () => ({}),
    routes: queryRoutes(worker.service),
  })
  return {
    client: openQueryClient({ url: `http://127.0.0.1:${http.port}` }),
    directory,
    async close() {
      await worker.close()
      await http.close()
      fs.rmSync(directory, { recursive: true, force: true })
    },
  }
}
