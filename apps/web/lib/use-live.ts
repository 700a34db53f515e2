import { useEffect, useRef } from 'react'
import type { TypedDocumentString } from '@/gql/graphql.ts'
import { subscribe } from './live-client.ts'

const resubscribeMs = 5_000

/**
 * A subscription for as long as the component is shown. A lost connection is the client's to mend; a subscription that the API
 * ends (the login ended, the API restarts) is asked for again, unless its subject is gone. `variables` undefined: nothing to
 * hear yet.
 */
export function useLive<Data, Variables extends Record<string, unknown>>(
  document: TypedDocumentString<Data, Variables>,
  variables: Variables | undefined,
  onData: (data: Data) => void,
): void {
  const handler = useRef(onData)
  handler.current = onData
  const key = variables === undefined ? undefined : JSON.stringify(variables)
  useEffect(() => {
    if (key === undefined) return
    let stop: (() => void) | undefined
    let timer: ReturnType<typeof setTimeout> | undefined
    let isDone = false
    const start = () => {
      stop = subscribe(
        document,
        JSON.parse(key) as Variables,
        (data) => handler.current(data),
        (error) => {
          if (!isDone && !isGone(error)) timer = setTimeout(start, resubscribeMs)
        },
      )
    }
    start()
    return () => {
      isDone = true
      clearTimeout(timer)
      stop?.()
    }
  }, [document, key])
}

/** GraphQL errors of a subscription whose subject is not there (any more) for this reader. */
function isGone(error: unknown): boolean {
  return (
    Array.isArray(error) &&
    error.some((each: { extensions?: { code?: unknown } } | null) => each?.extensions?.code === 'NOT_FOUND')
  )
}
