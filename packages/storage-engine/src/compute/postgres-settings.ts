import { STANDBY_NAME } from './walsender-client.ts'

/** What a spec may set otherwise: admin/compute-settings.ts. */
const DEFAULTS: Readonly<Record<string, string>> = {
  shared_buffers: '128MB',
  max_connections: '100',
  password_encryption: 'scram-sha-256',
}

/** Settings that only this file decides. */
const FIXED: Readonly<Record<string, string>> = {
  // Nothing local is ever recovered: durability is the quorum's.
  fsync: 'off',
  full_page_writes: 'off',
  wal_log_hints: 'off',
  // Local crash recovery would make rows visible that no quorum has acknowledged.
  restart_after_crash: 'off',
  wal_level: 'replica',
  max_wal_senders: '10',
  max_replication_slots: '10',
  max_worker_processes: '8',
  max_prepared_transactions: '100',
  max_locks_per_transaction: '64',
  wal_init_zero: 'off',
  wal_recycle: 'off',
  wal_keep_size: '1GB',
  max_wal_size: '8GB',
  min_wal_size: '80MB',
  checkpoint_timeout: '30min',
  wal_compression: 'off',
  archive_mode: 'off',
  summarize_wal: 'off',
  track_commit_timestamp: 'off',
  hot_standby_feedback: 'off',
  io_method: 'sync',
  // Their redo is by after-image: each record of theirs carries the page as it is after the change.
  wal_consistency_checking: 'gin,gist,spgist,brin,hash,generic',
  // Messages are matched by their text.
  lc_messages: 'C',
  log_min_messages: 'warning',
  timezone: 'UTC',
  log_timezone: 'UTC',
  logging_collector: 'off',
  log_destination: 'stderr',
  log_line_prefix: '%p %q%u@%d ',
  unix_socket_permissions: '0700',
}

export const fixedSettingNames: readonly string[] = [
  ...Object.keys(FIXED),
  'synchronous_standby_names',
  'synchronous_commit',
  'listen_addresses',
  'port',
  'unix_socket_directories',
]

/**
 * postgresql.conf of a compute that writes, or of a read-only one: a standby must allow for at least as many sessions as
 * the WAL it follows was written with (`maxConnectionsMin`).
 */
export function postgresConf(chosen: Readonly<Record<string, string>>, maxConnectionsMin = 0): string {
  const settings: Record<string, string> = { ...DEFAULTS, ...chosen, ...FIXED }
  settings.max_connections = String(Math.max(Number(settings.max_connections), maxConnectionsMin))
  return Object.entries(settings)
    .map(([name, value]) => `${name} = '${value.replaceAll("'", "''")}'\n`)
    .join('')
}

/** What ALTER SYSTEM must not be able to change goes on the command line. */
export function commandLineSettings(options: {
  socketFolder: string
  /** Undefined: only over the private socket. */
  host: string | undefined
  port: number
  readOnly: boolean
}): string[] {
  const settings: Record<string, string> = {
    listen_addresses: options.host ?? '',
    port: String(options.port),
    unix_socket_directories: options.socketFolder,
    fsync: 'off',
    full_page_writes: 'off',
    restart_after_crash: 'off',
    synchronous_standby_names: options.readOnly ? '' : STANDBY_NAME,
  }
  return Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
}

/**
 * The socket lies in a 0700 folder: who gets there may be the sidecar, which is the superuser, or the proxy on the same machine,
 * whose clients prove their passwords as they do over TCP. Replication is for the sidecar alone.
 */
export const PG_HBA = `local all postgres trust
local replication postgres trust
local replication all reject
local all all scram-sha-256
host replication all all reject
host all all all scram-sha-256
`
