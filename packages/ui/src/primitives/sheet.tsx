import { X } from 'lucide-react'
import * as Radix from 'radix-ui/dialog'
import type { ReactNode } from 'react'
import { classNames } from '../lib/class-names.ts'
import { useReturnFocus } from '../lib/use-return-focus.ts'
import { IconButton } from './icon-button.tsx'

export interface SheetProps {
  isOpen: boolean
  onOpenChange(isOpen: boolean): void
  title: string
  children: ReactNode
  side?: 'left' | 'right'
  /** The title is for screen readers only. */
  hideTitle?: boolean
  className?: string
}

/** A panel along one edge: details beside a list, or the navigation on a phone. */
export function Sheet({ isOpen, onOpenChange, title, children, side = 'right', hideTitle, className }: SheetProps) {
  const focus = useReturnFocus()
  return (
    <Radix.Root open={isOpen} onOpenChange={onOpenChange}>
      <Radix.Portal>
        <Radix.Overlay className="fixed inset-0 z-40 animate-appear bg-veil" />
        <Radix.Content
          aria-describedby={undefined}
          onOpenAutoFocus={focus.remember}
          onCloseAutoFocus={focus.giveBack}
          className={classNames(
            'fixed inset-y-0 z-40 flex w-[min(30rem,100vw)] flex-col overflow-y-auto border-line bg-raised shadow-raised',
            side === 'right' ? 'right-0 animate-bank-right border-l' : 'left-0 animate-bank-left border-r',
            className,
          )}
        >
          {hideTitle ? (
            <Radix.Title className="sr-only">{title}</Radix.Title>
          ) : (
            <header className="flex items-center justify-between gap-4 border-line border-b px-5 py-3.5">
              <Radix.Title className="truncate font-semibold text-h3">{title}</Radix.Title>
              <Radix.Close asChild>
                <IconButton label="Close" hideTooltip className="-mr-2">
                  <X />
                </IconButton>
              </Radix.Close>
            </header>
          )}
          {children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  )
}
