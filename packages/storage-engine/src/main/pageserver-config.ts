import { z } from 'zod'
import { objectStoreConfig } from '../object-store/object-store-config.ts'
import { readConfig } from './read-config.ts'

const port = z.number().int().min(0).max(65535)

/** Settings of a PageServer process: a JSON file named by TRIBUTARY_CONFIG. */
export const pageserverConfig = z.object({
  /** Cache of layers; may be empty at any start. */
  dataDirectory: z.string().startsWith('/'),
  host: z.string().default('127.0.0.1'),
  /** Page service. */
  port,
  /** Admin, boot bundles, /status and /metrics. */
  httpPort: port,
  objectStore: objectStoreConfig,
  safekeepers: z.array(
    z.object({ id: z.number().int().positive(), host: z.string(), port, httpPort: port.optional() }),
  ),
  /** Bearer token that admin calls must carry; none when absent. */
  adminToken: z.string().min(1).optional(),
  /** Threads that merge layers and make images. Flushes have one of their own. */
  upkeepThreads: z.number().int().min(1).max(16).default(1),
  /** Threads that rebuild pages from columns and look through delta layers for queries: never behind upkeep. */
  readThreads: z.number().int().min(1).max(16).default(1),
  /** Delta tables that were published once get a new version when they have changed for this long; 0: only on demand. */
  publishIntervalSeconds: z.number().min(0).default(60),
  logLevel: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
})
export type PageserverConfig = z.infer<typeof pageserverConfig>

/** Throws `invalid-input` naming the file and the field. */
export function readPageserverConfig(environment: Readonly<Record<string, string | undefined>>): PageserverConfig {
  return readConfig(pageserverConfig, environment)
}
