'use client'

import { FormDialog } from '@tributary/ui/patterns/form-dialog'
import { FormField } from '@tributary/ui/patterns/form-field'
import { Input } from '@tributary/ui/primitives/input'
import { Select } from '@tributary/ui/primitives/select'
import { useState } from 'react'
import { CreateDatabaseDocument } from '@/gql/graphql.ts'
import { useAction } from '@/lib/use-action.ts'
import { validateSqlName } from '@/lib/validate.ts'
import type { BranchWithRoles } from './roles-panel.tsx'

export interface CreateDatabaseDialogProps {
  isOpen: boolean
  onOpenChange(isOpen: boolean): void
  branch: BranchWithRoles
}

export function CreateDatabaseDialog({ isOpen, onOpenChange, branch }: CreateDatabaseDialogProps) {
  const create = useAction(CreateDatabaseDocument, (data) => data.createDatabase)
  const [name, setName] = useState('')
  const [owner, setOwner] = useState(branch.roles[0]?.name ?? '')
  const [wasSubmitted, setWasSubmitted] = useState(false)
  const isTaken = branch.databases.some((database) => database.name === name)
  const nameError = validateSqlName(name, 'database') ?? (isTaken ? 'A database of this name exists.' : undefined)

  async function submit() {
    setWasSubmitted(true)
    if (nameError) return
    if (!(await create.run({ branchId: branch.id, name, ownerName: owner }))) return
    onOpenChange(false)
    setName('')
    setWasSubmitted(false)
  }
  return (
    <FormDialog
      isOpen={isOpen}
      onOpenChange={onOpenChange}
      title="New database"
      width="narrow"
      action="Create database"
      isBusy={create.isBusy}
      error={create.formError('name', 'ownerName')}
      onSubmit={() => void submit()}
    >
      <FormField label="Name" error={(wasSubmitted ? nameError : undefined) ?? create.fieldError('name')}>
        {(control) => <Input {...control} isMonospace value={name} onChange={(event) => setName(event.target.value)} />}
      </FormField>
      <FormField label="Owner" error={create.fieldError('ownerName')}>
        {(control) => (
          <Select
            {...control}
            value={owner}
            onChange={setOwner}
            options={branch.roles.map((role) => ({ value: role.name, label: role.name }))}
          />
        )}
      </FormField>
    </FormDialog>
  )
}
