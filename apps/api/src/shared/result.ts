/** Failures that a caller must expect, as values. The edges turn the code into a status (http/failure-status.ts). */
export type FailureCode =
  | 'UNAUTHENTICATED'
  | 'NOT_FOUND'
  | 'INVALID_INPUT'
  | 'NAME_TAKEN'
  | 'CONFLICT'
  | 'OPERATION_IN_PROGRESS'
  | 'HAS_CHILDREN'
  | 'PROTECTED'
  | 'QUOTA_EXCEEDED'
  | 'RATE_LIMITED'
  | 'PASSWORD_NOT_STORED'
  | 'READ_ONLY_KEY'
  | 'NOT_ALLOWED'
  | 'UNAVAILABLE'

export interface Failure {
  readonly code: FailureCode
  /** A sentence for people; names the field when there is one. */
  readonly message: string
  readonly field: string | null
}

export type Result<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly error: Failure }

export function success<Value>(value: Value): Result<Value> {
  return { ok: true, value }
}

export function failure(
  code: FailureCode,
  message: string,
  field: string | null = null,
): { ok: false; error: Failure } {
  return { ok: false, error: { code, message, field } }
}

export function invalid(field: string, message: string): { ok: false; error: Failure } {
  return failure('INVALID_INPUT', `${field}: ${message}`, field)
}

/** The same for "not there" and for "there, but not for you". */
export function notFound(what: string): { ok: false; error: Failure } {
  return failure('NOT_FOUND', `${what} not found`)
}

/** Carries a failure out of a transaction, which only an exception rolls back. */
export class FailureError extends Error {
  override readonly name = 'FailureError'
  readonly failure: Failure

  constructor(error: Failure) {
    super(error.message)
    this.failure = error
  }
}

/**
 * What the catalog says of a request that another one overtook, between its checks and its change (codes of
 * Prisma's known request errors).
 */
const overtaken: Readonly<Record<string, Failure>> = {
  P2002: { code: 'NAME_TAKEN', message: 'another request has just taken this name', field: 'name' },
  P2003: { code: 'CONFLICT', message: 'what this belongs to has just been deleted', field: null },
  P2025: { code: 'NOT_FOUND', message: 'this has just been deleted', field: null },
}

function overtakenFailure(error: unknown): Failure | undefined {
  if (!(error instanceof Error) || error.name !== 'PrismaClientKnownRequestError' || !('code' in error))
    return undefined
  return overtaken[String(error.code)]
}

/** Runs `work`; a FailureError thrown inside becomes a value again. */
export async function catchFailure<Value>(work: () => Promise<Value>): Promise<Result<Value>> {
  try {
    return success(await work())
  } catch (error) {
    if (error instanceof FailureError) return { ok: false, error: error.failure }
    const failed = overtakenFailure(error)
    if (failed) return { ok: false, error: failed }
    throw error
  }
}

/** The value, or the failure thrown: for use inside `catchFailure`. */
export function unwrap<Value>(result: Result<Value>): Value {
  if (result.ok) return result.value
  throw new FailureError(result.error)
}
