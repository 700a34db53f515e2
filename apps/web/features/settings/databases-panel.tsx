'use client'

import { type Column, DataTable } from '@tributary/ui/patterns/data-table'
import { EmptyState } from '@tributary/ui/patterns/empty-state'
import { RelativeTime } from '@tributary/ui/patterns/relative-time'
import { Button } from '@tributary/ui/primitives/button'
import { Panel } from '@tributary/ui/primitives/panel'
import { Plus } from 'lucide-react'
import dynamic from 'next/dynamic'
import { useState } from 'react'
import { ConfirmDialog } from '@/domain/confirm-dialog.tsx'
import { DeleteDatabaseDocument } from '@/gql/graphql.ts'
import { useAction } from '@/lib/use-action.ts'
import { viewOnlyReason } from '@/shell/view-only-badge.tsx'
import type { BranchWithRoles } from './roles-panel.tsx'

const CreateDatabaseDialog = dynamic(
  () => import('./create-database-dialog.tsx').then((module) => module.CreateDatabaseDialog),
  { ssr: false },
)

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
