import { z } from 'zod'
import { objectStoreConfig } from '../object-store/object-store-config.ts'
import { readConfig } from './read-config.ts'

const port = z.number().int().min(0).max(65535)

/** Settings of a query worker process: a JSON file named by TRIBUTARY_CONFIG. docs/analytics.md explains them. */
export const queryWorkerConfig = z.strictObject({
  /** Scratch space: fresh rows, spilled data, cached layers of an S3 store. May be empty at any start. */
  dataDirectory: z.string().startsWith('/'),
  host: z.string().default('127.0.0.1'),
  /** Queries, /status and /metrics. */
  httpPort: port,
  /** Bearer token that queries must carry; none when absent. */
  adminToken: z.string().min(1).optional(),
  pageserver: z.object({
    host: z.string(),
    /** Page service. */
    port,
    httpPort: port,
    adminToken: z.string().min(1).optional(),
  }),
  /** Asked what is flushed, so that a commit that was just acknowledged is in the answer. */
  safekeepers: z.array(z.object({ id: z.number().int().positive(), host: z.string(), httpPort: port })).default([]),
  objectStore: objectStoreConfig,
  /** Queries that run at once; more wait. */
  concurrentQueries: z.number().int().min(1).max(64).default(2),
  queuedQueriesMax: z.number().int().min(0).max(10_000).default(64),
  /** Of the engine for one query. The process takes this times `concurrentQueries`, and about 200 MiB besides. */
  queryMemoryMb: z.number().int().min(64).default(1024),
  /** Threads of the engine for one query. */
  queryThreads: z.number().int().min(1).max(64).default(2),
  /** Threads that decode pages, shared by all queries. */
  decodeThreads: z.number().int().min(1).max(16).default(2),
  queryTimeoutMs: z.number().int().min(100).default(300_000),
  /** Of the data that one query may write to `dataDirectory`. */
  querySpillMb: z.number().int().min(0).default(4096),
  /** Of layers of an S3 store kept in `dataDirectory`; the least recently used go first. */
  layerCacheMb: z.number().int().min(64).default(4096),
  /** Of rows decoded from pages, kept in `dataDirectory` for later queries; the least recently used go first. */
  freshCacheMb: z.number().int().min(0).default(1024),
  exportBytesMax: z
    .number()
    .int()
    .min(1024)
    .default(256 * 1024 * 1024),
  /** Scheduling priority, 0 (as other processes) to 19 (last): under contention transactions go first. */
  niceness: z.number().int().min(0).max(19).default(5),
  logLevel: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
})
export type QueryWorkerConfig = z.infer<typeof queryWorkerConfig>

/** Throws `invalid-input` naming the file and the field. */
export function readQueryWorkerConfig(environment: Readonly<Record<string, string | undefined>>): QueryWorkerConfig {
  return readConfig(queryWorkerConfig, environment)
}
