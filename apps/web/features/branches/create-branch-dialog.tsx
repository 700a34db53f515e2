'use client'

import { FormDialog } from '@tributary/ui/patterns/form-dialog'
import { FormField } from '@tributary/ui/patterns/form-field'
import { Checkbox } from '@tributary/ui/primitives/checkbox'
import { Input } from '@tributary/ui/primitives/input'
import { Select } from '@tributary/ui/primitives/select'
import { useState } from 'react'
import { type ExpiryChoice, expiryOptions, expiryTime } from '@/domain/expiry.ts'
import { type Moment, pointInput, tip } from '@/domain/moment.ts'
import { MomentField } from '@/domain/moment-field.tsx'
import { CreateBranchDocument } from '@/gql/graphql.ts'
import { useAction } from '@/lib/use-action.ts'
import { validateName } from '@/lib/validate.ts'
import type { ProjectNav } from '@/shell/place.ts'

export interface CreateBranchDialogProps {
  isOpen: boolean
  onOpenChange(isOpen: boolean): void
  project: ProjectNav
  onCreated(branchId: string): void
}

export function CreateBranchDialog({ isOpen, onOpenChange, project, onCreated }: CreateBranchDialogProps) {
  const create = useAction(CreateBranchDocument, (data) => data.createBranch)
  const [name, setName] = useState('')
  const [parentId, setParentId] = useState(project.defaultBranch.id)
  const [moment, setMoment] = useState<Moment | undefined>(tip)
  const [expiry, setExpiry] = useState<ExpiryChoice>('never')
  const [hasEndpoint, setHasEndpoint] = useState(true)
  const [wasSubmitted, setWasSubmitted] = useState(false)
  const isTaken = project.branches.nodes.some((branch) => branch.name === name.trim())
  const nameError = validateName(name, 'branch') ?? (isTaken ? 'A branch of this name exists.' : undefined)

  async function submit() {
    setWasSubmitted(true)
    if (nameError || !moment) return
    const payload = await create.run({
      input: {
        projectId: project.id,
        parentId,
        name: name.trim(),
        at: pointInput(moment),
        expiresAt: expiryTime(expiry, Date.now()),
        withEndpoint: hasEndpoint,
      },
    })
    if (payload?.branch) onCreated(payload.branch.id)
  }

  return (
    <FormDialog
      isOpen={isOpen}
      onOpenChange={onOpenChange}
      title="New branch"
      action="Create branch"
      isBusy={create.isBusy}
      error={create.formError('name', 'parentId', 'at', 'expiresAt')}
      onSubmit={() => void submit()}
    >
      <div className="grid gap-4 sm:grid-cols-2">
        <FormField label="Name" error={(wasSubmitted ? nameError : undefined) ?? create.fieldError('name')}>
          {(control) => (
            <Input {...control} placeholder="dev" value={name} onChange={(event) => setName(event.target.value)} />
          )}
        </FormField>
        <FormField label="From branch" error={create.fieldError('parentId')}>
          {(control) => (
            <Select
              {...control}
              value={parentId}
              onChange={setParentId}
              options={project.branches.nodes.map((branch) => ({ value: branch.id, label: branch.name }))}
            />
          )}
        </FormField>
      </div>
      <MomentField
        projectId={project.id}
        branchId={parentId}
        value={moment}
        onChange={setMoment}
        error={create.fieldError('at') ?? (wasSubmitted && !moment ? 'Choose a point in history.' : undefined)}
      />
      <FormField
        label="Delete automatically"
        hint="A branch for a test or a preview is best given an end."
        error={create.fieldError('expiresAt')}
      >
        {(control) => <Select {...control} value={expiry} onChange={setExpiry} options={expiryOptions} />}
      </FormField>
      <Checkbox
        isChecked={hasEndpoint}
        onChange={setHasEndpoint}
        label="With a compute"
        hint="So that Postgres clients can connect. It suspends when idle. Analytics need none."
      />
    </FormDialog>
  )
}
