'use client'

import { useQueryClient } from '@tanstack/react-query'
import { toast } from '@tributary/ui/patterns/toast'
import { Menu, MenuItem, MenuLabel, MenuSeparator } from '@tributary/ui/primitives/menu'
import { Keyboard, KeyRound, LogOut } from 'lucide-react'
import Link from 'next/link'
import { errorText } from '@/lib/api-errors.ts'
import { auth } from '@/lib/auth.ts'
import { routes } from '@/lib/routes.ts'
import { useViewer } from './session-guard.tsx'

export function UserMenu({ onShowShortcuts }: { onShowShortcuts(): void }) {
  const viewer = useViewer()
  const client = useQueryClient()
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
    <Menu
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
      <MenuLabel>{viewer.user.email}</MenuLabel>
      <MenuSeparator />
      <MenuItem asChild>
        <Link href={routes.account()}>
          <KeyRound /> Account and API keys
        </Link>
      </MenuItem>
      <MenuItem onSelect={onShowShortcuts}>
        <Keyboard /> Keyboard shortcuts
      </MenuItem>
      <MenuSeparator />
      <MenuItem onSelect={() => void signOut()}>
        <LogOut /> Sign out
      </MenuItem>
    </Menu>
  )
}
