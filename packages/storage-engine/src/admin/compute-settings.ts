import { StorageError } from '../base/errors.ts'

/**
 * What a compute's spec may set in postgresql.conf. Everything that durability, recovery or the way a compute is reached
 * rests on is left out; so is what names files or programs of the machine.
 */
type Rule =
  | { readonly kind: 'integer' | 'real'; readonly min: number; readonly max: number }
  | { readonly kind: 'memory' | 'time'; readonly min: number; readonly max: number; readonly unit: string }
  | { readonly kind: 'boolean' }
  | { readonly kind: 'one-of'; readonly values: readonly string[] }
  | { readonly kind: 'text'; readonly lengthMax: number }

const KB = 1024
const MB = 1024 * KB
const GB = 1024 * MB
const TB = 1024 * GB
const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

const memory = (min: number, max: number, unit = 'kB'): Rule => ({ kind: 'memory', min, max, unit })
const time = (min: number, max: number, unit = 'ms'): Rule => ({ kind: 'time', min, max, unit })
const integer = (min: number, max: number): Rule => ({ kind: 'integer', min, max })
const real = (min: number, max: number): Rule => ({ kind: 'real', min, max })
const boolean: Rule = { kind: 'boolean' }
const oneOf = (...values: string[]): Rule => ({ kind: 'one-of', values })
const text = (lengthMax: number): Rule => ({ kind: 'text', lengthMax })

const logSeverity = oneOf('debug1', 'info', 'notice', 'warning', 'error', 'log', 'fatal', 'panic')

/** Bounds are those of Postgres 18, narrowed to what one machine can be asked for. Units: that of a bare number. */
export const computeSettingRules: Readonly<Record<string, Rule>> = {
  shared_buffers: memory(128 * KB, 1 * TB, '8kB'),
  max_connections: integer(10, 10_000),
  superuser_reserved_connections: integer(3, 100),
  reserved_connections: integer(0, 100),
  work_mem: memory(64 * KB, 64 * GB),
  hash_mem_multiplier: real(1, 1000),
  maintenance_work_mem: memory(64 * KB, 64 * GB),
  autovacuum_work_mem: memory(64 * KB, 64 * GB),
  logical_decoding_work_mem: memory(64 * KB, 64 * GB),
  temp_buffers: memory(800 * KB, 64 * GB, '8kB'),
  temp_file_limit: memory(1 * MB, 64 * TB),
  effective_cache_size: memory(8 * KB, 16 * TB, '8kB'),
  effective_io_concurrency: integer(0, 1000),
  maintenance_io_concurrency: integer(0, 1000),
  random_page_cost: real(0, 1000),
  seq_page_cost: real(0, 1000),
  cpu_tuple_cost: real(0, 1000),
  cpu_index_tuple_cost: real(0, 1000),
  cpu_operator_cost: real(0, 1000),
  default_statistics_target: integer(1, 10_000),
  from_collapse_limit: integer(1, 1000),
  join_collapse_limit: integer(1, 1000),
  max_parallel_workers: integer(0, 1024),
  max_parallel_workers_per_gather: integer(0, 1024),
  max_parallel_maintenance_workers: integer(0, 1024),
  max_stack_depth: memory(100 * KB, 7 * MB),
  jit: boolean,
  autovacuum: boolean,
  autovacuum_max_workers: integer(1, 100),
  autovacuum_naptime: time(1 * SECOND, 24 * DAY, 's'),
  autovacuum_vacuum_scale_factor: real(0, 100),
  autovacuum_vacuum_threshold: integer(0, 2_147_483_647),
  autovacuum_analyze_scale_factor: real(0, 100),
  autovacuum_analyze_threshold: integer(0, 2_147_483_647),
  autovacuum_vacuum_cost_delay: time(0, 100),
  autovacuum_vacuum_cost_limit: integer(1, 10_000),
  statement_timeout: time(0, 24 * DAY),
  lock_timeout: time(0, 24 * DAY),
  transaction_timeout: time(0, 24 * DAY),
  idle_in_transaction_session_timeout: time(0, 24 * DAY),
  idle_session_timeout: time(0, 24 * DAY),
  deadlock_timeout: time(1, 24 * DAY),
  authentication_timeout: time(1 * SECOND, 10 * MINUTE, 's'),
  tcp_keepalives_idle: time(0, 1 * DAY, 's'),
  tcp_keepalives_interval: time(0, 1 * DAY, 's'),
  tcp_keepalives_count: integer(0, 100),
  client_connection_check_interval: time(0, 24 * HOUR),
  default_transaction_isolation: oneOf('serializable', 'repeatable read', 'read committed', 'read uncommitted'),
  default_transaction_read_only: boolean,
  default_transaction_deferrable: boolean,
  max_pred_locks_per_transaction: integer(10, 100_000),
  search_path: text(1000),
  datestyle: text(64),
  intervalstyle: oneOf('postgres', 'postgres_verbose', 'sql_standard', 'iso_8601'),
  extra_float_digits: integer(-15, 3),
  bytea_output: oneOf('hex', 'escape'),
  client_min_messages: oneOf('debug1', 'log', 'notice', 'warning', 'error'),
  log_statement: oneOf('none', 'ddl', 'mod', 'all'),
  log_min_duration_statement: time(-1, 24 * DAY),
  log_min_error_statement: logSeverity,
  log_lock_waits: boolean,
  log_temp_files: memory(-1, 64 * TB),
  log_autovacuum_min_duration: time(-1, 24 * DAY),
  track_io_timing: boolean,
  track_functions: oneOf('none', 'pl', 'all'),
  track_activity_query_size: memory(100, 1 * MB, 'B'),
  compute_query_id: oneOf('auto', 'on', 'off', 'regress'),
}

