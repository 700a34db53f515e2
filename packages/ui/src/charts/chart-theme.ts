/** Series colours in the order they are handed out; they differ in lightness as well as in hue. */
export const seriesColors = [
  'var(--chart-1)',
  'var(--chart-2)',
  'var(--chart-3)',
  'var(--chart-5)',
  'var(--chart-4)',
  'var(--chart-6)',
] as const

export const axisStyle = { fontSize: 11, fill: 'var(--ink-faint)', fontFamily: 'var(--font-geist-sans)' } as const
