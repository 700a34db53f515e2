/** What can go wrong between the console and the API, told apart by what the reader can do about it. */

/** No answer: the network or the API is away. Retried until it is back. */
export class ConnectionLostError extends Error {
  override readonly name = 'ConnectionLostError'
}

/** The login has ended: sign in again, then go on. */
export class SessionExpiredError extends Error {
  override readonly name = 'SessionExpiredError'
}

/** The API answered with an error. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly code: string
  readonly requestId: string | undefined

  constructor(message: string, code: string, requestId?: string) {
    super(message)
    this.code = code
    this.requestId = requestId
  }
}

const deniedCodes = new Set(['FORBIDDEN', 'NOT_FOUND'])

/** The thing is not there for this reader; the API does not say whether it exists for others. */
export function isDenied(error: unknown): boolean {
  return error instanceof ApiError && deniedCodes.has(error.code)
}

export function errorText(error: unknown): string {
  if (error instanceof ConnectionLostError) return 'The connection to the API is lost.'
  if (error instanceof SessionExpiredError) return 'Your session has ended.'
  return error instanceof Error ? error.message : String(error)
}
