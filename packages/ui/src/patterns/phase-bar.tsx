import { classNames } from '../lib/class-names.ts'
import { formatDuration } from '../lib/format.ts'

export interface Phase {
  name: string
  ms: number
}

export interface PhaseBarProps {
  phases: readonly Phase[]
  label: string
  /** Name of a phase that spans all the others. It sets the length of the bar and is no part of it. */
  whole?: string
  /** Name of what the others leave of it. */
  rest?: string
  /** The list of parts opens on request: where many bars stand below each other. */
  isFolded?: boolean
}

const fills = [
  'bg-chart-1',
  'bg-chart-2',
  'bg-chart-3',
  'bg-chart-5',
  'bg-chart-4',
  'bg-chart-6',
  'bg-chart-1/45',
] as const
const restFill = 'bg-line-strong'

/** Where the time went: one bar cut in proportion, and the list that names its parts. */
export function PhaseBar({ phases, label, whole, rest = 'other', isFolded }: PhaseBarProps) {
  const { parts, restMs, totalMs } = splitPhases(phases, whole)
  const shown = [
    ...parts.map((phase, index) => ({ ...phase, fill: fills[index % fills.length] ?? restFill })),
    ...(restMs > 0 ? [{ name: rest, ms: restMs, fill: restFill }] : []),
  ]
  const list = (
    <ul aria-label={label} className="mt-2 flex flex-wrap gap-x-4 gap-y-1">
      {shown.map((phase) => (
        <li key={phase.name} className="flex items-center gap-1.5 text-ink-soft text-label">
          <span aria-hidden="true" className={classNames('size-2 rounded-[2px]', phase.fill)} />
          {phase.name}
          <span className="tabular text-ink">{formatDuration(phase.ms)}</span>
        </li>
      ))}
    </ul>
  )
  return (
    <div>
      <div aria-hidden="true" className="flex h-2 gap-px overflow-hidden rounded-full bg-hover">
        {shown.map((phase) => (
          <div
            key={phase.name}
            className={classNames('h-full min-w-[2px]', phase.fill)}
            style={{ width: `${totalMs === 0 ? 0 : (phase.ms / totalMs) * 100}%` }}
          />
        ))}
      </div>
      {isFolded ? (
        <details className="mt-1.5">
          <summary className="w-fit cursor-pointer text-ink-faint text-label hover:text-ink">{label}</summary>
          {list}
        </details>
      ) : (
        list
      )}
    </div>
  )
}

/** The phases that follow each other, what none of them accounts for, and how long it all took. */
export function splitPhases(
  phases: readonly Phase[],
  whole: string | undefined,
): { parts: readonly Phase[]; restMs: number; totalMs: number } {
  const others = phases.filter((phase) => phase.name !== whole)
  const sumMs = others.reduce((sum, phase) => sum + phase.ms, 0)
  const wholeMs = phases.find((phase) => phase.name === whole)?.ms
  if (wholeMs === undefined || wholeMs < sumMs) {
    return { parts: phases, restMs: 0, totalMs: sumMs + (wholeMs ?? 0) }
  }
  return { parts: others, restMs: wholeMs - sumMs, totalMs: wholeMs }
}
