import { useSyncExternalStore } from 'react'

type Channel = 'http' | 'live'

/**
 * Whether the API can be reached, over both ways to it. Lost as soon as one way is; restored when each way that was lost works
 * again. Plain state with listeners: request code sets it, the banner shows it.
 */
function createConnectionStatus() {
  const lostChannels = new Set<Channel>()
  const listeners = new Set<() => void>()
  const change = (mutate: () => boolean) => {
    if (mutate()) for (const listener of listeners) listener()
  }
  return {
    lost: (channel: Channel) =>
      change(() => {
        if (lostChannels.has(channel)) return false
        lostChannels.add(channel)
        return true
      }),
    restored: (channel: Channel) => change(() => lostChannels.delete(channel)),
    isLost: () => lostChannels.size > 0,
    subscribe(listener: () => void) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

export const connectionStatus = createConnectionStatus()

export function useIsConnectionLost(): boolean {
  return useSyncExternalStore(connectionStatus.subscribe, connectionStatus.isLost, () => false)
}
