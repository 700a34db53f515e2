import { StorageError } from '../../base/errors.ts'
import { POSTGRES_EPOCH_UNIX_SECONDS } from '../../postgres/constants.ts'

/** Microseconds since 2000-01-01 UTC, as Postgres' TimestampTz, from ISO 8601 with a zone and up to 6 decimals. */
export function parsePostgresTime(text: string): number {
  const match = /^(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)(?:\.(\d{1,6})\d*)?(Z|[+-]\d\d:?\d\d)$/.exec(text)
  const seconds = match ? Date.parse(`${match[1]}${match[3]}`) / 1000 : Number.NaN
  if (!match || Number.isNaN(seconds)) {
    throw new StorageError('invalid-input', 'time is not ISO 8601 with a zone', { time: text.slice(0, 64) })
  }
  return (seconds - POSTGRES_EPOCH_UNIX_SECONDS) * 1e6 + Number((match[2] ?? '0').padEnd(6, '0'))
}

/** ISO 8601 in UTC with microseconds. */
export function formatPostgresTime(micros: number): string {
  const seconds = Math.floor(micros / 1e6)
  const fraction = (micros - seconds * 1e6).toString().padStart(6, '0')
  const date = new Date((seconds + POSTGRES_EPOCH_UNIX_SECONDS) * 1000)
  return `${date.toISOString().slice(0, 19)}.${fraction}Z`
}
