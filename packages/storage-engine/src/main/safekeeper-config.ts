import { z } from 'zod'
import { StorageError } from '../base/errors.ts'
import { objectStoreConfig } from '../object-store/object-store-config.ts'

const port = z.number().int().min(0).max(65535)

/** Configuration of one SafeKeeper process: the JSON file that TRIBUTARY_CONFIG names. */
export const safekeeperConfig = z.strictObject({
  /** Unique among the members, and fixed for the life of the data folder. */
  id: z.number().int().min(1).max(0xffff),
  dataDirectory: z.string().min(1),
  host: z.string().min(1),
  /** Consensus protocol and WAL service. */
  port,
  /** Status, metrics and timeline administration. */
  httpPort: port,
  objectStore: objectStoreConfig,
  /** The other members. */
  peers: z.array(
    z.strictObject({ id: z.number().int().min(1), host: z.string().min(1), port, httpPort: port.optional() }),
  ),
  logLevel: z.enum(['debug', 'info', 'warn', 'error', 'silent']).optional(),
  /** An unfinished segment of a timeline that is idle for so long is archived, too. */
  partialBackupIdleMs: z
    .number()
    .int()
    .positive()
    .default(15 * 60_000),
  backupIntervalMs: z.number().int().positive().default(1000),
})

export type SafekeeperConfig = z.infer<typeof safekeeperConfig>

/** Throws `invalid-input` naming each wrong field. */
export function parseSafekeeperConfig(text: string, path: string): SafekeeperConfig {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new StorageError('invalid-input', 'configuration is not json', { path }, { cause: error })
  }
  const parsed = safekeeperConfig.safeParse(value)
  if (!parsed.success) throw new StorageError('invalid-input', `${path}: ${z.prettifyError(parsed.error)}`)
  const config = parsed.data
  const ids = [config.id, ...config.peers.map((peer) => peer.id)]
  if (new Set(ids).size !== ids.length)
    throw new StorageError('invalid-input', 'safekeeper ids are not distinct', { path })
  return config
}
