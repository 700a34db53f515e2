'use client'

import { Button } from '../primitives/button.tsx'
import { Dialog, DialogBody, DialogFooter, type DialogProps } from '../primitives/dialog.tsx'
import { Callout } from './callout.tsx'

export interface FormDialogProps extends Omit<DialogProps, 'isBlocking'> {
  /** The verb of the button: "Create role". */
  action: string
  isBusy: boolean
  /** What was refused and is about no field of the form. */
  error?: string | undefined
  onSubmit(): void
}

/** A form in a dialog: its fields, what was refused, a way out and the button that does it. The form checks itself. */
export function FormDialog({ action, isBusy, error, onSubmit, children, ...dialog }: FormDialogProps) {
  return (
    <Dialog {...dialog}>
      <form
        noValidate
        className="contents"
        onSubmit={(event) => {
          event.preventDefault()
          onSubmit()
        }}
      >
        <DialogBody>
          {children}
          {error ? <Callout tone="danger">{error}</Callout> : null}
        </DialogBody>
        <DialogFooter>
          <Button onClick={() => dialog.onOpenChange(false)}>Cancel</Button>
          <Button type="submit" variant="primary" isBusy={isBusy}>
            {action}
          </Button>
        </DialogFooter>
      </form>
    </Dialog>
  )
}
