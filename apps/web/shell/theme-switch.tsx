'use client'

import { IconButton } from '@tributary/ui/primitives/icon-button'
import { Moon, Sun } from 'lucide-react'
import { useTheme } from 'next-themes'

/** Light or dark. Until it is used the system decides. */
export function ThemeSwitch() {
  const { resolvedTheme, setTheme } = useTheme()
  const next = resolvedTheme === 'dark' ? 'light' : 'dark'
  return (
    <IconButton label="Switch between light and dark" onClick={() => setTheme(next)}>
      <Sun className="dark:hidden" />
      <Moon className="hidden dark:block" />
    </IconButton>
  )
}
