import { Check, ChevronDown } from 'lucide-react'
import * as Radix from 'radix-ui/select'
import type { ReactNode } from 'react'
import { classNames } from '../lib/class-names.ts'
import { controlClasses } from './input.tsx'

export interface SelectOption<Value extends string> {
  value: Value
  label: ReactNode
  /** A second, quieter line. */
  hint?: ReactNode
  isDisabled?: boolean
}

export interface SelectProps<Value extends string> {
  value: NoInfer<Value>
  onChange(value: NoInfer<Value>): void
  options: readonly SelectOption<Value>[]
  /** Accessible name where no visible label points to the control. */
  label?: string
  id?: string
  placeholder?: string
  isDisabled?: boolean
  size?: 'small' | 'medium'
  className?: string
  'aria-describedby'?: string
  'aria-invalid'?: boolean
}

export function Select<Value extends string>({ value, onChange, options, ...props }: SelectProps<Value>) {
  const { label, id, placeholder, isDisabled, size = 'medium', className } = props
  return (
    <Radix.Root value={value} onValueChange={(next) => onChange(next as Value)} disabled={isDisabled}>
      <Radix.Trigger
        id={id}
        aria-label={label}
        aria-describedby={props['aria-describedby']}
        aria-invalid={props['aria-invalid']}
        className={classNames(
          controlClasses,
          'inline-flex items-center justify-between gap-2 px-2.5 text-left [&>span:first-child]:truncate',
          size === 'small' ? 'h-7 text-data' : 'h-8.5',
          className,
        )}
      >
        <Radix.Value placeholder={placeholder} />
        <ChevronDown className="size-3.5 shrink-0 text-ink-faint" aria-hidden="true" />
      </Radix.Trigger>
      <Radix.Portal>
        <Radix.Content
          position="popper"
          sideOffset={4}
          className="z-50 max-h-[min(24rem,var(--radix-select-content-available-height))] min-w-(--radix-select-trigger-width) animate-surface overflow-hidden rounded-lg border border-line bg-raised shadow-raised"
        >
          <Radix.Viewport className="p-1">
            {options.map((option) => (
              <Radix.Item
                key={option.value}
                value={option.value}
                disabled={option.isDisabled}
                className="flex cursor-pointer items-center gap-2 rounded-md py-1.5 pr-2 pl-7 text-body outline-none data-disabled:cursor-not-allowed data-disabled:opacity-50 data-highlighted:bg-hover"
              >
                <Radix.ItemIndicator className="absolute left-2.5">
                  <Check className="size-3.5 text-stream-strong" />
                </Radix.ItemIndicator>
                <span className="min-w-0">
                  <Radix.ItemText>{option.label}</Radix.ItemText>
                  {option.hint ? <span className="block text-ink-faint text-label">{option.hint}</span> : null}
                </span>
              </Radix.Item>
            ))}
          </Radix.Viewport>
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  )
}
