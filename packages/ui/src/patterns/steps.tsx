import { Check, Minus, X } from 'lucide-react'
import type { ReactNode } from 'react'
import { classNames } from '../lib/class-names.ts'
import { Spinner } from '../primitives/spinner.tsx'

export type StepState = 'waiting' | 'running' | 'done' | 'failed' | 'skipped'

export interface StepItem {
  key: string
  name: ReactNode
  state: StepState
  /** At the right: usually how long it took. */
  meta?: ReactNode
  /** Below: an error, a note. */
  detail?: ReactNode
}

const marks: Record<StepState, ReactNode> = {
  waiting: <span className="size-1.5 rounded-full bg-line-strong" />,
  running: <Spinner className="text-stream" />,
  done: <Check className="size-3.5 text-positive" strokeWidth={2.6} aria-label="done" />,
  failed: <X className="size-3.5 text-danger" strokeWidth={2.6} aria-label="failed" />,
  skipped: <Minus className="size-3.5 text-ink-faint" aria-label="skipped" />,
}

/** Work in order: what is done, what runs, what is to come. */
export function Steps({ steps, label }: { steps: readonly StepItem[]; label: string }) {
  return (
    <ol aria-label={label} className="flex flex-col">
      {steps.map((step, index) => (
        <li
          key={step.key}
          className="relative flex gap-3 pb-3 last:pb-0"
          aria-current={step.state === 'running' ? 'step' : undefined}
        >
          {index < steps.length - 1 ? (
            <span
              aria-hidden="true"
              className={classNames(
                'absolute top-5 bottom-0 left-[9.5px] w-px',
                step.state === 'done' ? 'bg-positive/50' : 'bg-line',
              )}
            />
          ) : null}
          <span className="flex size-5 shrink-0 items-center justify-center">{marks[step.state]}</span>
          <div className="min-w-0 flex-1">
            <div className="flex items-baseline justify-between gap-4">
              <span className={classNames('text-data', step.state === 'waiting' && 'text-ink-faint')}>{step.name}</span>
              {step.meta ? <span className="tabular shrink-0 text-data text-ink-faint">{step.meta}</span> : null}
            </div>
            {step.detail ? <div className="mt-0.5 break-words text-danger text-data">{step.detail}</div> : null}
          </div>
        </li>
      ))}
    </ol>
  )
}
