import { ChevronDown } from 'lucide-react'
import { classNames } from '../lib/class-names.ts'
import { controlClasses } from './input.tsx'

export interface SelectOption<Value extends string> {
  value: Value
  label: string
  isDisabled?: boolean
}

export interface SelectProps<Value extends string> {
  value: NoInfer<Value>
  onChange(value: NoInfer<Value>): void
  options: readonly SelectOption<Value>[]
  /** Accessible name where no visible label points to the control. */
  label?: string
  id?: string
  isDisabled?: boolean
  size?: 'small' | 'medium'
  className?: string
  'aria-describedby'?: string | undefined
  'aria-invalid'?: boolean | undefined
}

/** The browser's own list: a phone shows its picker, and where lists can be dressed it wears ours (tokens/base.css). */
export function Select<Value extends string>({ value, onChange, options, ...props }: SelectProps<Value>) {
  const { label, isDisabled, size = 'medium', className, ...control } = props
  return (
    <span className={classNames('relative inline-flex w-full', className)}>
      <select
        {...control}
        aria-label={label}
        disabled={isDisabled}
        value={value}
        onChange={(event) => onChange(event.target.value as Value)}
        className={classNames(
          controlClasses,
          'cursor-pointer truncate pr-8 pl-2.5',
          size === 'small' ? 'h-7 text-data' : 'h-8.5',
        )}
      >
        {options.map((option) => (
          <option key={option.value} value={option.value} disabled={option.isDisabled}>
            {option.label}
          </option>
        ))}
      </select>
      <ChevronDown
        className="pointer-events-none absolute top-1/2 right-2.5 size-3.5 -translate-y-1/2 text-ink-faint"
        aria-hidden="true"
      />
    </span>
  )
}
