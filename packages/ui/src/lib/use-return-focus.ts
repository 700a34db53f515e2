import { useRef } from 'react'

/** Radix gives the focus back to a trigger of its own. What opens from anywhere gives it back to where it was, if that is still there. */
export function useReturnFocus(): { remember(): void; giveBack(event: Event): void } {
  const before = useRef<Element | null>(null)
  return {
    remember: () => {
      before.current = document.activeElement
    },
    giveBack: (event) => {
      event.preventDefault()
      if (before.current instanceof HTMLElement) before.current.focus()
    },
  }
}
