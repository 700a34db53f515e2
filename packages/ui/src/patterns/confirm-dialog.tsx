'use client'

import { type ReactNode, useEffect, useState } from 'react'
import { Button } from '../primitives/button.tsx'
import { Dialog, DialogBody, DialogFooter } from '../primitives/dialog.tsx'
import { Input } from '../primitives/input.tsx'
import { Callout } from './callout.tsx'
import { FormField } from './form-field.tsx'

export interface ConfirmDialogProps {
  isOpen: boolean
  onOpenChange(isOpen: boolean): void
  title: string
  /** What will happen, said before it does. */
  children: ReactNode
  /** The verb of the button: "Delete branch". */
  action: string
  /** This has to be typed first. Leave out for what can be undone. */
  confirmName?: string
  isDanger?: boolean
  isBusy?: boolean
  error?: string | undefined
  onConfirm(): void
}

export function ConfirmDialog({ isOpen, onOpenChange, title, children, action, ...props }: ConfirmDialogProps) {
  const { confirmName, isDanger = true, isBusy, error, onConfirm } = props
  const [typed, setTyped] = useState('')
  useEffect(() => {
    if (!isOpen) setTyped('')
  }, [isOpen])
  const isConfirmed = confirmName === undefined || typed.trim() === confirmName
  return (
    <Dialog isOpen={isOpen} onOpenChange={onOpenChange} title={title} width="narrow">
      <form
        className="contents"
        onSubmit={(event) => {
          event.preventDefault()
          if (isConfirmed && !isBusy) onConfirm()
        }}
      >
        <DialogBody>
          <div className="flex flex-col gap-3 text-body text-ink-soft">{children}</div>
          {confirmName === undefined ? null : (
            <FormField
              label={
                <>
                  Type <code className="select-all rounded-sm bg-sunken px-1 py-0.5 text-ink">{confirmName}</code> to
                  confirm
                </>
              }
            >
              {(control) => (
                <Input
                  {...control}
                  value={typed}
                  onChange={(event) => setTyped(event.target.value)}
                  autoComplete="off"
                  spellCheck={false}
                  isMonospace
                />
              )}
            </FormField>
          )}
          {error ? <Callout tone="danger">{error}</Callout> : null}
        </DialogBody>
        <DialogFooter>
          <Button onClick={() => onOpenChange(false)}>Cancel</Button>
          <Button type="submit" variant={isDanger ? 'danger' : 'primary'} disabled={!isConfirmed} isBusy={isBusy}>
            {action}
          </Button>
        </DialogFooter>
      </form>
    </Dialog>
  )
}
