'use client'

import { type Column, DataTable } from '@tributary/ui/patterns/data-table'
import { RelativeTime } from '@tributary/ui/patterns/relative-time'
import { toast } from '@tributary/ui/patterns/toast'
import { Badge } from '@tributary/ui/primitives/badge'
import { Button } from '@tributary/ui/primitives/button'
import { Panel } from '@tributary/ui/primitives/panel'
import { Select } from '@tributary/ui/primitives/select'
import { UserPlus } from 'lucide-react'
import dynamic from 'next/dynamic'
import { useState } from 'react'
import { ConfirmDialog } from '@/domain/confirm-dialog.tsx'
import {
  ChangeMemberRoleDocument,
  OrganizationMembersDocument,
  type OrganizationMembersQuery,
  type OrganizationRole,
  RemoveMemberDocument,
} from '@/gql/graphql.ts'
import { useAction } from '@/lib/use-action.ts'
import { useGraphql } from '@/lib/use-graphql.ts'
import { LoadFailure, NotAvailable } from '@/shell/load-failure.tsx'
import { useViewer } from '@/shell/session-guard.tsx'
import { ViewOnlyNote } from '@/shell/view-only-badge.tsx'
import { roleOptions, roleText } from './organization-roles.ts'

const InviteMemberDialog = dynamic(
  () => import('./invite-member-dialog.tsx').then((module) => module.InviteMemberDialog),
  { ssr: false },
)

type Organization = NonNullable<OrganizationMembersQuery['organization']>
type Member = Organization['members'][number]
type Invitation = Organization['invitations'][number]

export function MembersPanel({ slug }: { slug: string }) {
  const { data, error, refetch } = useGraphql(OrganizationMembersDocument, { slug })
  const [isInviting, setIsInviting] = useState(false)
  const organization = data?.organization
  if (error && !data) return <LoadFailure error={error} what="the members" onRetry={() => void refetch()} />
  if (data && !organization) return <NotAvailable what="this organization" />
  const canManage = organization?.viewerCanManageMembers ?? false
  const isRefused = organization !== undefined && !canManage
  return (
    <div className="flex flex-col gap-6">
      {isRefused ? (
        <ViewOnlyNote>Owners and admins invite people, change roles and remove members.</ViewOnlyNote>
      ) : null}
      <Panel
        title="Members"
        meta={organization?.members.length}
        isFlush
        actions={
          <Button
            size="small"
            variant="primary"
            disabled={!canManage}
            title={isRefused ? 'Owners and admins invite people.' : undefined}
            onClick={() => setIsInviting(true)}
            data-create
          >
            <UserPlus /> Invite
          </Button>
        }
      >
        <MembersTable organization={organization ?? undefined} canManage={canManage} />
      </Panel>
      {organization && organization.invitations.length > 0 ? (
        <Panel title="Invitations" meta={organization.invitations.length} isFlush>
          <DataTable
            label="Invitations"
            columns={invitationColumns}
            rows={organization.invitations}
            rowKey={(row) => row.id}
            empty={null}
          />
        </Panel>
      ) : null}
      {organization ? (
        <InviteMemberDialog isOpen={isInviting} onOpenChange={setIsInviting} organizationId={organization.id} />
      ) : null}
    </div>
  )
}

const invitationColumns: Column<Invitation>[] = [
  { key: 'email', header: 'Email', cell: (row) => row.email },
  { key: 'role', header: 'Role', cell: (row) => roleText[row.role].label },
  { key: 'status', header: 'Status', hideBelow: 'sm', cell: (row) => <Badge>{row.status}</Badge> },
  { key: 'expires', header: 'Expires', align: 'end', cell: (row) => <RelativeTime at={row.expiresAt} /> },
]

function MembersTable({ organization, canManage }: { organization: Organization | undefined; canManage: boolean }) {
  const viewer = useViewer()
  const change = useAction(ChangeMemberRoleDocument, (data) => data.changeMemberRole, {
    failureTitle: 'The role was not changed',
  })
  const remove = useAction(RemoveMemberDocument, (data) => data.removeMember)
  const [removing, setRemoving] = useState<Member>()
  const organizationId = organization?.id ?? ''
  const isSelf = (member: Member) => member.user.id === viewer?.user.id

  async function changeRole(member: Member, role: OrganizationRole) {
    const payload = await change.run({ organizationId, memberId: member.id, role })
    if (payload) toast.success(`${member.user.name} is now ${roleText[role].label.toLowerCase()}`)
  }

  const columns: Column<Member>[] = [
    {
      key: 'user',
      header: 'Name',
      cell: (member) => (
        <span className="block min-w-0">
          <span className="block truncate font-medium">
            {member.user.name}
            {isSelf(member) ? <span className="font-normal text-ink-faint"> (you)</span> : null}
          </span>
          <span className="block truncate text-ink-faint text-label">{member.user.email}</span>
        </span>
      ),
    },
    {
      key: 'role',
      header: 'Role',
      cell: (member) =>
        canManage && !isSelf(member) ? (
          <Select
            size="small"
            label={`Role of ${member.user.name}`}
            className="w-28"
            value={member.role}
            onChange={(role) => void changeRole(member, role)}
            options={roleOptions}
          />
        ) : (
          roleText[member.role].label
        ),
    },
    { key: 'joined', header: 'Joined', hideBelow: 'sm', cell: (member) => <RelativeTime at={member.joinedAt} /> },
    {
      key: 'actions',
      header: <span className="sr-only">Actions</span>,
      align: 'end',
      cell: (member) =>
        canManage && !isSelf(member) ? (
          <Button size="small" variant="quiet" onClick={() => setRemoving(member)}>
            Remove
          </Button>
        ) : null,
    },
  ]
  return (
    <>
      <DataTable
        label="Members"
        columns={columns}
        rows={organization?.members}
        rowKey={(member) => member.id}
        skeletonRows={3}
        empty={null}
      />
      <ConfirmDialog
        isOpen={removing !== undefined}
        onOpenChange={(isOpen) => !isOpen && setRemoving(undefined)}
        title="Remove member"
        action="Remove"
        confirmName={removing?.user.email}
        isBusy={remove.isBusy}
        error={remove.error?.message}
        onConfirm={async () => {
          if (removing && (await remove.run({ organizationId, memberId: removing.id }))) setRemoving(undefined)
        }}
      >
        <p>
          <b>{removing?.user.name}</b> loses access to all projects of this organization at once. What they made stays.
        </p>
      </ConfirmDialog>
    </>
  )
}
