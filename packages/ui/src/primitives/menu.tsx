'use client'

import { cloneElement, type HTMLAttributes, lazy, type ReactElement, type ReactNode, Suspense, useState } from 'react'

export type MenuEntry =
  | {
      kind?: 'item'
      label: string
      icon?: ReactNode
      onSelect?(): void
      /** An empty link that becomes the item, so that it can be opened in a tab of its own. */
      link?: ReactElement
      isDanger?: boolean
      isDisabled?: boolean
    }
  | { kind: 'separator' }
  /** Words that are no choice. */
  | { kind: 'note'; label: string }

export interface MenuProps {
  trigger: ReactElement<HTMLAttributes<HTMLElement>>
  entries: readonly MenuEntry[]
  align?: 'start' | 'center' | 'end'
}

const load = () => import('./menu-layer.tsx')
const MenuLayer = lazy(load)

/** Choices behind a button. What draws them is fetched when the button is first pointed at, focused or used. */
export function Menu({ trigger, entries, align = 'end' }: MenuProps) {
  const [isOpen, setIsOpen] = useState(false)
  const [wasUsed, setWasUsed] = useState(false)
  const idle = cloneElement(trigger, {
    'aria-haspopup': 'menu',
    'aria-expanded': isOpen,
    onPointerEnter: () => void load(),
    onFocus: () => void load(),
    onClick: () => {
      setWasUsed(true)
      setIsOpen(true)
    },
    onKeyDown: (event) => {
      if (event.key !== 'ArrowDown') return
      event.preventDefault()
      setWasUsed(true)
      setIsOpen(true)
    },
  })
  if (!wasUsed) return idle
  return (
    <Suspense fallback={idle}>
      <MenuLayer trigger={trigger} entries={entries} align={align} isOpen={isOpen} onOpenChange={setIsOpen} />
    </Suspense>
  )
}
