import { checkComputeSettings, isStorageError } from '@tributary/storage-engine/admin'
import { invalid, type Result, success } from '../../shared/result.ts'

/** What a size stands for. Compute units follow the public REST interface: 1 unit = 1 processor and 4 GiB. */
export interface SizeClass {
  readonly name: string
  readonly computeUnits: number
  readonly sharedBuffersMb: number
  readonly connectionsMax: number
}

export const sizeClasses: readonly SizeClass[] = [
  { name: 'small', computeUnits: 0.25, sharedBuffersMb: 128, connectionsMax: 100 },
  { name: 'medium', computeUnits: 0.5, sharedBuffersMb: 256, connectionsMax: 200 },
  { name: 'large', computeUnits: 1, sharedBuffersMb: 512, connectionsMax: 400 },
  { name: 'xlarge', computeUnits: 2, sharedBuffersMb: 1024, connectionsMax: 800 },
]

export const SIZE_DEFAULT = 'small'
export const SUSPEND_SECONDS_DEFAULT = 300
const SUSPEND_SECONDS_MIN = 60
const SUSPEND_SECONDS_MAX = 604_800
/** Connections of Postgres beyond those of clients: for the control plane and superusers. */
const CONNECTIONS_RESERVED = 10

export function findSizeClass(name: string): SizeClass | undefined {
  return sizeClasses.find((size) => size.name === name)
}

/** The smallest class with at least these units; the largest when none has. */
export function sizeForComputeUnits(units: number): SizeClass {
  return sizeClasses.find((size) => size.computeUnits >= units) ?? sizeClasses[sizeClasses.length - 1]!
}

/** postgresql.conf of an endpoint: its size first, then what its owner set. */
export function settingsOf(endpoint: {
  readonly size: string
  readonly maxConnections: number
  readonly settings: Readonly<Record<string, string>>
}): Record<string, string> {
  const size = findSizeClass(endpoint.size) ?? sizeClasses[0]!
  return {
    shared_buffers: `${size.sharedBuffersMb}MB`,
    max_connections: String(endpoint.maxConnections + CONNECTIONS_RESERVED),
    ...endpoint.settings,
  }
}

export function checkSize(name: string): Result<SizeClass> {
  const size = findSizeClass(name)
  if (size) return success(size)
  return invalid('size', `must be one of ${sizeClasses.map((known) => known.name).join(', ')}`)
}

/** `seconds`: 0 = the default, -1 or null = never. */
export function checkSuspendAfter(seconds: number | null): Result<number | null> {
  if (seconds === null || seconds === -1) return success(null)
  if (seconds === 0) return success(SUSPEND_SECONDS_DEFAULT)
  if (Number.isInteger(seconds) && seconds >= SUSPEND_SECONDS_MIN && seconds <= SUSPEND_SECONDS_MAX)
    return success(seconds)
  return invalid(
    'suspendAfterSeconds',
    `must be 0 (default), -1 (never) or between ${SUSPEND_SECONDS_MIN} and ${SUSPEND_SECONDS_MAX}`,
  )
}

export function checkMaxConnections(count: number, size: SizeClass): Result<number> {
  if (Number.isInteger(count) && count >= 1 && count <= size.connectionsMax) return success(count)
  return invalid('maxConnections', `must be between 1 and ${size.connectionsMax} for size ${size.name}`)
}

/** Postgres settings given by a person: a flat object of texts, numbers and flags. */
export function checkSettings(input: unknown): Result<Record<string, string>> {
  if (typeof input !== 'object' || input === null || Array.isArray(input))
    return invalid('settings', 'must be an object of names and values')
  const settings: Record<string, string> = {}
  for (const [name, value] of Object.entries(input)) {
    if (typeof value === 'boolean') settings[name] = value ? 'on' : 'off'
    else if (typeof value === 'string' || typeof value === 'number') settings[name] = String(value)
    else return invalid('settings', `${name.slice(0, 64)}: must be text, a number or a flag`)
    if (name === 'max_connections') return invalid('settings', 'max_connections: use maxConnections')
  }
  try {
    checkComputeSettings(settings)
  } catch (error) {
    if (isStorageError(error, 'invalid-input')) return invalid('settings', error.message.replace(/^settings\.?/, ''))
    throw error
  }
  return success(settings)
}

export interface IdleView {
  readonly suspendAfterSeconds: number | null
  readonly nowMs: number
  /** Of the compute; the start counts as activity. */
  readonly lastActivityMs: number
  readonly activeConnections: number
  readonly connections: number
}

/** Whether to suspend now, and what a person reads about why not. */
export function idleDecision(view: IdleView): { suspend: boolean; keepsAwake: string | null } {
  const idleSeconds = Math.max(0, Math.floor((view.nowMs - view.lastActivityMs) / 1000))
  if (view.activeConnections > 0)
    return {
      suspend: false,
      keepsAwake: `${view.activeConnections} of ${view.connections} connections are running statements`,
    }
  if (view.suspendAfterSeconds === null) return { suspend: false, keepsAwake: 'set to never suspend' }
  if (idleSeconds >= view.suspendAfterSeconds) return { suspend: true, keepsAwake: null }
  const idle =
    view.connections > 0 ? `${view.connections} idle ${view.connections === 1 ? 'connection' : 'connections'}, ` : ''
  const after = view.suspendAfterSeconds
  const limit = after % 60 === 0 ? `${after / 60} min` : `${after} s`
  return { suspend: false, keepsAwake: `${idle}last activity ${idleSeconds} s ago, suspends after ${limit}` }
}

const RESTART_PAUSE_MS_FIRST = 0
const RESTART_PAUSE_MS_MAX = 60_000

/** Pause before a compute that keeps dying is replaced again: at once, then 1 s, 2 s, … up to a minute. */
export function restartPauseMs(deathsInARow: number): number {
  if (deathsInARow <= 0) return RESTART_PAUSE_MS_FIRST
  return Math.min(1000 * 2 ** (deathsInARow - 1), RESTART_PAUSE_MS_MAX)
}
