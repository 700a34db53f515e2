import * as fs from 'node:fs'
import { z } from 'zod'

const port = z.number().int().min(0).max(65_535)

/** The JSON file whose path the process gets as its argument. */
export const proxyConfigSchema = z.strictObject({
  /** Where clients of Postgres connect. */
  host: z.string().min(1).default('127.0.0.1'),
  port: port.default(5433),
  /** Host in connection strings: endpoints are its first labels ("ep-x.<publicHost>"). */
  publicHost: z.string().min(1).max(200).optional(),
  /** `/status` and `/metrics`; 0 takes a free port. */
  status: z
    .strictObject({ host: z.string().min(1).default('127.0.0.1'), port: port.default(0) })
    .default({ host: '127.0.0.1', port: 0 }),
  api: z.strictObject({ url: z.url(), tokenFile: z.string().min(1) }),
  /** Computes at `host` run on this machine and have Unix sockets in `folder`, each named by its port as Postgres does. */
  computeSockets: z.strictObject({ host: z.string().min(1), folder: z.string().min(1) }).optional(),
  /** PgBouncer: the program behind `<endpoint>-pooler`. Without it such names are refused. */
  pooler: z.strictObject({ file: z.string().min(1) }).optional(),
  tls: z.strictObject({ certFile: z.string().min(1), keyFile: z.string().min(1) }).optional(),
  /** Keeps the certificate and the secret of made-up verifiers in `<home>/proxy`. */
  home: z.string().min(1),
  limits: z
    .strictObject({
      /** Connections of clients, those that log in included. */
      connectionsMax: z.number().int().min(1).max(100_000).default(10_000),
      /** Connections that have not logged in yet: all, and from one address. */
      loginsMax: z.number().int().min(1).max(100_000).default(1000),
      loginsPerAddressMax: z.number().int().min(1).max(100_000).default(200),
      /** From the first byte to the proof of the password. */
      loginMsMax: z.number().int().min(100).max(600_000).default(30_000),
      /** For a compute to start, and then for it to take the log-in. */
      wakeMsMax: z.number().int().min(100).max(600_000).default(60_000),
      /** Clients of one endpoint's pool. */
      pooledClientsMax: z.number().int().min(1).max(100_000).default(5_000),
      waitersPerEndpointMax: z.number().int().min(1).max(100_000).default(1000),
      wakesMax: z.number().int().min(1).max(10_000).default(100),
      /** How often live connections are reported. */
      reportMs: z.number().int().min(100).max(60_000).default(2000),
    })
    .prefault({}),
  logLevel: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
})
export type ProxyConfig = z.infer<typeof proxyConfigSchema>

/** Throws with the file and the field. */
export function readProxyConfig(file: string): ProxyConfig {
  let value: unknown
  try {
    value = JSON.parse(fs.readFileSync(file, 'utf8'))
  } catch (cause) {
    throw new Error(`cannot read the configuration ${file}: ${cause instanceof Error ? cause.message : cause}`, {
      cause,
    })
  }
  const parsed = proxyConfigSchema.safeParse(value)
  if (parsed.success) return parsed.data
  throw new Error(`the configuration ${file} is wrong: ${z.prettifyError(parsed.error)}`)
}
