'use client'

import { cloneElement, type HTMLAttributes, lazy, type ReactElement, type ReactNode, Suspense, useState } from 'react'

export interface PopoverProps {
  trigger: ReactElement<HTMLAttributes<HTMLElement>>
  children: ReactNode
  isOpen: boolean
  onOpenChange(isOpen: boolean): void
  align?: 'start' | 'center' | 'end'
  className?: string
}

const load = () => import('./popover-layer.tsx')
const PopoverLayer = lazy(load)

/** A small layer that opens at its trigger. What draws it is fetched when the trigger is first pointed at, focused or used. */
export function Popover(props: PopoverProps) {
  const { trigger, isOpen, onOpenChange } = props
  const [wasUsed, setWasUsed] = useState(false)
  const idle = cloneElement(trigger, {
    'aria-haspopup': 'dialog',
    'aria-expanded': isOpen,
    onPointerEnter: () => void load(),
    onFocus: () => void load(),
    onClick: () => {
      setWasUsed(true)
      onOpenChange(true)
    },
  })
  if (!wasUsed && !isOpen) return idle
  return (
    <Suspense fallback={idle}>
      <PopoverLayer {...props} />
    </Suspense>
  )
}
