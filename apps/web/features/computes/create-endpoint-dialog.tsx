'use client'

import { FormDialog } from '@tributary/ui/patterns/form-dialog'
import { FormField } from '@tributary/ui/patterns/form-field'
import { Segmented } from '@tributary/ui/primitives/segmented'
import { Select } from '@tributary/ui/primitives/select'
import { useState } from 'react'
import { type Moment, pointInput, tip } from '@/domain/moment.ts'
import { MomentField } from '@/domain/moment-field.tsx'
import { CreateEndpointDocument, type EndpointType } from '@/gql/graphql.ts'
import { useAction } from '@/lib/use-action.ts'
import type { ProjectNav } from '@/shell/place.ts'
import { type SuspendChoice, suspendOptions, suspendSeconds } from './suspend-choice.ts'

export interface CreateEndpointDialogProps {
  isOpen: boolean
  onOpenChange(isOpen: boolean): void
  project: ProjectNav
  onCreated(endpointId: string): void
}

export function CreateEndpointDialog({ isOpen, onOpenChange, project, onCreated }: CreateEndpointDialogProps) {
  const create = useAction(CreateEndpointDocument, (data) => data.createEndpoint)
  const [branchId, setBranchId] = useState(project.defaultBranch.id)
  const [type, setType] = useState<EndpointType>('READ_WRITE')
  const [moment, setMoment] = useState<Moment | undefined>(tip)
  const [suspend, setSuspend] = useState<SuspendChoice>('300')

  async function submit() {
    if (!moment) return
    const payload = await create.run({
      input: {
        branchId,
        type,
        at: type === 'READ_ONLY' ? pointInput(moment) : undefined,
        suspendAfterSeconds: suspendSeconds(suspend),
      },
    })
    if (payload?.endpoint) onCreated(payload.endpoint.id)
  }
  return (
    <FormDialog
      isOpen={isOpen}
      onOpenChange={onOpenChange}
      title="New compute"
      action="Create compute"
      isBusy={create.isBusy}
      error={create.formError('branchId', 'at', 'suspendAfterSeconds')}
      onSubmit={() => void submit()}
    >
      <FormField label="Branch" error={create.fieldError('branchId')}>
        {(control) => (
          <Select
            {...control}
            value={branchId}
            onChange={setBranchId}
            options={project.branches.nodes.map((branch) => ({ value: branch.id, label: branch.name }))}
          />
        )}
      </FormField>
      <Segmented
        label="Kind"
        className="self-start"
        value={type}
        onChange={setType}
        options={[
          { value: 'READ_WRITE', label: 'Read-write' },
          { value: 'READ_ONLY', label: 'Read-only' },
        ]}
      />
      {type === 'READ_ONLY' ? (
        <MomentField
          projectId={project.id}
          branchId={branchId}
          value={moment}
          onChange={setMoment}
          error={create.fieldError('at')}
        />
      ) : (
        <p className="text-data text-ink-soft">
          A branch has one read-write compute at most. Read-only ones look at the tip or at a fixed moment.
        </p>
      )}
      <FormField label="Suspend when idle" error={create.fieldError('suspendAfterSeconds')}>
        {(control) => <Select {...control} value={suspend} onChange={setSuspend} options={suspendOptions} />}
      </FormField>
    </FormDialog>
  )
}
