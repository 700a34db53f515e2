'use client'

import { FormDialog } from '@tributary/ui/patterns/form-dialog'
import { FormField } from '@tributary/ui/patterns/form-field'
import { Input } from '@tributary/ui/primitives/input'
import { useState } from 'react'
import { CreateRoleDocument } from '@/gql/graphql.ts'
import { useAction } from '@/lib/use-action.ts'
import { validateSqlName } from '@/lib/validate.ts'

export interface CreateRoleDialogProps {
  isOpen: boolean
  onOpenChange(isOpen: boolean): void
  branchId: string
  taken: readonly string[]
  onCreated(shown: { role: string; password: string }): void
}

export function CreateRoleDialog({ isOpen, onOpenChange, branchId, taken, onCreated }: CreateRoleDialogProps) {
  const create = useAction(CreateRoleDocument, (data) => data.createRole)
  const [name, setName] = useState('')
  const [wasSubmitted, setWasSubmitted] = useState(false)
  const nameError = validateSqlName(name, 'role') ?? (taken.includes(name) ? 'A role of this name exists.' : undefined)

  async function submit() {
    setWasSubmitted(true)
    if (nameError) return
    const payload = await create.run({ branchId, name })
    if (!payload) return
    onOpenChange(false)
    if (payload.password) onCreated({ role: name, password: payload.password })
    setName('')
    setWasSubmitted(false)
  }
  return (
    <FormDialog
      isOpen={isOpen}
      onOpenChange={onOpenChange}
      title="New role"
      width="narrow"
      action="Create role"
      isBusy={create.isBusy}
      error={create.formError('name')}
      onSubmit={() => void submit()}
    >
      <FormField
        label="Name"
        hint="It gets a password, shown next, and may log in."
        error={(wasSubmitted ? nameError : undefined) ?? create.fieldError('name')}
      >
        {(control) => <Input {...control} isMonospace value={name} onChange={(event) => setName(event.target.value)} />}
      </FormField>
    </FormDialog>
  )
}
