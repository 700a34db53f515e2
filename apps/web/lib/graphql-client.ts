import type { TypedDocumentString } from '@/gql/graphql.ts'
import { ApiError, ConnectionLostError, SessionExpiredError } from './api-errors.ts'
import { connectionStatus } from './connection-status.ts'

/** `query Branches($id: ID!) {…}` -> `Branches`. */
export function operationName(document: { toString(): string }): string {
  return /(?:query|mutation|subscription)\s+(\w+)/.exec(document.toString())?.[1] ?? 'Anonymous'
}

interface GraphqlAnswer<Data> {
  requestId?: string | undefined
  data?: Data | null
  errors?: { message: string; extensions?: { code?: string } }[]
}

/**
 * One GraphQL request with the session cookie.
 * @throws ConnectionLostError, SessionExpiredError, ApiError
 */
export async function request<Data, Variables>(
  document: TypedDocumentString<Data, Variables>,
  variables: Variables,
  options: { signal?: AbortSignal } = {},
): Promise<Data> {
  const answer = await post<Data>(document, variables, options.signal)
  const error = answer.errors?.[0]
  if (error) {
    const code = error.extensions?.code ?? 'INTERNAL'
    if (code === 'UNAUTHENTICATED') throw new SessionExpiredError(error.message)
    if (code === 'API_UNAVAILABLE') throw new ConnectionLostError(error.message)
    throw new ApiError(error.message, code, answer.requestId)
  }
  if (!answer.data) throw new ApiError('the API answered without data', 'INTERNAL')
  return answer.data
}

async function post<Data>(
  document: { toString(): string },
  variables: unknown,
  signal: AbortSignal | undefined,
): Promise<GraphqlAnswer<Data>> {
  let response: Response
  try {
    response = await fetch('/graphql', {
      method: 'POST',
      credentials: 'same-origin',
      headers: { 'content-type': 'application/json', accept: 'application/graphql-response+json, application/json' },
      body: JSON.stringify({ query: document.toString(), variables, operationName: operationName(document) }),
      signal,
    })
  } catch (error) {
    if (signal?.aborted) throw error
    connectionStatus.lost('http')
    throw new ConnectionLostError('no answer from the API', { cause: error })
  }
  if (response.status >= 502 && response.status <= 504) {
    connectionStatus.lost('http')
    throw new ConnectionLostError(`the API is away (${response.status})`)
  }
  connectionStatus.restored('http')
  if (response.status === 401) throw new SessionExpiredError('not signed in')
  try {
    const answer = (await response.json()) as GraphqlAnswer<Data>
    return { ...answer, requestId: response.headers.get('x-request-id') ?? undefined }
  } catch {
    throw new ApiError(`unreadable answer from the API (HTTP ${response.status})`, 'INTERNAL')
  }
}
