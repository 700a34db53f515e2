'use client'

import { type Column, DataTable } from '@tributary/ui/patterns/data-table'
import { EmptyState } from '@tributary/ui/patterns/empty-state'
import { RelativeTime } from '@tributary/ui/patterns/relative-time'
import { toast } from '@tributary/ui/patterns/toast'
import { Button } from '@tributary/ui/primitives/button'
import { Panel } from '@tributary/ui/primitives/panel'
import { Plus } from 'lucide-react'
import dynamic from 'next/dynamic'
import { type ReactNode, useState } from 'react'
import { ConfirmDialog } from '@/domain/confirm-dialog.tsx'
import { type ApiKeyDetailsFragment, RevokeApiKeyDocument } from '@/gql/graphql.ts'
import { useAction } from '@/lib/use-action.ts'

const CreateApiKeyDialog = dynamic(
  () => import('./create-api-key-dialog.tsx').then((module) => module.CreateApiKeyDialog),
  { ssr: false },
)

export interface ApiKeysPanelProps {
  title: string
  description: string
  keys: readonly ApiKeyDetailsFragment[] | undefined
  error?: ReactNode
  /** What a new key is for: an organization, a project in it, or (neither) the reader. */
  scope: { organizationId?: string; projectId?: string }
  /** Why this reader makes no key here; undefined: they may. */
  refusal?: string | undefined
  /** In place of keys that are there and not shown to this reader. */
  empty?: ReactNode
}

export function ApiKeysPanel({ title, description, keys, error, scope, refusal, empty }: ApiKeysPanelProps) {
  const [isCreating, setIsCreating] = useState(false)
  const [revoking, setRevoking] = useState<ApiKeyDetailsFragment>()
  const revoke = useAction(RevokeApiKeyDocument, (data) => data.revokeApiKey)
  const create = (
    <Button
      size="small"
      variant="primary"
      disabled={refusal !== undefined}
      title={refusal}
      onClick={() => setIsCreating(true)}
      data-create
    >
      <Plus /> New key
    </Button>
  )
  const columns: Column<ApiKeyDetailsFragment>[] = [
    {
      key: 'name',
      header: 'Name',
      cell: (key) => (
        <span className="block min-w-0">
          <span className="block truncate font-medium">{key.name}</span>
          <span className="block font-mono text-ink-faint text-label">{key.start}…</span>
        </span>
      ),
    },
    { key: 'scope', header: 'May', hideBelow: 'sm', cell: (key) => <span className="text-ink-soft">{key.scope}</span> },
    {
      key: 'used',
      header: 'Last used',
      hideBelow: 'md',
      cell: (key) =>
        key.lastUsedAt ? <RelativeTime at={key.lastUsedAt} /> : <span className="text-ink-faint">never</span>,
    },
    {
      key: 'expires',
      header: 'Expires',
      cell: (key) =>
        key.expiresAt ? <RelativeTime at={key.expiresAt} /> : <span className="text-ink-faint">never</span>,
    },
    {
      key: 'actions',
      header: <span className="sr-only">Actions</span>,
      align: 'end',
      cell: (key) => (
        <Button size="small" variant="quiet" onClick={() => setRevoking(key)}>
          Revoke
        </Button>
      ),
    },
  ]
  return (
    <Panel title={title} description={description} actions={create} isFlush>
      <DataTable
        label={title}
        columns={columns}
        rows={keys}
        rowKey={(key) => key.id}
        skeletonRows={3}
        error={error}
        empty={
          empty ?? (
            <EmptyState title="No API keys">
              A key lets a program call GraphQL and REST in place of a person, for as long as you say.
            </EmptyState>
          )
        }
      />
      <CreateApiKeyDialog isOpen={isCreating} onOpenChange={setIsCreating} scope={scope} />
      <ConfirmDialog
        isOpen={revoking !== undefined}
        onOpenChange={(isOpen) => !isOpen && setRevoking(undefined)}
        title="Revoke API key"
        action="Revoke key"
        confirmName={revoking?.name}
        isBusy={revoke.isBusy}
        error={revoke.error?.message}
        onConfirm={async () => {
          if (!revoking || !(await revoke.run({ id: revoking.id }))) return
          toast.success(`Key ${revoking.name} revoked`)
          setRevoking(undefined)
        }}
      >
        <p>
          Programs that use <b>{revoking?.name}</b> are refused from now on. This cannot be undone; a new key can be
          made.
        </p>
      </ConfirmDialog>
    </Panel>
  )
}
