/** Values as text: always with their unit, never more digits than a reader can use. */

const byteUnits = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const

/** `1536` -> `1.5 KiB`. Takes decimal text too, as large counts arrive. */
export function formatBytes(bytes: number | bigint | string): string {
  let value = Number(bytes)
  if (!Number.isFinite(value)) return '–'
  const sign = value < 0 ? '-' : ''
  value = Math.abs(value)
  let unit = 0
  while (value >= 1023.95 && unit < byteUnits.length - 1) {
    value /= 1024
    unit += 1
  }
  const digits = unit === 0 || value >= 100 ? 0 : 1
  return `${sign}${value.toFixed(digits)} ${byteUnits[unit]}`
}

/** Milliseconds as the two largest units that matter: `380 ms`, `2.4 s`, `3 min 05 s`, `2 h 10 min`, `3 d 4 h`. */
export function formatDuration(ms: number): string {
  if (!Number.isFinite(ms)) return '–'
  if (ms < 0) return `-${formatDuration(-ms)}`
  if (ms < 1) return `${ms.toFixed(ms === 0 ? 0 : 2)} ms`
  if (ms < 999.5) return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`
  const seconds = ms / 1000
  if (seconds < 59.95) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`
  const total = Math.round(seconds)
  const minutes = Math.floor(total / 60)
  if (minutes < 60)
    return total % 60 === 0 ? `${minutes} min` : `${minutes} min ${String(total % 60).padStart(2, '0')} s`
  const hours = Math.floor(minutes / 60)
  if (hours < 24) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${String(minutes % 60).padStart(2, '0')} min`
  const days = `${Math.floor(hours / 24)} d`
  return hours % 24 === 0 ? days : `${days} ${hours % 24} h`
}

const relativeSteps: readonly [limitMs: number, unitMs: number, unit: string][] = [
  [60_000, 1_000, 's'],
  [3_600_000, 60_000, 'min'],
  [86_400_000, 3_600_000, 'h'],
  [30 * 86_400_000, 86_400_000, 'd'],
  [365 * 86_400_000, 30 * 86_400_000, 'mo'],
  [Number.POSITIVE_INFINITY, 365 * 86_400_000, 'y'],
]

/** Distance of `timeMs` from `nowMs`: `just now`, `12 s ago`, `in 3 d`. */
export function formatRelativeTime(timeMs: number, nowMs: number): string {
  if (!Number.isFinite(timeMs)) return '–'
  const distanceMs = nowMs - timeMs
  const size = Math.abs(distanceMs)
  if (size < 5_000) return 'just now'
  for (const [limitMs, unitMs, unit] of relativeSteps) {
    if (size < limitMs) {
      const text = `${Math.floor(size / unitMs)} ${unit}`
      return distanceMs > 0 ? `${text} ago` : `in ${text}`
    }
  }
  return '–'
}

/** The exact moment, in the reader's zone with the zone named, to the millisecond. */
export function formatExactTime(timeMs: number, timeZone?: string): string {
  if (!Number.isFinite(timeMs)) return '–'
  return new Intl.DateTimeFormat('en-GB', {
    year: 'numeric',
    month: 'short',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    fractionalSecondDigits: 3,
    timeZoneName: 'short',
    timeZone,
  }).format(timeMs)
}

/** `1234567` -> `1,234,567`. */
export function formatCount(count: number | bigint | string): string {
  const value = typeof count === 'string' ? Number(count) : count
  return typeof value === 'number' && !Number.isFinite(value) ? '–' : value.toLocaleString('en-US')
}

/** A count with its noun: `1 snapshot`, `1,200 snapshots`. */
export function formatCounted(count: number, noun: string, plural = `${noun}s`): string {
  return `${formatCount(count)} ${count === 1 ? noun : plural}`
}

/** The day of a moment in the reader's zone, without the year while it is this one: `1 Nov`, `1 Nov 2024`. */
export function formatDay(timeMs: number, nowMs: number): string {
  if (!Number.isFinite(timeMs)) return '–'
  const isThisYear = new Date(timeMs).getFullYear() === new Date(nowMs).getFullYear()
  return new Intl.DateTimeFormat('en-GB', {
    day: 'numeric',
    month: 'short',
    ...(isThisYear ? {} : { year: 'numeric' }),
  }).format(timeMs)
}

/** Short enough for an axis: `1.2k`, `3.4M`. */
export function formatCompact(value: number): string {
  return new Intl.NumberFormat('en-US', { notation: 'compact', maximumFractionDigits: 1 }).format(value)
}

/** `0.9876` -> `98.8 %`. What is hardly anything, or hardly less than all, is not rounded to nothing or all. */
export function formatRatio(ratio: number): string {
  if (!Number.isFinite(ratio)) return '–'
  if (ratio > 0 && ratio < 0.0005) return '< 0.1 %'
  if (ratio < 1 && ratio >= 0.9995) return '> 99.9 %'
  return `${(ratio * 100).toFixed(1)} %`
}
