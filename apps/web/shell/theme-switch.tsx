'use client'

import { IconButton } from '@tributary/ui/primitives/icon-button'
import { Menu, MenuItem } from '@tributary/ui/primitives/menu'
import { Monitor, Moon, Sun } from 'lucide-react'
import { useTheme } from 'next-themes'

const choices = [
  { value: 'light', label: 'Light', icon: Sun },
  { value: 'dark', label: 'Dark', icon: Moon },
  { value: 'system', label: 'As the system', icon: Monitor },
] as const

export function ThemeSwitch() {
  const { theme, setTheme } = useTheme()
  return (
    <Menu
      trigger={
        <IconButton label="Theme" hideTooltip>
          <Sun className="dark:hidden" />
          <Moon className="hidden dark:block" />
        </IconButton>
      }
    >
      {choices.map((choice) => (
        <MenuItem key={choice.value} isChecked={theme === choice.value} onSelect={() => setTheme(choice.value)}>
          <choice.icon /> {choice.label}
        </MenuItem>
      ))}
    </Menu>
  )
}
