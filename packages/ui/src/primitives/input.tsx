import type { ComponentProps } from 'react'
import { classNames } from '../lib/class-names.ts'

export const controlClasses =
  'w-full rounded-md border border-line-strong bg-surface text-body text-ink transition-colors hover:border-ink-faint focus-visible:border-focus focus-visible:outline-1 focus-visible:outline-offset-0 disabled:cursor-not-allowed disabled:opacity-60 aria-invalid:border-danger'

export interface InputProps extends ComponentProps<'input'> {
  /** For LSNs, identifiers, SQL names. */
  isMonospace?: boolean
}

export function Input({ className, isMonospace, ...props }: InputProps) {
  return (
    <input
      className={classNames(controlClasses, 'h-8.5 px-2.5', isMonospace && 'font-mono text-data', className)}
      {...props}
    />
  )
}
