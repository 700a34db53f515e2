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
  TRIBUTARY_API_PORT: port.default(4000),
  TRIBUTARY_WEB_PORT: port.default(3000),
  /** The supervisor's own HTTP port; by default the one after TRIBUTARY_PG_PORT. */
  TRIBUTARY_ADMIN_PORT: port.optional(),
  /** Processes get the first free ports from here on; by default 100 above TRIBUTARY_PG_PORT. */
  TRIBUTARY_INTERNAL_PORT_FIRST: port.optional(),
  /** The folder with the API and the console; without it the engine runs alone. `npm start` sets it. */
  TRIBUTARY_APPS_FOLDER: z.string().min(1).optional(),
  /** What clients put into connection strings. */
  TRIBUTARY_PUBLIC_HOST: z.string().min(1).default('localhost'),
  TRIBUTARY_DEMO: z.enum(['on', 'off']).default('on'),
  TRIBUTARY_TLS_CERT_FILE: z.string().min(1).optional(),
  TRIBUTARY_TLS_KEY_FILE: z.string().min(1).optional(),
  /** PgBouncer, for pooled endpoints: `auto` takes the one on PATH, `off` none, anything else is a path. */
  TRIBUTARY_PGBOUNCER: z.string().min(1).default('auto'),
  /** A Postgres server for the catalog of the API, instead of its own. */
  DATABASE_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\//, 'must be a postgresql:// address')
    .optional(),
  TRIBUTARY_COMPUTE_MODE: z.enum(['auto', 'fuse', 'hydrate']).default('auto'),
  /** WAL that the PageServer has not ingested, above which a compute's writers are slowed down. */
  TRIBUTARY_INGEST_LAG_MAX_MB: z.coerce.number().int().min(64).max(1_048_576).default(384),
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
  readonly apiPort: number
  readonly webPort: number
  readonly adminPort: number
  readonly reservedPorts: readonly number[]
  readonly internalPortFirst: number
  readonly computeMode: 'auto' | 'fuse' | 'hydrate'
  readonly ingestLagBytesMax: number
  readonly logLevel: string
  readonly objectStore: ObjectStoreConfig
  /** Undefined: the engine alone. */
  readonly product: ProductConfig | undefined
}

/** What the API, the proxy and the console need besides. */
export interface ProductConfig {
  readonly appsFolder: string
  readonly publicHost: string
  readonly makeDemo: boolean
  readonly databaseUrl: string | undefined
  /** Path of PgBouncer; `auto`: the one on PATH, when there is one; undefined: pooled endpoints are switched off. */
  readonly pgbouncer: string | undefined
  readonly tls: { readonly certFile: string; readonly keyFile: string } | undefined
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
  const product = productOf(values)
  if (product) {
    checkDistinct({
      TRIBUTARY_PG_PORT: values.TRIBUTARY_PG_PORT,
      TRIBUTARY_ADMIN_PORT: adminPort,
      TRIBUTARY_API_PORT: values.TRIBUTARY_API_PORT,
      TRIBUTARY_WEB_PORT: values.TRIBUTARY_WEB_PORT,
    })
  }
  return {
    home,
    host: values.TRIBUTARY_HOST,
    postgresPort: values.TRIBUTARY_PG_PORT,
    apiPort: values.TRIBUTARY_API_PORT,
    webPort: values.TRIBUTARY_WEB_PORT,
    adminPort,
    product,
    reservedPorts: [values.TRIBUTARY_PG_PORT, adminPort, values.TRIBUTARY_API_PORT, values.TRIBUTARY_WEB_PORT],
    internalPortFirst: values.TRIBUTARY_INTERNAL_PORT_FIRST ?? values.TRIBUTARY_PG_PORT + 100,
    computeMode: values.TRIBUTARY_COMPUTE_MODE,
    ingestLagBytesMax: values.TRIBUTARY_INGEST_LAG_MAX_MB * 1024 * 1024,
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

function productOf(values: z.infer<typeof environment>): ProductConfig | undefined {
  if (values.TRIBUTARY_APPS_FOLDER === undefined) return undefined
  const [certFile, keyFile] = [values.TRIBUTARY_TLS_CERT_FILE, values.TRIBUTARY_TLS_KEY_FILE]
  if ((certFile === undefined) !== (keyFile === undefined)) {
    throw new StorageError('invalid-input', 'TRIBUTARY_TLS_CERT_FILE and TRIBUTARY_TLS_KEY_FILE go together')
  }
  return {
    appsFolder: path.resolve(values.TRIBUTARY_APPS_FOLDER),
    publicHost: values.TRIBUTARY_PUBLIC_HOST,
    makeDemo: values.TRIBUTARY_DEMO === 'on',
    databaseUrl: values.DATABASE_URL,
    pgbouncer: values.TRIBUTARY_PGBOUNCER === 'off' ? undefined : values.TRIBUTARY_PGBOUNCER,
    tls:
      certFile === undefined || keyFile === undefined
        ? undefined
        : { certFile: path.resolve(certFile), keyFile: path.resolve(keyFile) },
  }
}

function checkDistinct(ports: Readonly<Record<string, number>>): void {
  const seen = new Map<number, string>()
  for (const [name, value] of Object.entries(ports)) {
    const other = seen.get(value)
    if (other !== undefined)
      throw new StorageError('invalid-input', `${name}: the same port as ${other}`, { port: value })
    seen.set(value, name)
  }
}
