import { classNames } from '../lib/class-names.ts'

export interface MeterProps {
  label: string
  value: number
  /** undefined: no limit, so no bar to fill. */
  max: number | undefined
  valueText: string
}

/** How much of a limit is used: caution from 80 %, danger from 100 %. */
export function Meter({ label, value, max, valueText }: MeterProps) {
  const share = max === undefined || max <= 0 ? 0 : Math.min(1, value / max)
  const fill = share >= 1 ? 'bg-danger' : share >= 0.8 ? 'bg-caution' : 'bg-stream'
  return (
    <div className="min-w-0">
      <div className="flex justify-between gap-3 text-data">
        <span className="text-ink-soft">{label}</span>
        <span className="tabular">
          {valueText}
          {max === undefined ? <span className="text-ink-faint"> · no limit</span> : null}
        </span>
      </div>
      {max === undefined ? null : (
        <div
          role="meter"
          aria-label={label}
          aria-valuemin={0}
          aria-valuemax={max}
          aria-valuenow={value}
          aria-valuetext={valueText}
          className="mt-1.5 h-1.5 rounded-full bg-hover"
        >
          <div className={classNames('h-full rounded-full', fill)} style={{ width: `${share * 100}%` }} />
        </div>
      )}
    </div>
  )
}
