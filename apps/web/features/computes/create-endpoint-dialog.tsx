'use client'

import { Callout } from '@tributary/ui/patterns/callout'
import { FormField } from '@tributary/ui/patterns/form-field'
import { Button } from '@tributary/ui/primitives/button'
import { Dialog, DialogBody, DialogFooter } from '@tributary/ui/primitives/dialog'
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
    <Dialog isOpen={isOpen} onOpenChange={onOpenChange} title="New compute">
      <form
        className="contents"
        onSubmit={(event) => {
          event.preventDefault()
          void submit()
        }}
      >
        <DialogBody>
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
          {create.formError('branchId', 'at', 'suspendAfterSeconds') ? (
            <Callout tone="danger">{create.error?.message}</Callout>
          ) : null}
        </DialogBody>
        <DialogFooter>
          <Button onClick={() => onOpenChange(false)}>Cancel</Button>
          <Button type="submit" variant="primary" isBusy={create.isBusy}>
            Create compute
          </Button>
        </DialogFooter>
      </form>
    </Dialog>
  )
}
