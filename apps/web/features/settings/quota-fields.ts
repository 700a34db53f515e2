export const daySeconds = 86_400
const gib = 1024 ** 3

/** Days as typed -> whole seconds between an hour and 30 days, else undefined. */
export function parseDays(text: string): number | undefined {
  const days = Number(text.trim().replace(',', '.'))
  const seconds = Math.round(days * daySeconds)
  return text.trim() !== '' && seconds >= 3_600 && seconds <= 30 * daySeconds ? seconds : undefined
}

/** A limit as typed: empty is no limit (null); undefined is not a number. */
export function parseLimit(text: string): number | null | undefined {
  if (text.trim() === '') return null
  const value = Number(text.trim().replace(',', '.'))
  return Number.isFinite(value) && value >= 0 ? value : undefined
}

export function gibToBytes(value: number | null): string | null {
  return value === null ? null : String(Math.round(value * gib))
}

export function bytesToGib(bytes: string | null): string {
  return bytes === null ? '' : String(Number((Number(bytes) / gib).toFixed(3)))
}

export function hoursToSeconds(value: number | null): number | null {
  return value === null ? null : Math.round(value * 3_600)
}

export function secondsToHours(seconds: number | null): string {
  return seconds === null ? '' : String(Number((seconds / 3_600).toFixed(2)))
}
