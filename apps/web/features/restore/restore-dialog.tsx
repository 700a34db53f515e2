'use client'

import { formatCount, formatExactTime } from '@tributary/ui/lib/format'
import { Callout } from '@tributary/ui/patterns/callout'
import { FormField } from '@tributary/ui/patterns/form-field'
import { Checkbox } from '@tributary/ui/primitives/checkbox'
import { Input } from '@tributary/ui/primitives/input'
import { useState } from 'react'
import { ConfirmDialog } from '@/domain/confirm-dialog.tsx'
import { keptName } from '@/domain/kept-name.ts'
import { RestoreBranchToDocument } from '@/gql/graphql.ts'
import { useAction } from '@/lib/use-action.ts'
import type { RestorableBranch } from './restore-screen.tsx'

export interface RestoreDialogProps {
  isOpen: boolean
  onOpenChange(isOpen: boolean): void
  branch: RestorableBranch
  lsn: string
  commitTime: string | undefined
  leftBehind: number | undefined
  /** The moment became impossible while the dialog is open. */
  problem: string | undefined
  onStarted(operationId: string): void
}

export function RestoreDialog({
  isOpen,
  onOpenChange,
  branch,
  lsn,
  commitTime,
  leftBehind,
  problem,
  onStarted,
}: RestoreDialogProps) {
  const restore = useAction(RestoreBranchToDocument, (data) => data.restoreBranch)
  const [isKeeping, setIsKeeping] = useState(true)
  const [name, setName] = useState(() => keptName(branch.name, Date.now()))
  const connections = branch.endpoints.reduce((sum, endpoint) => sum + (endpoint.connections ?? 0), 0)

  async function confirm() {
    const payload = await restore.run({ id: branch.id, to: { lsn }, keepAs: isKeeping ? name.trim() : null })
    const operation = payload?.operations[0]
    if (!payload) return
    onOpenChange(false)
    if (operation) onStarted(operation.id)
  }
  return (
    <ConfirmDialog
      isOpen={isOpen}
      onOpenChange={onOpenChange}
      title={`Restore ${branch.name}`}
      action="Restore branch"
      confirmName={branch.name}
      isBusy={restore.isBusy}
      error={problem ?? restore.formError('keepAs')}
      onConfirm={() => void confirm()}
    >
      <p>
        <b className="text-ink">{branch.name}</b> goes on from <code className="text-ink">{lsn}</code>
        {commitTime ? `, the end of the last commit of ${formatExactTime(Date.parse(commitTime))}` : ''}.
        {leftBehind === undefined ? '' : ` About ${formatCount(leftBehind)} later commits leave it.`} All its databases
        go back together. Its address stays;{' '}
        {connections === 0 ? 'nobody is connected now' : `${connections} open connections are cut`}.
      </p>
      <Checkbox
        isChecked={isKeeping}
        onChange={setIsKeeping}
        label="Keep what it is now, as a branch of its own"
        hint="Costs no copy. Delete it when you are sure."
      />
      {isKeeping ? (
        <FormField label="Name of the kept branch" error={restore.fieldError('keepAs')}>
          {(control) => (
            <Input {...control} isMonospace value={name} onChange={(event) => setName(event.target.value)} />
          )}
        </FormField>
      ) : (
        <Callout tone="caution">
          The later commits can then be reached only while the history window lasts, and under no name.
        </Callout>
      )}
    </ConfirmDialog>
  )
}
