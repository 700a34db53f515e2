import type { Env } from '../io/env.ts'
import type { Workers } from '../io/workers.ts'
import type { ObjectStoreConfig } from '../object-store/object-store-config.ts'
import { openObjectStore } from '../object-store/open-object-store.ts'
import type { ProjectId, TimelineId } from '../postgres/ids.ts'
import { CatalogCache } from './catalog-cache.ts'
import { EngineMaker, SqlParser } from './engine.ts'
import { FreshRowsCache } from './fresh-cache.ts'
import { LayerFactsCache } from './layer-facts.ts'
import { DownloadedLayers, folderLayers, type LocalLayers } from './local-layers.ts'
import { PageServiceClient } from './page-service-client.ts'
import { QueryService } from './query-service.ts'
import { remoteSnapshot } from './remote-snapshot.ts'
import { type HttpPeer, StorageCalls } from './storage-calls.ts'

export interface QueryWorkerOptions {
  readonly env: Env
  readonly workers: Workers
  readonly dataDirectory: string
  readonly pageserver: HttpPeer & { readonly port: number; readonly adminToken?: string | undefined }
  readonly safekeepers: readonly HttpPeer[]
  readonly objectStore: ObjectStoreConfig
  readonly concurrentQueries: number
  readonly queuedQueriesMax: number
  readonly queryMemoryMb: number
  readonly queryThreads: number
  readonly decodeThreads: number
  readonly queryTimeoutMs: number
  readonly querySpillMb: number
  readonly layerCacheMb: number
  readonly freshCacheMb: number
  readonly exportBytesMax: number
}

/** Timelines whose connection to the page service is kept open. */
const CLIENTS_MAX = 64

export async function openQueryWorker(options: QueryWorkerOptions): Promise<{
  readonly service: QueryService
  close(): Promise<void>
}> {
  const { env, dataDirectory, pageserver } = options
  const directory = `${dataDirectory}/queries`
  await env.disk.removeTree(directory)
  await env.disk.makeDirectory(directory)
  const layers = await openLayers(options)
  await layers.open()
  const freshRows = new FreshRowsCache({
    disk: env.disk,
    directory: `${dataDirectory}/fresh`,
    bytesMax: options.freshCacheMb * 1024 * 1024,
  })
  await freshRows.open()
  const clients = new Map<string, PageServiceClient>()
  const clientOf = (projectId: ProjectId, timelineId: TimelineId): PageServiceClient => {
    const key = `${projectId}/${timelineId}`
    const address = { host: pageserver.host, port: pageserver.port }
    const client = clients.get(key) ?? new PageServiceClient({ env, address, projectId, timelineId })
    clients.delete(key)
    clients.set(key, client)
    if (clients.size > CLIENTS_MAX) {
      const [oldest] = clients.keys()
      if (oldest !== undefined) clients.delete(oldest)
    }
    return client
  }
  const engines = new EngineMaker(options.queryThreads)
  engines.prepare([])
  for (let thread = 0; thread < options.decodeThreads; thread++) {
    void options.workers.run('warm-up', undefined).catch(() => undefined)
  }
  const service = new QueryService({
    env,
    directory,
    concurrentQueries: options.concurrentQueries,
    queuedQueriesMax: options.queuedQueriesMax,
    queryMemoryMb: options.queryMemoryMb,
    queryTimeoutMs: options.queryTimeoutMs,
    exportBytesMax: options.exportBytesMax,
    context: {
      clock: env.clock,
      log: env.log,
      disk: env.disk,
      workers: options.workers,
      parser: await SqlParser.open(),
      engines,
      storage: new StorageCalls(options),
      layers,
      facts: new LayerFactsCache(options.workers),
      catalogs: new CatalogCache(),
      freshRows,
      snapshot: ({ projectId }, timelineId, lsn) => remoteSnapshot(clientOf(projectId, timelineId), lsn, env.clock),
      pageService: { host: pageserver.host, port: pageserver.port },
      decodeThreads: options.decodeThreads,
      querySpillMb: options.querySpillMb,
    },
  })
  return {
    service,
    async close() {
      await service.close()
      for (const client of clients.values()) client.close()
      await engines.close()
      await options.workers.close()
    },
  }
}

async function openLayers({ env, objectStore, dataDirectory, layerCacheMb }: QueryWorkerOptions): Promise<LocalLayers> {
  if (objectStore.kind === 'local') return folderLayers(objectStore.folder)
  return new DownloadedLayers({
    disk: env.disk,
    store: await openObjectStore(objectStore, env),
    directory: `${dataDirectory}/layers`,
    bytesMax: layerCacheMb * 1024 * 1024,
  })
}
