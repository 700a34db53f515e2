'use client'

import { toast } from '@tributary/ui/patterns/toast'
import { Button } from '@tributary/ui/primitives/button'
import { Menu, type MenuEntry } from '@tributary/ui/primitives/menu'
import { Camera, ChevronDown, Diff, Lock, LockOpen, Pencil, RefreshCcw, Rows3, Star, Timer, Trash2 } from 'lucide-react'
import dynamic from 'next/dynamic'
import Link from 'next/link'
import { useState } from 'react'
import { UpdateBranchDocument, type UpdateBranchInput } from '@/gql/graphql.ts'
import { routes } from '@/lib/routes.ts'
import { useAction } from '@/lib/use-action.ts'
import type { BranchDetails } from './branch-screen.tsx'

// Loaded when the menu is first used; each is a form of its own.
const DeleteBranchDialog = dynamic(
  () => import('./delete-branch-dialog.tsx').then((module) => module.DeleteBranchDialog),
  { ssr: false },
)
const EditBranchDialog = dynamic(() => import('./edit-branch-dialog.tsx').then((module) => module.EditBranchDialog), {
  ssr: false,
})
const ResetBranchDialog = dynamic(
  () => import('./reset-branch-dialog.tsx').then((module) => module.ResetBranchDialog),
  { ssr: false },
)
const CreateSnapshotDialog = dynamic(
  () => import('./create-snapshot-dialog.tsx').then((module) => module.CreateSnapshotDialog),
  { ssr: false },
)

type Open = 'rename' | 'expiry' | 'reset' | 'delete' | 'snapshot'

/** All that can be done to a branch. What this reader may not do is not offered, and the menu says so. */
export function BranchMenu({ projectId, branch }: { projectId: string; branch: BranchDetails }) {
  const [open, setOpen] = useState<Open>()
  const update = useAction(UpdateBranchDocument, (data) => data.updateBranch, {
    failureTitle: 'The branch was not changed',
  })
  const canWrite = branch.viewerCanWrite

  async function change(input: UpdateBranchInput, done: string) {
    if (await update.run({ id: branch.id, input })) toast.success(done)
  }
  const dialog = (name: Open) => ({
    isOpen: open === name,
    onOpenChange: (isOpen: boolean) => setOpen(isOpen ? name : undefined),
  })

  const browse: MenuEntry[] = [
    {
      label: 'Browse tables',
      icon: <Rows3 />,
      link: <Link href={routes.projectPage(projectId, 'tables', { branch: branch.id })} />,
    },
    { label: 'Compare schema', icon: <Diff />, link: <Link href={routes.schemaDiff(projectId, branch.id)} /> },
  ]
  const edit: MenuEntry[] = [
    { label: 'Take a snapshot', icon: <Camera />, onSelect: () => setOpen('snapshot') },
    { kind: 'separator' },
    { label: 'Rename', icon: <Pencil />, onSelect: () => setOpen('rename') },
    ...(branch.isDefault
      ? []
      : [
          {
            label: 'Make default',
            icon: <Star />,
            onSelect: () => void change({ isDefault: true }, `${branch.name} is the default branch now`),
          },
        ]),
    branch.isProtected
      ? {
          label: 'Unprotect',
          icon: <LockOpen />,
          onSelect: () => void change({ isProtected: false }, 'Protection taken off'),
        }
      : {
          label: 'Protect',
          icon: <Lock />,
          onSelect: () => void change({ isProtected: true }, `${branch.name} is protected`),
        },
    {
      label: 'Set expiry',
      icon: <Timer />,
      isDisabled: branch.isDefault || branch.isProtected,
      onSelect: () => setOpen('expiry'),
    },
  ]
  const look: MenuEntry[] = [
    { kind: 'separator' },
    { kind: 'note', label: 'Your role may look at branches, and not change them.' },
  ]
  const reset: MenuEntry[] =
    branch.viewerCanRestore && branch.parent
      ? [{ label: `Reset from ${branch.parent.name}`, icon: <RefreshCcw />, onSelect: () => setOpen('reset') }]
      : []
  const remove: MenuEntry[] =
    branch.viewerCanDelete || branch.deletionRefusedBecause
      ? [
          { kind: 'separator' },
          { label: 'Delete', icon: <Trash2 />, isDanger: true, onSelect: () => setOpen('delete') },
        ]
      : []

  return (
    <>
      <Menu
        trigger={
          <Button>
            Actions <ChevronDown />
          </Button>
        }
        entries={[...browse, ...(canWrite ? edit : look), ...reset, ...remove]}
      />
      {open === 'rename' ? <EditBranchDialog {...dialog('rename')} branch={branch} field="name" /> : null}
      {open === 'expiry' ? <EditBranchDialog {...dialog('expiry')} branch={branch} field="expiry" /> : null}
      {open === 'snapshot' ? (
        <CreateSnapshotDialog {...dialog('snapshot')} projectId={projectId} branch={branch} />
      ) : null}
      {open === 'reset' ? <ResetBranchDialog {...dialog('reset')} projectId={projectId} branch={branch} /> : null}
      {open === 'delete' ? <DeleteBranchDialog {...dialog('delete')} projectId={projectId} branch={branch} /> : null}
    </>
  )
}
