import type { MarkKind } from './timeline-model.ts'

/** Colours of the picture, and the tokens of the design system that they are. */
export const colorTokens = {
  surface: 'surface',
  line: 'line',
  lineStrong: 'line-strong',
  ink: 'ink',
  inkSoft: 'ink-soft',
  inkFaint: 'ink-faint',
  stream: 'stream',
  positive: 'positive',
  caution: 'caution',
  danger: 'danger',
  violet: 'chart-3',
} as const
export type ColorName = keyof typeof colorTokens

export interface MarkLook {
  /** SVG path data around (0, 0), about 10 px wide. */
  readonly path: string
  readonly color: ColorName
}

/** Each kind has a shape of its own, so that colour is never the only difference. */
export const markLooks: Record<MarkKind, MarkLook> = {
  // A bolt.
  FAILOVER: { path: 'M1.5-6-4 1H-.5L-1.5 6 4-1.5H.5Z', color: 'danger' },
  // Points back.
  RESTORE: { path: 'M-5.5 0 3.5-5V5Z', color: 'caution' },
  SNAPSHOT: { path: 'M-4.5-4.5h9v9h-9Z', color: 'positive' },
  DDL: { path: 'M0-5.5 5.5 0 0 5.5-5.5 0Z', color: 'violet' },
  BRANCH_POINT: { path: 'M-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0Z', color: 'stream' },
  LARGE_TRANSACTION: { path: 'M-2-7h4V7h-4Z', color: 'ink' },
  COMPUTE_START: { path: 'M-3.5-4.5 4.5 0-3.5 4.5Z', color: 'inkSoft' },
  CHECKPOINT: { path: 'M-.75-4h1.5v8h-1.5Z', color: 'inkFaint' },
}
