import { invalid, type Result, success } from '../../shared/result.ts'

export const PITR_SECONDS_DEFAULT = 86_400
const PITR_SECONDS_MAX = 2_592_000
const NAME_CHARACTERS_MAX = 256
/** Postgres cuts names at 63 bytes (NAMEDATALEN, src/include/pg_config_manual.h). */
const IDENTIFIER_BYTES_MAX = 63

export const DATABASE_DEFAULT = 'neondb'

/** Of projects, branches, snapshots, saved queries: 1 to 256 characters, no control characters, no space at the ends. */
export function checkName(field: string, name: string): Result<string> {
  if (name.trim() !== name || name === '') return invalid(field, 'must not be empty, or begin or end with a space')
  if ([...name].length > NAME_CHARACTERS_MAX)
    return invalid(field, `must have at most ${NAME_CHARACTERS_MAX} characters`)
  if (/\p{Cc}/u.test(name)) return invalid(field, 'must not contain control characters')
  return success(name)
}

const reservedRoles = new Set(['postgres', 'public', 'none', 'current_user', 'session_user', 'current_role'])
const reservedDatabases = new Set(['postgres', 'template0', 'template1'])

export function checkRoleName(field: string, name: string): Result<string> {
  if (reservedRoles.has(name.toLowerCase()) || /^pg_/i.test(name)) return invalid(field, `${name} is reserved`)
  return checkIdentifier(field, name)
}

export function checkDatabaseName(field: string, name: string): Result<string> {
  if (reservedDatabases.has(name.toLowerCase())) return invalid(field, `${name} is reserved`)
  return checkIdentifier(field, name)
}

function checkIdentifier(field: string, name: string): Result<string> {
  if (name === '') return invalid(field, 'must not be empty')
  if (Buffer.byteLength(name) > IDENTIFIER_BYTES_MAX)
    return invalid(field, `must have at most ${IDENTIFIER_BYTES_MAX} bytes`)
  if (/\p{Cc}/u.test(name)) return invalid(field, 'must not contain control characters')
  return success(name)
}

export function checkPitrWindow(seconds: number): Result<number> {
  if (Number.isInteger(seconds) && seconds >= 0 && seconds <= PITR_SECONDS_MAX) return success(seconds)
  return invalid('pitrWindowSeconds', `must be between 0 and ${PITR_SECONDS_MAX}`)
}

/** A quota: null = unlimited. */
export function checkQuota(field: string, value: number | bigint | null): Result<bigint | null> {
  if (value === null) return success(null)
  if (typeof value === 'number' && !Number.isInteger(value)) return invalid(field, 'must be a whole number')
  const number = BigInt(value)
  if (number < 0n || number > 2n ** 62n) return invalid(field, 'must not be negative, and below 2^62')
  return success(number === 0n ? null : number)
}
