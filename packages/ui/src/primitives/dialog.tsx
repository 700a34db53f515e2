import { X } from 'lucide-react'
import * as Radix from 'radix-ui/dialog'
import type { ReactNode } from 'react'
import { classNames } from '../lib/class-names.ts'
import { useReturnFocus } from '../lib/use-return-focus.ts'
import { IconButton } from './icon-button.tsx'

export interface DialogProps {
  isOpen: boolean
  onOpenChange(isOpen: boolean): void
  title: string
  /** What this is for, in one sentence. */
  description?: ReactNode
  children: ReactNode
  width?: 'narrow' | 'medium' | 'wide'
  /** Stays until a choice is made: no close button, no Escape, no click outside. */
  isBlocking?: boolean
}

const widths = { narrow: 'max-w-md', medium: 'max-w-xl', wide: 'max-w-4xl' } as const

/** A centred panel on wide screens, a sheet from the bottom on a phone. */
export function Dialog({
  isOpen,
  onOpenChange,
  title,
  description,
  children,
  width = 'medium',
  isBlocking,
}: DialogProps) {
  const focus = useReturnFocus()
  const refuse = isBlocking ? (event: Event) => event.preventDefault() : undefined
  return (
    <Radix.Root open={isOpen} onOpenChange={onOpenChange}>
      <Radix.Portal>
        <Radix.Overlay className="fixed inset-0 z-40 animate-appear bg-veil" />
        <Radix.Content
          onOpenAutoFocus={(event) => {
            focus.remember()
            focusFirstField(event)
          }}
          onCloseAutoFocus={focus.giveBack}
          onEscapeKeyDown={refuse}
          onPointerDownOutside={refuse}
          onInteractOutside={refuse}
          {...(description ? {} : { 'aria-describedby': undefined })}
          className={classNames(
            'fixed inset-x-0 bottom-0 z-40 mx-auto flex max-h-[92dvh] w-full animate-surface flex-col rounded-t-lg border border-line bg-raised shadow-raised',
            'sm:inset-x-4 sm:top-[10vh] sm:bottom-auto sm:max-h-[80vh] sm:rounded-lg',
            widths[width],
          )}
        >
          <header className="flex items-start gap-4 border-line border-b px-5 pt-4 pb-3.5">
            <div className="min-w-0 flex-1">
              <Radix.Title className="font-semibold text-h3">{title}</Radix.Title>
              {description ? (
                <Radix.Description className="mt-0.5 text-ink-soft text-data">{description}</Radix.Description>
              ) : null}
            </div>
            {isBlocking ? null : (
              <Radix.Close asChild>
                <IconButton label="Close" hideTooltip className="-mt-1 -mr-2">
                  <X />
                </IconButton>
              </Radix.Close>
            )}
          </header>
          {children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  )
}

/** A form begins at its first field. With a finger that would open the keyboard over the dialog: there the dialog is read first. */
function focusFirstField(event: Event): void {
  if (window.matchMedia('(pointer: coarse)').matches || !(event.currentTarget instanceof HTMLElement)) return
  const field = event.currentTarget.querySelector<HTMLElement>('input:not(:disabled), textarea:not(:disabled), select')
  if (!field) return
  event.preventDefault()
  field.focus()
}

export function DialogBody({ children, className }: { children: ReactNode; className?: string }) {
  return <div className={classNames('flex flex-col gap-4 overflow-y-auto px-5 py-4', className)}>{children}</div>
}

/** Buttons, the main one last; on a phone they fill the width. */
export function DialogFooter({ children }: { children: ReactNode }) {
  return (
    <footer className="flex flex-col-reverse gap-2 border-line border-t px-5 py-3.5 sm:flex-row sm:justify-end">
      {children}
    </footer>
  )
}
