'use client'

import { Callout } from '@tributary/ui/patterns/callout'
import { CopyField } from '@tributary/ui/patterns/copy-field'
import { Button } from '@tributary/ui/primitives/button'
import { Dialog, DialogBody, DialogFooter } from '@tributary/ui/primitives/dialog'

export interface PasswordDialogProps {
  shown: { role: string; password: string } | undefined
  onClose(): void
}

export function PasswordDialog({ shown, onClose }: PasswordDialogProps) {
  return (
    <Dialog
      isOpen={shown !== undefined}
      onOpenChange={(isOpen) => !isOpen && onClose()}
      title={`Password of ${shown?.role ?? ''}`}
      width="narrow"
    >
      <DialogBody>
        <CopyField label="Password" text={shown?.password ?? ''} />
        <Callout tone="caution">Whoever has it can read and write what this role can.</Callout>
      </DialogBody>
      <DialogFooter>
        <Button variant="primary" onClick={onClose}>
          Done
        </Button>
      </DialogFooter>
    </Dialog>
  )
}
