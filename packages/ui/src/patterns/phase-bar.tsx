import { classNames } from '../lib/class-names.ts'
import { formatDuration } from '../lib/format.ts'

export interface PhaseBarProps {
  phases: readonly { name: string; ms: number }[]
  label: string
}

const fills = ['bg-chart-1', 'bg-chart-2', 'bg-chart-3', 'bg-chart-5', 'bg-chart-4', 'bg-chart-6'] as const

/** Where the time went: one bar cut in proportion, and the list that names its parts. */
export function PhaseBar({ phases, label }: PhaseBarProps) {
  const totalMs = phases.reduce((sum, phase) => sum + phase.ms, 0)
  return (
    <div>
      <div aria-hidden="true" className="flex h-2 gap-px overflow-hidden rounded-full bg-hover">
        {phases.map((phase, index) => (
          <div
            key={phase.name}
            className={classNames('h-full min-w-[2px]', fills[index % fills.length])}
            style={{ width: `${totalMs === 0 ? 0 : (phase.ms / totalMs) * 100}%` }}
          />
        ))}
      </div>
      <ul aria-label={label} className="mt-2 flex flex-wrap gap-x-4 gap-y-1">
        {phases.map((phase, index) => (
          <li key={phase.name} className="flex items-center gap-1.5 text-ink-soft text-label">
            <span aria-hidden="true" className={classNames('size-2 rounded-[2px]', fills[index % fills.length])} />
            {phase.name}
            <span className="tabular text-ink">{formatDuration(phase.ms)}</span>
          </li>
        ))}
      </ul>
    </div>
  )
}
