import type { ComponentProps, ReactNode } from 'react'
import { classNames } from '../lib/class-names.ts'
import { Tooltip } from './tooltip.tsx'

export interface IconButtonProps extends Omit<ComponentProps<'button'>, 'children'> {
  /** What it does: the accessible name, and the tooltip. */
  label: string
  children: ReactNode
  size?: 'small' | 'medium'
  hideTooltip?: boolean
}

export function IconButton({ label, children, size = 'medium', hideTooltip, className, ...props }: IconButtonProps) {
  const button = (
    <button
      type="button"
      aria-label={label}
      className={classNames(
        'inline-flex shrink-0 items-center justify-center rounded-md text-ink-faint transition-colors hover:bg-hover hover:text-ink disabled:cursor-not-allowed disabled:opacity-50 [&>svg]:size-4',
        size === 'small' ? 'size-6 [&>svg]:size-3.5' : 'size-8.5',
        className,
      )}
      {...props}
    >
      {children}
    </button>
  )
  return hideTooltip ? button : <Tooltip content={label}>{button}</Tooltip>
}