const MEMORY_UNITS: Readonly<Record<string, number>> = { B: 1, kB: KB, '8kB': 8 * KB, MB, GB, TB }
const TIME_UNITS: Readonly<Record<string, number>> = {
  us: 0.001,
  ms: 1,
  s: SECOND,
  min: MINUTE,
  h: HOUR,
  d: DAY,
}
const SETTINGS_MAX = 100

/** Throws `invalid-input` naming the setting and what it takes. Values are as in postgresql.conf: '128MB', '5s', 'on'. */
export function checkComputeSettings(settings: Readonly<Record<string, string>>): void {
  const entries = Object.entries(settings)
  if (entries.length > SETTINGS_MAX)
    throw new StorageError('invalid-input', 'settings: too many', { max: SETTINGS_MAX })
  for (const [name, value] of entries) {
    const rule = Object.hasOwn(computeSettingRules, name) ? computeSettingRules[name] : undefined
    if (!rule) throw new StorageError('invalid-input', `settings.${name.slice(0, 64)}: cannot be set on a compute`)
    const problem = problemOf(rule, value)
    if (problem !== undefined) {
      throw new StorageError('invalid-input', `settings.${name}: ${problem}`, { value: value.slice(0, 64) })
    }
  }
}

function problemOf(rule: Rule, value: string): string | undefined {
  switch (rule.kind) {
    case 'integer':
    case 'real': {
      const pattern = rule.kind === 'integer' ? /^-?\d{1,15}$/ : /^-?\d{1,15}(\.\d{1,15})?$/
      const isFine = pattern.test(value) && Number(value) >= rule.min && Number(value) <= rule.max
      return isFine ? undefined : `must be a number from ${rule.min} to ${rule.max}`
    }
    case 'memory':
    case 'time': {
      const units = rule.kind === 'memory' ? MEMORY_UNITS : TIME_UNITS
      const match = /^(-?\d{1,15}(?:\.\d{1,6})?) ?([A-Za-z]{0,3})$/.exec(value)
      const unit = match ? units[match[2] === '' ? rule.unit : match[2]!] : undefined
      // -1 switches off and has no unit.
      const amount = value === '-1' ? -1 : match && unit !== undefined ? Number(match[1]) * unit : Number.NaN
      if (amount >= rule.min && amount <= rule.max) return undefined
      const names = Object.keys(units).filter((name) => !/^\d/.test(name))
      return `must be an amount with a unit (${names.join(', ')}) within what a compute allows`
    }
    case 'boolean':
      return /^(on|off|true|false)$/.test(value) ? undefined : 'must be on or off'
    case 'one-of':
      return rule.values.includes(value) ? undefined : `must be one of ${rule.values.join(', ')}`
    case 'text':
      // biome-ignore lint/suspicious/noControlCharactersInRegex: the file has one line per setting
      return value.length <= rule.lengthMax && !/[\x00-\x1f\x7f\\]/.test(value)
        ? undefined
        : 'must be a short line of text'
    default:
      return rule satisfies never
  }
}
