'use client'

import { useRouter } from 'next/navigation'
import { useEffect, useRef } from 'react'
import { isTyping, noSequence, pressKey } from './key-sequence.ts'
import type { NavigationGroup } from './navigation.ts'

const leaders: ReadonlySet<string> = new Set(['g'])

export interface ShortcutActions {
  navigation: readonly NavigationGroup[]
  onCommandMenu(): void
  onHelp(): void
}

/** The keyboard shortcuts of the whole console. */
export function useShortcuts(actions: ShortcutActions): void {
  const router = useRouter()
  const current = useRef(actions)
  current.current = actions
  useEffect(() => {
    let sequence = noSequence
    const onKeyDown = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === 'k') {
        event.preventDefault()
        current.current.onCommandMenu()
        return
      }
      if (event.ctrlKey || event.metaKey || event.altKey || event.key.length !== 1 || isTyping(event.target)) return
      const pressed = pressKey(sequence, event.key, event.timeStamp, leaders)
      sequence = pressed.state
      if (pressed.shortcut && runShortcut(pressed.shortcut, current.current, (href) => router.push(href))) {
        event.preventDefault()
      }
    }
    window.addEventListener('keydown', onKeyDown)
    return () => window.removeEventListener('keydown', onKeyDown)
  }, [router])
}

/** Returns whether the shortcut meant something here. */
function runShortcut(shortcut: string, actions: ShortcutActions, go: (href: string) => void): boolean {
  if (shortcut === '?') {
    actions.onHelp()
    return true
  }
  if (shortcut === '/') return activate('[data-search]')
  if (shortcut === 'c') return activate('[data-create]')
  const [leader, key] = shortcut.split(' ')
  const item = actions.navigation.flatMap((group) => group.items).find((each) => each.shortcut === key)
  if (leader !== 'g' || !item) return false
  go(item.href)
  return true
}

function activate(selector: string): boolean {
  const element = document.querySelector<HTMLElement>(selector)
  if (!element) return false
  if (element instanceof HTMLInputElement) element.focus()
  else element.click()
  return true
}
