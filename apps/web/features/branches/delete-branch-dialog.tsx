'use client'

import { Callout } from '@tributary/ui/patterns/callout'
import { toast } from '@tributary/ui/patterns/toast'
import { Checkbox } from '@tributary/ui/primitives/checkbox'
import { useRouter } from 'next/navigation'
import { useState } from 'react'
import { ConfirmDialog } from '@/domain/confirm-dialog.tsx'
import { DeleteBranchDocument } from '@/gql/graphql.ts'
import { routes } from '@/lib/routes.ts'
import { useAction } from '@/lib/use-action.ts'
import type { BranchDetails } from './branch-screen.tsx'

export interface BranchDialogProps {
  isOpen: boolean
  onOpenChange(isOpen: boolean): void
  projectId: string
  branch: BranchDetails
}

export function DeleteBranchDialog({ isOpen, onOpenChange, projectId, branch }: BranchDialogProps) {
  const router = useRouter()
  const remove = useAction(DeleteBranchDocument, (data) => data.deleteBranch)
  const [isReparenting, setIsReparenting] = useState(false)
  const childCount = branch.children.length
  const refusal = branch.deletionRefusedBecause

  async function confirm() {
    if (refusal && !(childCount > 0 && isReparenting)) return
    if (!(await remove.run({ id: branch.id, reparentChildren: isReparenting }))) return
    toast.success(`Branch ${branch.name} is being deleted`)
    router.push(routes.projectPage(projectId, 'branches'))
  }

  return (
    <ConfirmDialog
      isOpen={isOpen}
      onOpenChange={onOpenChange}
      title={`Delete ${branch.name}`}
      action="Delete branch"
      confirmName={branch.name}
      isBusy={remove.isBusy}
      error={remove.error?.message}
      onConfirm={() => void confirm()}
    >
      <p>
        The branch, its {branch.endpoints.length} computes and everything written to it since it was branched are
        deleted. Clients connected to it are cut off. This cannot be undone.
      </p>
      {refusal ? <Callout tone="caution">{refusal}</Callout> : null}
      {childCount > 0 ? (
        <Checkbox
          isChecked={isReparenting}
          onChange={setIsReparenting}
          label={`Keep its ${childCount} ${childCount === 1 ? 'child' : 'children'}`}
          hint={`${branch.children.map((child) => child.name).join(', ')}: moved under ${branch.parent?.name ?? 'the root'}, with all their data.`}
        />
      ) : null}
    </ConfirmDialog>
  )
}
