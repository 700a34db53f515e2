import { useSyncExternalStore } from 'react'

/** Whether the login ended while the console was in use. */
const listeners = new Set<() => void>()
let isExpired = false

function set(next: boolean) {
  if (next === isExpired) return
  isExpired = next
  for (const listener of listeners) listener()
}

export const sessionState = {
  expire: () => set(true),
  renew: () => set(false),
}

export function useIsSessionExpired(): boolean {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => isExpired,
    () => false,
  )
}
