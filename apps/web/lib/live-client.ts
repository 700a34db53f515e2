import type { Client } from 'graphql-ws/client'
import type { TypedDocumentString } from '@/gql/graphql.ts'
import { connectionStatus } from './connection-status.ts'
import { operationName } from './graphql-client.ts'

/** Waits between attempts: quick at first, then every five seconds, so that a restarted API is found soon. */
const retryWaitsMs = [250, 500, 1_000, 2_000, 5_000] as const

let client: Promise<Client> | undefined
const reconnectListeners = new Set<() => void>()

/** Called after a lost WebSocket is open again: what happened in between was not heard. */
export function onReconnect(listener: () => void): () => void {
  reconnectListeners.add(listener)
  return () => reconnectListeners.delete(listener)
}

/** One WebSocket for all subscriptions of the page, opened by the first; the session cookie travels with it. */
async function connect(): Promise<Client> {
  const { createClient } = await import('graphql-ws/client')
  let wasLost = false
  return createClient({
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
        const code = typeof event === 'object' && event !== null && 'code' in event ? event.code : undefined
        // 1000: our own goodbye when nothing subscribes any more. 44xx: refused by the API, which does answer.
        if (code === 1000 || (typeof code === 'number' && code >= 4400 && code < 4500)) return
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
}

/** Hears a subscription until the returned function is called. Errors end it with `onEnd`. */
export function subscribe<Data, Variables extends Record<string, unknown>>(
  document: TypedDocumentString<Data, Variables>,
  variables: Variables,
  onData: (data: Data) => void,
  onEnd?: (error: unknown) => void,
): () => void {
  let isStopped = false
  let stop: (() => void) | undefined
  client ??= connect()
  client.then(
    (ready) => {
      if (isStopped) return
      stop = ready.subscribe<Data>(
        { query: document.toString(), variables, operationName: operationName(document) },
        {
          next: (message) => {
            if (message.data) onData(message.data)
          },
          error: (error) => onEnd?.(error),
          complete: () => onEnd?.(undefined),
        },
      )
    },
    (error: unknown) => {
      // The code itself could not be loaded; the next subscription tries again.
      client = undefined
      onEnd?.(error)
    },
  )
  return () => {
    isStopped = true
    stop?.()
  }
}
