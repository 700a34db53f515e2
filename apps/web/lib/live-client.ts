import { type Client, createClient } from 'graphql-ws/client'
import type { TypedDocumentString } from '@/gql/graphql.ts'
import { connectionStatus } from './connection-status.ts'
import { operationName } from './graphql-client.ts'

/** Waits between attempts: quick at first, then every five seconds, so that a restarted API is found soon. */
const retryWaitsMs = [250, 500, 1_000, 2_000, 5_000] as const

let client: Client | undefined
const reconnectListeners = new Set<() => void>()

/** Called after a lost WebSocket is open again: what happened in between was not heard. */
export function onReconnect(listener: () => void): () => void {
  reconnectListeners.add(listener)
  return () => reconnectListeners.delete(listener)
}

/** One WebSocket for all subscriptions of the page, opened by the first; the session cookie travels with it. */
function liveClient(): Client {
  if (client) return client
  let wasLost = false
  client = createClient({
    url: () => `${window.location.protocol === 'https:' ? 'wss' : 'ws'}://${window.location.host}/graphql`,
    lazy: true,
    retryAttempts: Number.POSITIVE_INFINITY,
    shouldRetry: () => true,
    retryWait: async (retries) => {
      const waitMs = retryWaitsMs[Math.min(retries, retryWaitsMs.length - 1)] ?? 5_000
      await new Promise((done) => setTimeout(done, waitMs * (0.8 + Math.random() * 0.4)))
    },
    keepAlive: 10_000,
    on: {
      closed: (event) => {
        // 1000 is our own goodbye when nothing subscribes any more.
        if (typeof event === 'object' && event !== null && 'code' in event && event.code === 1000) return
        wasLost = true
        connectionStatus.lost('live')
      },
      connected: () => {
        connectionStatus.restored('live')
        if (!wasLost) return
        wasLost = false
        for (const listener of reconnectListeners) listener()
      },
    },
  })
  return client
}

/** Hears a subscription until the returned function is called. Errors end it with `onEnd`. */
export function subscribe<Data, Variables extends Record<string, unknown>>(
  document: TypedDocumentString<Data, Variables>,
  variables: Variables,
  onData: (data: Data) => void,
  onEnd?: (error: unknown) => void,
): () => void {
  return liveClient().subscribe<Data>(
    { query: document.toString(), variables, operationName: operationName(document) },
    {
      next: (message) => {
        if (message.data) onData(message.data)
      },
      error: (error) => onEnd?.(error),
      complete: () => onEnd?.(undefined),
    },
  )
}
