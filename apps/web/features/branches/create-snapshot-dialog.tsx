'use client'

import { FormDialog } from '@tributary/ui/patterns/form-dialog'
import { FormField } from '@tributary/ui/patterns/form-field'
import { toast } from '@tributary/ui/patterns/toast'
import { Input } from '@tributary/ui/primitives/input'
import { Select } from '@tributary/ui/primitives/select'
import { useState } from 'react'
import { type ExpiryChoice, expiryOptions, expiryTime } from '@/domain/expiry.ts'
import { type Moment, pointInput, tip } from '@/domain/moment.ts'
import { MomentField } from '@/domain/moment-field.tsx'
import { CreateSnapshotDocument } from '@/gql/graphql.ts'
import { useAction } from '@/lib/use-action.ts'
import { validateName } from '@/lib/validate.ts'
import type { BranchDialogProps } from './delete-branch-dialog.tsx'

/** A snapshot names a point so that it can be found again and is kept beyond the history window. */
export function CreateSnapshotDialog({ isOpen, onOpenChange, projectId, branch }: BranchDialogProps) {
  const create = useAction(CreateSnapshotDocument, (data) => data.createSnapshot)
  const [name, setName] = useState('')
  const [moment, setMoment] = useState<Moment | undefined>(tip)
  const [expiry, setExpiry] = useState<ExpiryChoice>('never')
  const [wasSubmitted, setWasSubmitted] = useState(false)

  async function submit() {
    setWasSubmitted(true)
    if (validateName(name, 'snapshot') || !moment) return
    const payload = await create.run({
      branchId: branch.id,
      name: name.trim(),
      at: pointInput(moment),
      expiresAt: expiryTime(expiry, Date.now()),
    })
    if (!payload) return
    toast.success(`Snapshot ${name.trim()} taken`)
    setName('')
    setWasSubmitted(false)
    onOpenChange(false)
  }
  return (
    <FormDialog
      isOpen={isOpen}
      onOpenChange={onOpenChange}
      title={`Snapshot of ${branch.name}`}
      description="Names a point in history and keeps it, also when the history window has passed over it."
      action="Take snapshot"
      isBusy={create.isBusy}
      error={create.formError('name', 'at', 'expiresAt')}
      onSubmit={() => void submit()}
    >
      <FormField
        label="Name"
        error={(wasSubmitted ? validateName(name, 'snapshot') : undefined) ?? create.fieldError('name')}
      >
        {(control) => (
          <Input
            {...control}
            placeholder="before the migration"
            value={name}
            onChange={(event) => setName(event.target.value)}
          />
        )}
      </FormField>
      <MomentField
        projectId={projectId}
        branchId={branch.id}
        value={moment}
        onChange={setMoment}
        error={create.fieldError('at')}
      />
      <FormField label="Delete automatically" error={create.fieldError('expiresAt')}>
        {(control) => <Select {...control} value={expiry} onChange={setExpiry} options={expiryOptions} />}
      </FormField>
    </FormDialog>
  )
}
