import * as fs from 'node:fs'
import { z } from 'zod'

const address = z.strictObject({ url: z.url() })
const port = z.int().min(0).max(65535)

/** The configuration file of the API process; docs/operations.md explains each. */
const schema = z.strictObject({
  /** Data folder of the stack. */
  home: z.string().min(1),
  host: z.string().default('127.0.0.1'),
  port,
  /** Where the browser finds the console: the only origin that may use cookies. */
  webOrigin: z.url(),
  /** A Postgres server for the catalog; without it the API runs one of its own below `home`. */
  databaseUrl: z.string().optional(),
  supervisor: z.strictObject({ url: z.url(), tokenFile: z.string().min(1) }),
  pageserver: address,
  queryWorker: address.optional(),
  /** Where readers outside find the object store: an absolute folder, or `s3://bucket/prefix`. Without it tables are named by key alone. */
  objectStoreRoot: z.string().min(1).optional(),
  proxy: z.strictObject({
    host: z.string(),
    port,
    publicHost: z.string().min(1),
    hasPooler: z.boolean().default(false),
  }),
  secretsFolder: z.string().min(1),
  logLevel: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal']).default('info'),
  /** The demo project of a first start. */
  makeDemo: z.boolean().default(true),
  /** Strangers may make an account for themselves. */
  allowSignUp: z.boolean().default(true),
  /** Requests a second that one actor may make in the long run, and at once. */
  rateLimit: z
    .strictObject({ perSecond: z.number().positive(), burst: z.int().positive() })
    .default({ perSecond: 200, burst: 1000 }),
  /** How often computes are looked at, milliseconds. */
  reconcileMs: z.int().min(100).max(60_000).default(2000),
  meteringMs: z.int().min(500).max(300_000).default(5000),
})

export type ApiConfig = Readonly<z.infer<typeof schema>>

/** Throws an error that names the file and the field. */
export function readConfig(file: string): ApiConfig {
  let text: string
  try {
    text = fs.readFileSync(file, 'utf8')
  } catch (error) {
    throw new Error(`cannot read the configuration file ${file}: ${error instanceof Error ? error.message : error}`)
  }
  return parseConfig(text, file)
}

export function parseConfig(text: string, file: string): ApiConfig {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    throw new Error(`configuration file ${file} is not JSON`)
  }
  const parsed = schema.safeParse(json)
  if (parsed.success) return Object.freeze(parsed.data)
  const issue = parsed.error.issues[0]
  throw new Error(`configuration file ${file}: ${issue?.path.join('.') || 'file'}: ${issue?.message}`)
}
