'use client'

import { Callout } from '@tributary/ui/patterns/callout'
import { type Column, DataTable } from '@tributary/ui/patterns/data-table'
import { EmptyState } from '@tributary/ui/patterns/empty-state'
import { FormField } from '@tributary/ui/patterns/form-field'
import { RelativeTime } from '@tributary/ui/patterns/relative-time'
import { Button } from '@tributary/ui/primitives/button'
import { Dialog, DialogBody, DialogFooter } from '@tributary/ui/primitives/dialog'
import { Input } from '@tributary/ui/primitives/input'
import { Panel } from '@tributary/ui/primitives/panel'
import { Select } from '@tributary/ui/primitives/select'
import { Plus } from 'lucide-react'
import { useState } from 'react'
import { ConfirmDialog } from '@/domain/confirm-dialog.tsx'
import { CreateDatabaseDocument, DeleteDatabaseDocument } from '@/gql/graphql.ts'
import { useAction } from '@/lib/use-action.ts'
import { validateSqlName } from '@/lib/validate.ts'
import { viewOnlyReason } from '@/shell/view-only-badge.tsx'
import type { BranchWithRoles } from './roles-panel.tsx'

type Database = BranchWithRoles['databases'][number]

export function DatabasesPanel({ branch }: { branch: BranchWithRoles }) {
  const [isCreating, setIsCreating] = useState(false)
  const [deleting, setDeleting] = useState<Database>()
  const remove = useAction(DeleteDatabaseDocument, (data) => data.deleteDatabase)
  const columns: Column<Database>[] = [
    { key: 'name', header: 'Database', cell: (row) => <span className="font-mono">{row.name}</span> },
    { key: 'owner', header: 'Owner', cell: (row) => <span className="font-mono">{row.ownerName}</span> },
    { key: 'created', header: 'Created', hideBelow: 'sm', cell: (row) => <RelativeTime at={row.createdAt} /> },
    {
      key: 'actions',
      header: <span className="sr-only">Actions</span>,
      align: 'end',
      cell: (row) =>
        branch.viewerCanWrite ? (
          <Button size="small" variant="quiet" onClick={() => setDeleting(row)}>
            Delete
          </Button>
        ) : null,
    },
  ]
  return (
    <Panel
      title="Databases"
      meta={branch.databases.length}
      isFlush
      actions={
        <Button
          size="small"
          variant="primary"
          disabled={!branch.viewerCanWrite}
          title={branch.viewerCanWrite ? undefined : viewOnlyReason}
          onClick={() => setIsCreating(true)}
        >
          <Plus /> New database
        </Button>
      }
    >
      <DataTable
        label="Databases"
        columns={columns}
        rows={branch.databases}
        rowKey={(row) => row.id}
        empty={<EmptyState title="No databases" />}
      />
      <CreateDatabaseDialog isOpen={isCreating} onOpenChange={setIsCreating} branch={branch} />
      <ConfirmDialog
        isOpen={deleting !== undefined}
        onOpenChange={(isOpen) => !isOpen && setDeleting(undefined)}
        title="Delete database"
        action="Delete database"
        confirmName={deleting?.name}
        isBusy={remove.isBusy}
        error={remove.error?.message}
        onConfirm={async () => {
          if (deleting && (await remove.run({ branchId: branch.id, name: deleting.name }))) setDeleting(undefined)
        }}
      >
        <p>
          All tables of {deleting?.name} on the branch {branch.name} are dropped. Other branches keep theirs. While the
          history window lasts, restoring the branch brings it back.
        </p>
      </ConfirmDialog>
    </Panel>
  )
}

interface CreateDatabaseDialogProps {
  isOpen: boolean
  onOpenChange(isOpen: boolean): void
  branch: BranchWithRoles
}

function CreateDatabaseDialog({ isOpen, onOpenChange, branch }: CreateDatabaseDialogProps) {
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
    <Dialog isOpen={isOpen} onOpenChange={onOpenChange} title="New database" width="narrow">
      <form
        noValidate
        className="contents"
        onSubmit={(event) => {
          event.preventDefault()
          void submit()
        }}
      >
        <DialogBody>
          <FormField label="Name" error={(wasSubmitted ? nameError : undefined) ?? create.fieldError('name')}>
            {(control) => (
              <Input {...control} isMonospace value={name} onChange={(event) => setName(event.target.value)} />
            )}
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
          {create.formError('name', 'ownerName') ? <Callout tone="danger">{create.error?.message}</Callout> : null}
        </DialogBody>
        <DialogFooter>
          <Button onClick={() => onOpenChange(false)}>Cancel</Button>
          <Button type="submit" variant="primary" isBusy={create.isBusy}>
            Create database
          </Button>
        </DialogFooter>
      </form>
    </Dialog>
  )
}
