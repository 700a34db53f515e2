'use client'

import { FormField } from '@tributary/ui/patterns/form-field'
import { Checkbox } from '@tributary/ui/primitives/checkbox'
import { Input } from '@tributary/ui/primitives/input'
import { useRouter } from 'next/navigation'
import { useState } from 'react'
import { ConfirmDialog } from '@/domain/confirm-dialog.tsx'
import { keptName } from '@/domain/kept-name.ts'
import { ResetBranchDocument } from '@/gql/graphql.ts'
import { routes } from '@/lib/routes.ts'
import { useAction } from '@/lib/use-action.ts'
import type { BranchDialogProps } from './delete-branch-dialog.tsx'

export function ResetBranchDialog({ isOpen, onOpenChange, projectId, branch }: BranchDialogProps) {
  const router = useRouter()
  const reset = useAction(ResetBranchDocument, (data) => data.resetBranchFromParent)
  const [isKeeping, setIsKeeping] = useState(true)
  const [name, setName] = useState(() => keptName(branch.name, Date.now()))

  async function confirm() {
    const payload = await reset.run({ id: branch.id, keepAs: isKeeping ? name.trim() : null })
    if (!payload) return
    onOpenChange(false)
    const operation = payload.operations[0]
    if (operation)
      router.replace(`${routes.branch(projectId, branch.id)}?operation=${encodeURIComponent(operation.id)}`)
  }
  return (
    <ConfirmDialog
      isOpen={isOpen}
      onOpenChange={onOpenChange}
      title={`Reset ${branch.name} from ${branch.parent?.name ?? 'its parent'}`}
      action="Reset branch"
      confirmName={branch.name}
      isBusy={reset.isBusy}
      error={reset.formError('keepAs')}
      onConfirm={() => void confirm()}
    >
      <p>
        <b className="text-ink">{branch.name}</b> becomes what <b className="text-ink">{branch.parent?.name}</b> is now.
        All that was written to it leaves it. Its address stays; open connections are cut and can connect again at once.
      </p>
      <Checkbox isChecked={isKeeping} onChange={setIsKeeping} label="Keep what it is now, as a branch of its own" />
      {isKeeping ? (
        <FormField label="Name of the kept branch" error={reset.fieldError('keepAs')}>
          {(control) => (
            <Input {...control} isMonospace value={name} onChange={(event) => setName(event.target.value)} />
          )}
        </FormField>
      ) : null}
    </ConfirmDialog>
  )
}
