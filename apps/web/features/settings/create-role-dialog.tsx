'use client'

import { Callout } from '@tributary/ui/patterns/callout'
import { FormField } from '@tributary/ui/patterns/form-field'
import { Button } from '@tributary/ui/primitives/button'
import { Dialog, DialogBody, DialogFooter } from '@tributary/ui/primitives/dialog'
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
    <Dialog isOpen={isOpen} onOpenChange={onOpenChange} title="New role" width="narrow">
      <form
        noValidate
        className="contents"
        onSubmit={(event) => {
          event.preventDefault()
          void submit()
        }}
      >
        <DialogBody>
          <FormField
            label="Name"
            hint="It gets a password, shown next, and may log in."
            error={(wasSubmitted ? nameError : undefined) ?? create.fieldError('name')}
          >
            {(control) => (
              <Input {...control} isMonospace value={name} onChange={(event) => setName(event.target.value)} />
            )}
          </FormField>
          {create.formError('name') ? <Callout tone="danger">{create.error?.message}</Callout> : null}
        </DialogBody>
        <DialogFooter>
          <Button onClick={() => onOpenChange(false)}>Cancel</Button>
          <Button type="submit" variant="primary" isBusy={create.isBusy}>
            Create role
          </Button>
        </DialogFooter>
      </form>
    </Dialog>
  )
}
