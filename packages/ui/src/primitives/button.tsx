import * as Slot from 'radix-ui/slot'
import type { ComponentProps } from 'react'
import { classNames } from '../lib/class-names.ts'
import { Spinner } from './spinner.tsx'

export type ButtonVariant = 'primary' | 'secondary' | 'quiet' | 'danger'

const variants: Record<ButtonVariant, string> = {
  primary: 'bg-stream text-on-stream hover:bg-stream-strong',
  secondary: 'border border-line-strong bg-surface text-ink hover:bg-hover',
  quiet: 'text-ink-soft hover:bg-hover hover:text-ink',
  danger: 'bg-danger text-on-danger hover:opacity-90',
}

const sizes = {
  small: 'h-7 gap-1.5 px-2.5 text-data',
  medium: 'h-8.5 gap-2 px-3.5 text-body',
  large: 'h-10 gap-2 px-4.5 text-body',
} as const

export interface ButtonProps extends ComponentProps<'button'> {
  variant?: ButtonVariant
  size?: keyof typeof sizes
  /** Work is under way: shows a spinner and refuses clicks, keeping focus. */
  isBusy?: boolean
  /** Renders the child element (a link) with the looks of a button. */
  asChild?: boolean
}

export function Button({ variant = 'secondary', size = 'medium', isBusy, asChild, className, ...props }: ButtonProps) {
  const classes = classNames(
    'inline-flex shrink-0 select-none items-center justify-center whitespace-nowrap rounded-md font-medium transition-colors duration-100',
    'disabled:cursor-not-allowed disabled:opacity-50 aria-disabled:cursor-progress aria-disabled:opacity-70 [&>svg]:size-4 [&>svg]:shrink-0',
    variants[variant],
    sizes[size],
    className,
  )
  if (asChild) return <Slot.Root className={classes} {...props} />
  const { children, onClick, type = 'button', ...rest } = props
  return (
    <button
      type={type}
      className={classes}
      aria-disabled={isBusy || undefined}
      onClick={isBusy ? (event) => event.preventDefault() : onClick}
      {...rest}
    >
      {isBusy ? <Spinner /> : null}
      {children}
    </button>
  )
}
