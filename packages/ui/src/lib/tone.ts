/** What a coloured thing says. `active` is neutral activity: running, live, selected. */
export type Tone = 'neutral' | 'active' | 'positive' | 'caution' | 'danger'

export const toneText: Record<Tone, string> = {
  neutral: 'text-ink-soft',
  active: 'text-stream-strong',
  positive: 'text-positive',
  caution: 'text-caution',
  danger: 'text-danger',
}

export const toneSoft: Record<Tone, string> = {
  neutral: 'bg-sunken text-ink-soft',
  active: 'bg-stream-soft text-stream-strong',
  positive: 'bg-positive-soft text-positive',
  caution: 'bg-caution-soft text-caution',
  danger: 'bg-danger-soft text-danger',
}

export const toneFill: Record<Tone, string> = {
  neutral: 'bg-ink-faint',
  active: 'bg-stream',
  positive: 'bg-positive',
  caution: 'bg-caution',
  danger: 'bg-danger',
}
