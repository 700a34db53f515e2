'use client'

import { type Column, DataTable } from '@tributary/ui/patterns/data-table'
import { EmptyState } from '@tributary/ui/patterns/empty-state'
import { Lsn } from '@tributary/ui/patterns/lsn'
import { RelativeTime } from '@tributary/ui/patterns/relative-time'
import { Button } from '@tributary/ui/primitives/button'
import { Panel } from '@tributary/ui/primitives/panel'
import Link from 'next/link'
import { useState } from 'react'
import { ConfirmDialog } from '@/domain/confirm-dialog.tsx'
import { type BranchQuery, DeleteSnapshotDocument } from '@/gql/graphql.ts'
import { routes } from '@/lib/routes.ts'
import { useAction } from '@/lib/use-action.ts'
import type { BranchDetails } from './branch-screen.tsx'

type Snapshot = NonNullable<BranchQuery['project']>['snapshots'][number]

export interface SnapshotsPanelProps {
  projectId: string
  branch: BranchDetails
  snapshots: readonly Snapshot[]
}

export function SnapshotsPanel({ projectId, branch, snapshots }: SnapshotsPanelProps) {
  const [deleting, setDeleting] = useState<Snapshot>()
  const remove = useAction(DeleteSnapshotDocument, (data) => data.deleteSnapshot)
  const columns: Column<Snapshot>[] = [
    {
      key: 'name',
      header: 'Name',
      cell: (row) => (
        <>
          <span className="font-medium">{row.name}</span>
          <span className="block text-ink-faint text-label sm:hidden">
            <RelativeTime at={row.time ?? row.createdAt} />
          </span>
        </>
      ),
    },
    { key: 'lsn', header: 'At', hideBelow: 'sm', cell: (row) => <Lsn value={row.lsn} /> },
    { key: 'time', header: 'Of', hideBelow: 'sm', cell: (row) => <RelativeTime at={row.time ?? row.createdAt} /> },
    {
      key: 'expires',
      header: 'Expires',
      hideBelow: 'md',
      cell: (row) =>
        row.expiresAt ? <RelativeTime at={row.expiresAt} /> : <span className="text-ink-faint">never</span>,
    },
    {
      key: 'actions',
      header: <span className="sr-only">Actions</span>,
      align: 'end',
      cell: (row) => (
        <span className="flex justify-end gap-1">
          {branch.viewerCanRestore ? (
            <Button asChild size="small" variant="quiet">
              <Link href={routes.projectPage(projectId, 'restore', { branch: branch.id, at: row.lsn })}>Restore</Link>
            </Button>
          ) : null}
          {branch.viewerCanWrite ? (
            <Button size="small" variant="quiet" onClick={() => setDeleting(row)}>
              Delete
            </Button>
          ) : null}
        </span>
      ),
    },
  ]
  return (
    <Panel title="Snapshots" meta={snapshots.length} isFlush>
      <DataTable
        label="Snapshots"
        columns={columns}
        rows={snapshots}
        rowKey={(row) => row.id}
        empty={
          <EmptyState title="No snapshots">Take one before a migration: it names the point to come back to.</EmptyState>
        }
      />
      <ConfirmDialog
        isOpen={deleting !== undefined}
        onOpenChange={(isOpen) => !isOpen && setDeleting(undefined)}
        title="Delete snapshot"
        action="Delete snapshot"
        confirmName={deleting?.name}
        isBusy={remove.isBusy}
        error={remove.error?.message}
        onConfirm={async () => {
          if (deleting && (await remove.run({ id: deleting.id }))) setDeleting(undefined)
        }}
      >
        <p>
          The point itself can still be reached while it lies in the history window. After that it is gone for good.
        </p>
      </ConfirmDialog>
    </Panel>
  )
}
