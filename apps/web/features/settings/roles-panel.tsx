'use client'

import { type Column, DataTable } from '@tributary/ui/patterns/data-table'
import { EmptyState } from '@tributary/ui/patterns/empty-state'
import { RelativeTime } from '@tributary/ui/patterns/relative-time'
import { Badge } from '@tributary/ui/primitives/badge'
import { Button } from '@tributary/ui/primitives/button'
import { IconButton } from '@tributary/ui/primitives/icon-button'
import { Menu } from '@tributary/ui/primitives/menu'
import { Panel } from '@tributary/ui/primitives/panel'
import { Ellipsis, KeyRound, Plus, Trash2 } from 'lucide-react'
import dynamic from 'next/dynamic'
import { useState } from 'react'
import { ConfirmDialog } from '@/domain/confirm-dialog.tsx'
import {
  type BranchRolesAndDatabasesQuery,
  DeleteRoleDocument,
  ResetRolePasswordDocument,
  RevealRolePasswordDocument,
} from '@/gql/graphql.ts'
import { useAction } from '@/lib/use-action.ts'
import { viewOnlyReason } from '@/shell/view-only-badge.tsx'

// Loaded when a role is made or a password shown.
const CreateRoleDialog = dynamic(() => import('./create-role-dialog.tsx').then((module) => module.CreateRoleDialog), {
  ssr: false,
})
const PasswordDialog = dynamic(() => import('./password-dialog.tsx').then((module) => module.PasswordDialog), {
  ssr: false,
})

export type BranchWithRoles = NonNullable<NonNullable<BranchRolesAndDatabasesQuery['project']>['branch']>
type Role = BranchWithRoles['roles'][number]

export function RolesPanel({ branch }: { branch: BranchWithRoles }) {
  const [isCreating, setIsCreating] = useState(false)
  const [shown, setShown] = useState<{ role: string; password: string }>()
  const [resetting, setResetting] = useState<Role>()
  const [deleting, setDeleting] = useState<Role>()
  const reveal = useAction(RevealRolePasswordDocument, (data) => data.revealRolePassword, {
    failureTitle: 'The password cannot be shown',
  })
  const reset = useAction(ResetRolePasswordDocument, (data) => data.resetRolePassword)
  const remove = useAction(DeleteRoleDocument, (data) => data.deleteRole)
  const branchId = branch.id

  async function show(role: Role) {
    const payload = await reveal.run({ branchId, name: role.name })
    if (payload?.password) setShown({ role: role.name, password: payload.password })
  }
  const columns: Column<Role>[] = [
    {
      key: 'name',
      header: 'Role',
      cell: (role) => (
        <span className="flex items-center gap-2">
          <span className="font-mono">{role.name}</span>
          {role.isProtected ? <Badge>system</Badge> : null}
        </span>
      ),
    },
    { key: 'created', header: 'Created', hideBelow: 'sm', cell: (role) => <RelativeTime at={role.createdAt} /> },
    {
      key: 'actions',
      header: <span className="sr-only">Actions</span>,
      align: 'end',
      cell: (role) =>
        branch.viewerCanWrite ? (
          <span className="flex items-center justify-end gap-1">
            {role.canRevealPassword ? (
              <Button size="small" variant="quiet" onClick={() => void show(role)}>
                Show password
              </Button>
            ) : null}
            <Menu
              trigger={
                <IconButton label={`More for ${role.name}`} size="small" hideTooltip>
                  <Ellipsis />
                </IconButton>
              }
              entries={[
                { label: 'Reset password', icon: <KeyRound />, onSelect: () => setResetting(role) },
                ...(role.isProtected
                  ? []
                  : [{ label: 'Delete role', icon: <Trash2 />, isDanger: true, onSelect: () => setDeleting(role) }]),
              ]}
            />
          </span>
        ) : null,
    },
  ]
  return (
    <Panel
      title="Roles"
      meta={branch.roles.length}
      isFlush
      actions={
        <Button
          size="small"
          variant="primary"
          disabled={!branch.viewerCanWrite}
          title={branch.viewerCanWrite ? undefined : viewOnlyReason}
          onClick={() => setIsCreating(true)}
          data-create
        >
          <Plus /> New role
        </Button>
      }
    >
      <DataTable
        label="Roles"
        columns={columns}
        rows={branch.roles}
        rowKey={(role) => role.name}
        empty={<EmptyState title="No roles" />}
      />
      <CreateRoleDialog
        isOpen={isCreating}
        onOpenChange={setIsCreating}
        branchId={branchId}
        taken={branch.roles.map((role) => role.name)}
        onCreated={setShown}
      />
      <PasswordDialog shown={shown} onClose={() => setShown(undefined)} />
      <ConfirmDialog
        isOpen={resetting !== undefined}
        onOpenChange={(isOpen) => !isOpen && setResetting(undefined)}
        title="Reset password"
        action="Reset password"
        confirmName={resetting?.name}
        isBusy={reset.isBusy}
        error={reset.error?.message}
        onConfirm={async () => {
          if (!resetting) return
          const payload = await reset.run({ branchId, name: resetting.name })
          if (!payload) return
          if (payload.password) setShown({ role: resetting.name, password: payload.password })
          setResetting(undefined)
        }}
      >
        <p>Clients that connect as {resetting?.name} with the old password are refused from now on.</p>
      </ConfirmDialog>
      <ConfirmDialog
        isOpen={deleting !== undefined}
        onOpenChange={(isOpen) => !isOpen && setDeleting(undefined)}
        title="Delete role"
        action="Delete role"
        confirmName={deleting?.name}
        isBusy={remove.isBusy}
        error={remove.error?.message}
        onConfirm={async () => {
          if (deleting && (await remove.run({ branchId, name: deleting.name }))) setDeleting(undefined)
        }}
      >
        <p>
          Nobody can connect as {deleting?.name} any more. A role that still owns databases or tables is refused; give
          them to another role first.
        </p>
      </ConfirmDialog>
    </Panel>
  )
}
