'use client'

import { Callout } from '@tributary/ui/patterns/callout'
import { CodeBlock } from '@tributary/ui/patterns/code-block'
import { CopyField } from '@tributary/ui/patterns/copy-field'
import { SkeletonLines } from '@tributary/ui/patterns/skeleton'
import { Button } from '@tributary/ui/primitives/button'
import { Checkbox } from '@tributary/ui/primitives/checkbox'
import { Select } from '@tributary/ui/primitives/select'
import { Eye, EyeOff } from 'lucide-react'
import { type ReactNode, useState } from 'react'
import { BranchConnectionDocument, RevealRolePasswordDocument } from '@/gql/graphql.ts'
import { useAction } from '@/lib/use-action.ts'
import { useGraphql } from '@/lib/use-graphql.ts'
import { LoadFailure } from '@/shell/load-failure.tsx'
import { environmentLines, psqlLine, uriHidden, uriWithPassword } from './connection-uri.ts'

export interface ConnectionPanelProps {
  projectId: string
  branchId: string
  /** Known right after a role was made; else it is revealed on demand. */
  password?: string | undefined
}

/** How to connect to a branch: the string, the psql line, the parts. */
export function ConnectionPanel({ projectId, branchId, password: initialPassword }: ConnectionPanelProps) {
  const [role, setRole] = useState<string>()
  const [database, setDatabase] = useState<string>()
  const [password, setPassword] = useState(initialPassword)
  const [isPooled, setIsPooled] = useState(false)
  const [isShown, setIsShown] = useState(false)
  const reveal = useAction(RevealRolePasswordDocument, (data) => data.revealRolePassword)
  const { data, error, refetch } = useGraphql(
    BranchConnectionDocument,
    { projectId, branchId, role, database, pooled: isPooled },
    { keepPrevious: true },
  )
  const branch = data?.project?.branch
  const connection = branch?.connectionInfo

  if (error && !data) return <LoadFailure error={error} what="the connection" onRetry={() => void refetch()} />
  if (!data) return <SkeletonLines count={4} />
  if (!branch || !connection) {
    return <Callout>This branch has no endpoint to connect to yet. Create one under Computes.</Callout>
  }

  const roleRow = branch.roles.find((each) => each.name === connection.role)
  const uri = password ? uriWithPassword(connection.uri, password) : connection.uri
  const hasPassword = password !== undefined || connection.passwordRevealed

  async function toggle() {
    if (!hasPassword) {
      const payload = await reveal.run({ branchId, name: connection?.role ?? '' })
      if (!payload?.password) return
      setPassword(payload.password)
    }
    setIsShown(!isShown)
  }

  return (
    <div className="flex flex-col gap-4">
      <div className="flex flex-wrap items-end gap-3">
        <Labelled label="Database">
          <Select
            label="Database"
            value={connection.database}
            onChange={setDatabase}
            options={branch.databases.map((each) => ({ value: each.name, label: each.name }))}
            className="w-40"
          />
        </Labelled>
        <Labelled label="Role">
          <Select
            label="Role"
            value={connection.role}
            onChange={(next) => {
              setRole(next)
              setPassword(undefined)
              setIsShown(false)
            }}
            options={branch.roles.map((each) => ({ value: each.name, label: each.name }))}
            className="w-40"
          />
        </Labelled>
        <div className="flex-1" />
        {hasPassword || roleRow?.canRevealPassword ? (
          <Button size="small" onClick={() => void toggle()} isBusy={reveal.isBusy}>
            {isShown ? <EyeOff /> : <Eye />} {isShown ? 'Hide password' : 'Show password'}
          </Button>
        ) : null}
      </div>
      {data.serverInfo.hasPooler ? (
        <Checkbox
          isChecked={isPooled}
          onChange={setIsPooled}
          label="Pooled connection"
          hint="Many clients share few connections to the compute, a transaction at a time. Not for session state: SET, LISTEN, temporary tables."
        />
      ) : null}
      {reveal.error ? <Callout tone="danger">{reveal.error.message}</Callout> : null}
      <CopyField label="Connection string" text={uri} shown={isShown ? uri : uriHidden(uri)} />
      <CopyField label="psql" text={psqlLine(uri)} shown={psqlLine(isShown ? uri : uriHidden(uri))} />
      {hasPassword ? null : (
        <p className="text-data text-ink-faint">
          {roleRow?.canRevealPassword
            ? 'The copied string has no password until you show it; psql will ask.'
            : 'The password of this role was shown once and is not kept. Reset it under Settings, Roles and databases, if it is lost.'}
        </p>
      )}
      <details className="group">
        <summary className="cursor-pointer text-data text-ink-soft hover:text-ink">Parts for other clients</summary>
        <div className="mt-2">
          <CodeBlock label="Environment" text={environmentLines(connection)} />
        </div>
      </details>
    </div>
  )
}

function Labelled({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div>
      <span aria-hidden="true" className="mb-1 block text-ink-faint text-label">
        {label}
      </span>
      {children}
    </div>
  )
}
