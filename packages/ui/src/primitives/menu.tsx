import { Check } from 'lucide-react'
import * as Radix from 'radix-ui/dropdown-menu'
import type { ReactElement, ReactNode } from 'react'
import { classNames } from '../lib/class-names.ts'

export interface MenuProps {
  trigger: ReactElement
  children: ReactNode
  align?: 'start' | 'center' | 'end'
  className?: string
}

export function Menu({ trigger, children, align = 'end', className }: MenuProps) {
  return (
    <Radix.Root>
      <Radix.Trigger asChild>{trigger}</Radix.Trigger>
      <Radix.Portal>
        <Radix.Content
          align={align}
          sideOffset={4}
          collisionPadding={8}
          className={classNames(
            'z-50 max-h-(--radix-dropdown-menu-content-available-height) min-w-48 animate-surface overflow-y-auto rounded-lg border border-line bg-raised p-1 shadow-raised',
            className,
          )}
        >
          {children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  )
}

const itemClasses =
  'flex cursor-pointer items-center gap-2 rounded-md px-2.5 py-1.5 text-body outline-none data-disabled:cursor-not-allowed data-disabled:opacity-50 data-highlighted:bg-hover [&>svg]:size-4 [&>svg]:shrink-0 [&>svg]:text-ink-faint'

export interface MenuItemProps {
  children: ReactNode
  onSelect?(): void
  isDanger?: boolean
  isDisabled?: boolean
  isChecked?: boolean
  /** Renders the child element (a link) as the item. */
  asChild?: boolean
}

export function MenuItem({ children, onSelect, isDanger, isDisabled, isChecked, asChild }: MenuItemProps) {
  return (
    <Radix.Item
      asChild={asChild}
      disabled={isDisabled}
      onSelect={onSelect}
      className={classNames(itemClasses, isDanger && 'text-danger [&>svg]:text-danger')}
    >
      {asChild ? (
        children
      ) : (
        <>
          {children}
          {isChecked ? <Check className="ml-auto" aria-label="selected" /> : null}
        </>
      )}
    </Radix.Item>
  )
}

export function MenuLabel({ children }: { children: ReactNode }) {
  return <Radix.Label className="px-2.5 pt-1.5 pb-1 text-ink-faint text-label">{children}</Radix.Label>
}

export function MenuSeparator() {
  return <Radix.Separator className="-mx-1 my-1 h-px bg-line" />
}
