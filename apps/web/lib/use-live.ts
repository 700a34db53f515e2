import { useEffect, useRef } from 'react'
import type { TypedDocumentString } from '@/gql/graphql.ts'
import { subscribe } from './live-client.ts'

/** A subscription for as long as the component is shown. `variables` undefined: nothing to hear yet. */
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
    return subscribe(document, JSON.parse(key) as Variables, (data) => handler.current(data))
  }, [document, key])
}
