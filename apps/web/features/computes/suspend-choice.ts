export const suspendOptions = [
  { value: '60', label: 'After 1 minute' },
  { value: '300', label: 'After 5 minutes' },
  { value: '900', label: 'After 15 minutes' },
  { value: '3600', label: 'After 1 hour' },
  { value: 'never', label: 'Never' },
] as const

export type SuspendChoice = (typeof suspendOptions)[number]['value']

/** As the API wants it: null means the compute stays awake. */
export function suspendSeconds(choice: SuspendChoice): number | null {
  return choice === 'never' ? null : Number(choice)
}

/** The choice nearest above what is set. */
export function suspendChoice(seconds: number | null): SuspendChoice {
  if (seconds === null) return 'never'
  return suspendOptions.find((option) => option.value !== 'never' && Number(option.value) >= seconds)?.value ?? '3600'
}
