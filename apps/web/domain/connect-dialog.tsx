'use client'

import { Dialog, DialogBody } from '@tributary/ui/primitives/dialog'
import { ConnectionPanel } from './connection-panel.tsx'

export interface ConnectDialogProps {
  isOpen: boolean
  onOpenChange(isOpen: boolean): void
  projectId: string
  branch: { id: string; name: string }
}

export function ConnectDialog({ isOpen, onOpenChange, projectId, branch }: ConnectDialogProps) {
  return (
    <Dialog
      isOpen={isOpen}
      onOpenChange={onOpenChange}
      title={`Connect to ${branch.name}`}
      description="A suspended compute wakes on connect."
    >
      <DialogBody>
        <ConnectionPanel projectId={projectId} branchId={branch.id} />
      </DialogBody>
    </Dialog>
  )
}
