export type ExpiryChoice = 'never' | '1h' | '1d' | '7d' | '30d'

const hourMs = 3_600_000
const lengthMs: Record<Exclude<ExpiryChoice, 'never'>, number> = {
  '1h': hourMs,
  '1d': 24 * hourMs,
  '7d': 7 * 24 * hourMs,
  '30d': 30 * 24 * hourMs,
}

export const expiryOptions = [
  { value: 'never', label: 'Never' },
  { value: '1h', label: 'After 1 hour' },
  { value: '1d', label: 'After 1 day' },
  { value: '7d', label: 'After 7 days' },
  { value: '30d', label: 'After 30 days' },
] as const satisfies readonly { value: ExpiryChoice; label: string }[]

/** The moment of the choice, ISO 8601; undefined for never. */
export function expiryTime(choice: ExpiryChoice, nowMs: number): string | undefined {
  return choice === 'never' ? undefined : new Date(nowMs + lengthMs[choice]).toISOString()
}
