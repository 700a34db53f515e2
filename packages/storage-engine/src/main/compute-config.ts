import * as os from 'node:os'
import * as path from 'node:path'
import { z } from 'zod'
import { checkComputeSettings } from '../admin/compute-settings.ts'
import { errorText, StorageError } from '../base/errors.ts'
import { logLevels } from '../io/node-log.ts'
import { ProjectId, TimelineId } from '../postgres/ids.ts'
import { Lsn } from '../postgres/lsn.ts'

/** The PageServer reports once a second: with less than it ingests in that time it would look late when it is not. */
const INGEST_LAG_BYTES_MIN = 64 * 1024 * 1024

const port = z.number().int().min(1).max(65_535)
const host = z.string().min(1)
const computeConfig = z.strictObject({
  computeId: z.string().regex(/^[0-9a-f]{1,64}$/, 'must be hex digits'),
  projectId: z.string().transform((text) => ProjectId.parse(text)),
  timelineId: z.string().transform((text) => TimelineId.parse(text)),
  /** Made by the compute, of no use after it. */
  dataDirectory: z.string().refine(path.isAbsolute, 'must be an absolute path'),
  host,
  httpPort: port,
  postgresPort: port,
  postgresPassword: z.string().min(1),
  mode: z.enum(['auto', 'fuse', 'hydrate']).default('auto'),
  pageserver: z.object({ host, port, httpPort: port }),
  /** All members; their majority is the quorum. May be empty with readOnlyLsn. */
  safekeepers: z.array(z.object({ id: z.number().int().min(1), host, port, httpPort: port })),
  /** Starts a compute that only reads, as of this LSN. */
  readOnlyLsn: z
    .string()
    .transform((text) => Lsn.parse(text))
    .optional(),
  /** The account of Postgres when the sidecar is root; by default nobody. */
  postgresUid: z.number().int().min(1).default(65_534),
  postgresGid: z.number().int().min(1).default(65_534),
  /** postgresql.conf; admin/compute-settings.ts says what may be set. */
  settings: z.record(z.string(), z.string()).default({}),
  /** With readOnlyLsn: verifiers that stand instead of those that the roles had then. */
  roleVerifiers: z.record(z.string(), z.string()).default({}),
  /** Postgres is killed when no majority of SafeKeepers has answered for so long. */
  quorumLeaseMs: z.number().int().min(1000).max(600_000).default(30_000),
  /** WAL that the PageServer has not ingested, above which the writer is slowed down. */
  ingestLagBytesMax: z
    .number()
    .int()
    .min(INGEST_LAG_BYTES_MIN)
    .max(Number.MAX_SAFE_INTEGER)
    .default(384 * 1024 * 1024),
  logLevel: z.enum(logLevels as [string, ...string[]]).default('info'),
})

export type ComputeConfig = z.infer<typeof computeConfig>

/** A Unix socket's path has at most 107 bytes. */
const SOCKET_FOLDER_LENGTH_MAX = 80

/** Throws `invalid-input` naming the field. */
export function parseComputeConfig(json: unknown): ComputeConfig {
  let parsed: z.ZodSafeParseResult<ComputeConfig>
  try {
    parsed = computeConfig.safeParse(json)
  } catch (error) {
    // Thrown by a transform: the id and LSN parsers.
    throw new StorageError('invalid-input', `compute config: ${errorText(error)}`, {}, { cause: error })
  }
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    throw new StorageError('invalid-input', `compute config: ${issue?.path.join('.')}: ${issue?.message}`)
  }
  const config = parsed.data
  if (config.safekeepers.length === 0 && config.readOnlyLsn === undefined) {
    throw new StorageError('invalid-input', 'compute config: safekeepers: at least one is needed to write')
  }
  const ids = new Set(config.safekeepers.map(({ id }) => id))
  if (ids.size !== config.safekeepers.length) {
    throw new StorageError('invalid-input', 'compute config: safekeepers: ids are not unique')
  }
  checkComputeSettings(config.settings)
  return config
}

/** Where the private socket is: in the compute's folder, or in the temporary one where that path is too long. */
export function socketFolderOf(config: Pick<ComputeConfig, 'dataDirectory' | 'computeId'>): string {
  const inFolder = path.join(config.dataDirectory, 'run')
  if (Buffer.byteLength(inFolder) <= SOCKET_FOLDER_LENGTH_MAX) return inFolder
  return path.join(os.tmpdir(), `tributary-${config.computeId.slice(0, 16)}`)
}
