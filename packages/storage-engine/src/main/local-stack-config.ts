import * as path from 'node:path'
import { z } from 'zod'
import { StorageError } from '../base/errors.ts'
import { logLevels } from '../io/node-log.ts'
import type { ObjectStoreConfig } from '../object-store/object-store-config.ts'

const port = z.coerce.number().int().min(1).max(65_535)

/** The environment variables of `npm start`; docs/operations.md lists them for operators. */
const environment = z.object({
  TRIBUTARY_HOME: z.string().min(1).default('.tributary'),
  TRIBUTARY_HOST: z.string().min(1).default('127.0.0.1'),
  TRIBUTARY_PG_PORT: port.default(5433),
  /** Kept for the API and the console, so that the processes of the engine stay off them. */
  TRIBUTARY_API_PORT: port.default(4000),
  TRIBUTARY_WEB_PORT: port.default(3000),
  /** The supervisor's own HTTP port; by default the one after TRIBUTARY_PG_PORT. */
  TRIBUTARY_ADMIN_PORT: port.optional(),
  /** Processes get the first free ports from here on; by default 100 above TRIBUTARY_PG_PORT. */
  TRIBUTARY_INTERNAL_PORT_FIRST: port.optional(),
  TRIBUTARY_COMPUTE_MODE: z.enum(['auto', 'fuse', 'hydrate']).default('auto'),
  TRIBUTARY_LOG_LEVEL: z.enum(logLevels as [string, ...string[]]).default('info'),
  TRIBUTARY_S3_BUCKET: z.string().min(1).optional(),
  TRIBUTARY_S3_REGION: z.string().min(1).default('us-east-1'),
  TRIBUTARY_S3_ENDPOINT: z.url().optional(),
  TRIBUTARY_S3_PREFIX: z.string().default(''),
  TRIBUTARY_S3_ACCESS_KEY_ID: z.string().optional(),
  TRIBUTARY_S3_SECRET_ACCESS_KEY: z.string().optional(),
})

export interface LocalStackConfig {
  /** Absolute. Everything the stack keeps on this machine. */
  readonly home: string
  readonly host: string
  readonly postgresPort: number
  readonly adminPort: number
  readonly reservedPorts: readonly number[]
  readonly internalPortFirst: number
  readonly computeMode: 'auto' | 'fuse' | 'hydrate'
  readonly logLevel: string
  readonly objectStore: ObjectStoreConfig
}

/** Throws `invalid-input` naming the variable. Empty variables count as not set. */
export function parseLocalStackConfig(env: Readonly<Record<string, string | undefined>>): LocalStackConfig {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''))
  const parsed = environment.safeParse(given)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    throw new StorageError('invalid-input', `${issue?.path.join('.')}: ${issue?.message}`)
  }
  const values = parsed.data
  const home = path.resolve(values.TRIBUTARY_HOME)
  const adminPort = values.TRIBUTARY_ADMIN_PORT ?? values.TRIBUTARY_PG_PORT + 1
  return {
    home,
    host: values.TRIBUTARY_HOST,
    postgresPort: values.TRIBUTARY_PG_PORT,
    adminPort,
    reservedPorts: [values.TRIBUTARY_PG_PORT, adminPort, values.TRIBUTARY_API_PORT, values.TRIBUTARY_WEB_PORT],
    internalPortFirst: values.TRIBUTARY_INTERNAL_PORT_FIRST ?? values.TRIBUTARY_PG_PORT + 100,
    computeMode: values.TRIBUTARY_COMPUTE_MODE,
    logLevel: values.TRIBUTARY_LOG_LEVEL,
    objectStore:
      values.TRIBUTARY_S3_BUCKET === undefined
        ? { kind: 'local', folder: path.join(home, 'objects') }
        : {
            kind: 's3',
            bucket: values.TRIBUTARY_S3_BUCKET,
            region: values.TRIBUTARY_S3_REGION,
            prefix: values.TRIBUTARY_S3_PREFIX,
            requestTimeoutMs: 30_000,
            ...(values.TRIBUTARY_S3_ENDPOINT === undefined ? {} : { endpoint: values.TRIBUTARY_S3_ENDPOINT }),
            ...(values.TRIBUTARY_S3_ACCESS_KEY_ID === undefined
              ? {}
              : { accessKeyId: values.TRIBUTARY_S3_ACCESS_KEY_ID }),
            ...(values.TRIBUTARY_S3_SECRET_ACCESS_KEY === undefined
              ? {}
              : { secretAccessKey: values.TRIBUTARY_S3_SECRET_ACCESS_KEY }),
          },
  }
}
