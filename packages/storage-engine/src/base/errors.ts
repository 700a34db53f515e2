/**
 * What the caller should do about a failure, not where it arose.
 *
 * | code          | the caller                                                   |
 * | ------------- | ------------------------------------------------------------ |
 * | unavailable   | retries later: a peer, disk or object store is away          |
 * | fenced        | stops: a higher term or generation has taken over            |
 * | corruption    | reports to a person: bytes failed a checksum or a bound      |
 * | invalid-input | fixes the call                                               |
 * | not-found     | fixes the call, or treats the thing as gone                  |
 * | conflict      | reads again, then decides                                    |
 * | exhausted     | waits or raises a bound: a queue, a disk or a quota is full  |
 * | unsupported   | cannot be served by this version (an unknown WAL record, …)  |
 * | aborted       | nothing: the caller's own signal ended the work              |
 */
export type StorageErrorCode =
  | 'unavailable'
  | 'fenced'
  | 'corruption'
  | 'invalid-input'
  | 'not-found'
  | 'conflict'
  | 'exhausted'
  | 'unsupported'
  | 'aborted'

export type ErrorFields = Readonly<Record<string, string | number | boolean | undefined>>

/** An operational failure. The message is lowercase and carries no full stop; values go into `fields`. */
export class StorageError extends Error {
  override readonly name: string = 'StorageError'
  readonly code: StorageErrorCode
  /** The message without the fields. */
  readonly reason: string
  readonly fields: ErrorFields

  constructor(code: StorageErrorCode, message: string, fields: ErrorFields = {}, options?: { cause?: unknown }) {
    super(withFields(message, fields), options)
    this.code = code
    this.reason = message
    this.fields = fields
  }

  /** True when the same call may succeed later without any change by the caller. */
  get retryable(): boolean {
    return this.code === 'unavailable' || this.code === 'exhausted'
  }
}

/** Bytes from disk or network that fail a checksum, a bound or a version. Names the object and, if known, the offset. */
export class CorruptionError extends StorageError {
  override readonly name = 'CorruptionError'

  constructor(message: string, fields: ErrorFields = {}, options?: { cause?: unknown }) {
    super('corruption', message, fields, options)
  }
}

export function isStorageError(error: unknown, code?: StorageErrorCode): error is StorageError {
  return error instanceof StorageError && (code === undefined || error.code === code)
}

/** The text of any thrown value, with the chain of causes. */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause === undefined ? error.message : `${error.message}: ${errorText(error.cause)}`
}

function withFields(message: string, fields: ErrorFields): string {
  const parts = Object.entries(fields).filter(([, value]) => value !== undefined)
  if (parts.length === 0) return message
  return `${message} (${parts.map(([name, value]) => `${name}=${value}`).join(', ')})`
}
