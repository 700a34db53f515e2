import type { StorageErrorCode } from '@tributary/storage-engine/admin'
import type { FailureCode } from '../shared/result.ts'

/** The one table from expected failures to statuses of the REST interface. */
export const statusByFailure: Readonly<Record<FailureCode, number>> = {
  UNAUTHENTICATED: 401,
  NOT_FOUND: 404,
  INVALID_INPUT: 400,
  NAME_TAKEN: 409,
  CONFLICT: 409,
  OPERATION_IN_PROGRESS: 423,
  HAS_CHILDREN: 422,
  PROTECTED: 422,
  QUOTA_EXCEEDED: 402,
  RATE_LIMITED: 429,
  PASSWORD_NOT_STORED: 412,
  READ_ONLY_KEY: 403,
  NOT_ALLOWED: 403,
  UNAVAILABLE: 503,
}

/** What a refusal of the storage is to a caller; undefined: an internal error. */
export const codeByStorageError: Readonly<Record<StorageErrorCode, FailureCode | undefined>> = {
  unavailable: 'UNAVAILABLE',
  exhausted: 'UNAVAILABLE',
  unsupported: 'UNAVAILABLE',
  aborted: 'UNAVAILABLE',
  'invalid-input': 'INVALID_INPUT',
  'not-found': 'NOT_FOUND',
  conflict: 'CONFLICT',
  fenced: 'CONFLICT',
  corruption: undefined,
}
