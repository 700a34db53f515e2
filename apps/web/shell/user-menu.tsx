'use client'

import { useQueryClient } from '@tanstack/react-query'
import { toast } from '@tributary/ui/patterns/toast'
import { Popover } from '@tributary/ui/primitives/popover'
import { Keyboard, KeyRound, LogOut } from 'lucide-react'
import Link from 'next/link'
import { useState } from 'react'
import { errorText } from '@/lib/api-errors.ts'
import { auth } from '@/lib/auth.ts'
import { routes } from '@/lib/routes.ts'
import { useViewer } from './session-guard.tsx'

const itemClasses =
  'flex w-full items-center gap-2 rounded-md px-2.5 py-1.5 text-left text-body outline-offset-[-2px] hover:bg-hover [&>svg]:size-4 [&>svg]:text-ink-faint'

export function UserMenu({ onShowShortcuts }: { onShowShortcuts(): void }) {
  const viewer = useViewer()
  const client = useQueryClient()
  const [isOpen, setIsOpen] = useState(false)
  if (!viewer) return null
  const initials = viewer.user.name
    .split(/\s+/)
    .map((word) => word.charAt(0))
    .join('')
    .slice(0, 2)
    .toUpperCase()

  async function signOut() {
    try {
      await auth.signOut()
    } catch (error) {
      return toast.failure('Could not sign out', errorText(error))
    }
    client.clear()
    // A full load, so that nothing of the old session stays in memory.
    window.location.assign(routes.signIn())
  }

  return (
    <Popover
      align="end"
      isOpen={isOpen}
      onOpenChange={setIsOpen}
      className="w-60 p-1"
      trigger={
        <button
          type="button"
          aria-label="Account"
          className="flex size-7.5 items-center justify-center rounded-full bg-stream-soft font-semibold text-label text-stream-strong"
        >
          {initials || '·'}
        </button>
      }
    >
      <p className="mb-1 truncate border-line border-b px-2.5 pt-1.5 pb-2 text-data text-ink-faint">
        {viewer.user.email}
      </p>
      <Link href={routes.account()} onClick={() => setIsOpen(false)} className={itemClasses}>
        <KeyRound /> Account and API keys
      </Link>
      <button
        type="button"
        className={itemClasses}
        onClick={() => {
          setIsOpen(false)
          onShowShortcuts()
        }}
      >
        <Keyboard /> Keyboard shortcuts
      </button>
      <button type="button" className={itemClasses} onClick={() => void signOut()}>
        <LogOut /> Sign out
      </button>
    </Popover>
  )
}
