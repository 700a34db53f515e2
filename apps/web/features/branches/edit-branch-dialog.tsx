'use client'

import { FormDialog } from '@tributary/ui/patterns/form-dialog'
import { FormField } from '@tributary/ui/patterns/form-field'
import { RelativeTime } from '@tributary/ui/patterns/relative-time'
import { Input } from '@tributary/ui/primitives/input'
import { Select } from '@tributary/ui/primitives/select'
import { useState } from 'react'
import { type ExpiryChoice, expiryOptions, expiryTime } from '@/domain/expiry.ts'
import { UpdateBranchDocument } from '@/gql/graphql.ts'
import { useAction } from '@/lib/use-action.ts'
import { validateName } from '@/lib/validate.ts'
import type { BranchDetails } from './branch-screen.tsx'

export interface EditBranchDialogProps {
  isOpen: boolean
  onOpenChange(isOpen: boolean): void
  branch: BranchDetails
  field: 'name' | 'expiry'
}

export function EditBranchDialog({ isOpen, onOpenChange, branch, field }: EditBranchDialogProps) {
  const update = useAction(UpdateBranchDocument, (data) => data.updateBranch)
  const [name, setName] = useState(branch.name)
  const [expiry, setExpiry] = useState<ExpiryChoice>('7d')
  const isName = field === 'name'
  const nameError = validateName(name, 'branch')

  async function submit() {
    if (isName && nameError) return
    const expiresAt = expiryTime(expiry, Date.now())
    const input = isName ? { name: name.trim() } : expiresAt ? { expiresAt } : { clearExpiry: true }
    if (await update.run({ id: branch.id, input })) onOpenChange(false)
  }
  return (
    <FormDialog
      isOpen={isOpen}
      onOpenChange={onOpenChange}
      title={isName ? 'Rename branch' : 'Expiry'}
      width="narrow"
      action="Save"
      isBusy={update.isBusy}
      error={update.formError('name', 'expiresAt')}
      onSubmit={() => void submit()}
    >
      {isName ? (
        <FormField
          label="Name"
          hint="The address to connect to stays the same."
          error={nameError ?? update.fieldError('name')}
        >
          {(control) => <Input {...control} value={name} onChange={(event) => setName(event.target.value)} />}
        </FormField>
      ) : (
        <FormField
          label="Delete automatically"
          hint={
            branch.expiresAt ? (
              <>
                Now set: <RelativeTime at={branch.expiresAt} />.
              </>
            ) : (
              'Deleted with its computes; its parent is not touched.'
            )
          }
          error={update.fieldError('expiresAt')}
        >
          {(control) => <Select {...control} value={expiry} onChange={setExpiry} options={expiryOptions} />}
        </FormField>
      )}
    </FormDialog>
  )
}
