import * as path from 'node:path'
import type { ComputeAddress } from '../proxy-contract.ts'
import { ProxyError, SQLSTATE } from '../wire.ts'

/** `--version` of the first one with prepared statements in transaction mode: PgBouncer's changelog, 1.21.0. */
const PREPARED_STATEMENTS_SINCE = [1, 21] as const
const PREPARED_STATEMENTS_MAX = 200
/** What clients hold in a pooler before a server connection is free. */
const QUERY_WAIT_SECONDS = 120

export type PgbouncerVersion = readonly [major: number, minor: number]

/** First line of `pgbouncer --version`; undefined when it is something else. */
export function parseVersion(text: string): PgbouncerVersion | undefined {
  const match = /^PgBouncer (\d{1,4})\.(\d{1,4})/.exec(text)
  return match ? [Number(match[1]), Number(match[2])] : undefined
}

export function keepsPreparedStatements([major, minor]: PgbouncerVersion): boolean {
  const [sinceMajor, sinceMinor] = PREPARED_STATEMENTS_SINCE
  return major > sinceMajor || (major === sinceMajor && minor >= sinceMinor)
}

export interface PgbouncerSettings {
  readonly folder: string
  readonly version: PgbouncerVersion
  readonly compute: ComputeAddress
  /** Connections to the compute, of each role and database, and of each database in all. */
  readonly poolSize: number
  readonly clientsMax: number
  readonly adminName: string
}

/** Names the socket only: nothing listens over TCP. */
export const POOLER_PORT = 6432

export const filesOf = (folder: string) => ({
  ini: path.join(folder, 'pgbouncer.ini'),
  users: path.join(folder, 'users.txt'),
  pid: path.join(folder, 'pgbouncer.pid'),
  socket: path.join(folder, `.s.PGSQL.${POOLER_PORT}`),
})

/** Transaction mode; clients and server prove themselves by SCRAM with the verifier and the key of the role. */
export function pgbouncerIni(settings: PgbouncerSettings): string {
  const { folder, version, compute, poolSize } = settings
  const files = filesOf(folder)
  const values: Record<string, string | number> = {
    listen_addr: '',
    listen_port: POOLER_PORT,
    unix_socket_dir: folder,
    pidfile: files.pid,
    auth_type: 'scram-sha-256',
    auth_file: files.users,
    admin_users: settings.adminName,
    pool_mode: 'transaction',
    max_client_conn: settings.clientsMax,
    default_pool_size: poolSize,
    max_db_connections: poolSize,
    query_wait_timeout: QUERY_WAIT_SECONDS,
    // A compute that was away is asked again soon, not after the default of 15 s.
    server_login_retry: 1,
    ignore_startup_parameters: 'extra_float_digits',
    log_connections: 0,
    log_disconnections: 0,
    log_stats: 0,
    ...(keepsPreparedStatements(version) ? { max_prepared_statements: PREPARED_STATEMENTS_MAX } : {}),
  }
  const lines = Object.entries(values).map(([name, value]) => `${name} = ${value}`)
  return `[databases]\n* = host=${compute.host} port=${compute.port}\n\n[pgbouncer]\n${lines.join('\n')}\n`
}

/** `auth_file`: a line for each role. Throws ProxyError 0A000 for a name that the file cannot hold. */
export function userList(verifiers: ReadonlyMap<string, string>): string {
  return [...verifiers].map(([name, verifier]) => `"${name.replaceAll('"', '""')}" "${verifier}"\n`).join('')
}

export function checkPooledRole(name: string): void {
  if (/\p{Cc}/u.test(name))
    throw new ProxyError(SQLSTATE.featureNotSupported, 'a role with control characters in its name cannot be pooled')
}
