import * as Radix from 'radix-ui/toggle-group'
import type { ReactNode } from 'react'
import { classNames } from '../lib/class-names.ts'

export interface SegmentedProps<Value extends string> {
  value: NoInfer<Value>
  onChange(value: NoInfer<Value>): void
  options: readonly { value: Value; label: ReactNode; isDisabled?: boolean }[]
  label: string
  className?: string
}

/** One choice of a few, all in sight. */
export function Segmented<Value extends string>({ value, onChange, options, label, className }: SegmentedProps<Value>) {
  return (
    <Radix.Root
      type="single"
      value={value}
      onValueChange={(next) => next && onChange(next as Value)}
      aria-label={label}
      className={classNames('inline-flex rounded-md border border-line bg-sunken p-0.5', className)}
    >
      {options.map((option) => (
        <Radix.Item
          key={option.value}
          value={option.value}
          disabled={option.isDisabled}
          className="inline-flex h-7 flex-1 items-center justify-center gap-1.5 whitespace-nowrap rounded-sm px-2.5 font-medium text-data text-ink-soft transition-colors hover:text-ink disabled:opacity-50 data-[state=on]:bg-raised data-[state=on]:text-ink data-[state=on]:shadow-[0_1px_2px_oklch(0.2_0.03_226/0.18)]"
        >
          {option.label}
        </Radix.Item>
      ))}
    </Radix.Root>
  )
}
