import { Check } from 'lucide-react'
import * as Radix from 'radix-ui/checkbox'
import { type ReactNode, useId } from 'react'

export interface CheckboxProps {
  isChecked: boolean
  onChange(isChecked: boolean): void
  label: ReactNode
  hint?: ReactNode
  isDisabled?: boolean
}

export function Checkbox({ isChecked, onChange, label, hint, isDisabled }: CheckboxProps) {
  const id = useId()
  return (
    <div className="flex items-start gap-2.5">
      <Radix.Root
        id={id}
        checked={isChecked}
        onCheckedChange={(next) => onChange(next === true)}
        disabled={isDisabled}
        aria-describedby={hint ? `${id}-hint` : undefined}
        className="mt-0.5 flex size-4.5 shrink-0 items-center justify-center rounded-sm border border-line-strong bg-surface transition-colors hover:border-ink-faint disabled:opacity-50 data-[state=checked]:border-stream data-[state=checked]:bg-stream"
      >
        <Radix.Indicator>
          <Check className="size-3.5 text-on-stream" strokeWidth={3} />
        </Radix.Indicator>
      </Radix.Root>
      <div className="min-w-0">
        <label htmlFor={id} className="cursor-pointer text-body">
          {label}
        </label>
        {hint ? (
          <p id={`${id}-hint`} className="text-ink-faint text-data">
            {hint}
          </p>
        ) : null}
      </div>
    </div>
  )
}
