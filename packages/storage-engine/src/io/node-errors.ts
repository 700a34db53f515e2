import { type ErrorFields, StorageError, type StorageErrorCode } from '../base/errors.ts'

const codeByErrno: Readonly<Record<string, StorageErrorCode>> = {
  ENOENT: 'not-found',
  EEXIST: 'conflict',
  ENOSPC: 'exhausted',
  EDQUOT: 'exhausted',
  EMFILE: 'exhausted',
  ENFILE: 'exhausted',
  EACCES: 'invalid-input',
  EPERM: 'invalid-input',
  EROFS: 'invalid-input',
  ENOTDIR: 'invalid-input',
  EISDIR: 'invalid-input',
  ENAMETOOLONG: 'invalid-input',
  EADDRINUSE: 'conflict',
  EADDRNOTAVAIL: 'invalid-input',
}

const textByErrno: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or directory',
  EEXIST: 'already exists',
  ENOSPC: 'no space left on the disk',
  EDQUOT: 'disk quota used up',
  EMFILE: 'too many open files',
  ENFILE: 'too many open files in the system',
  EACCES: 'permission denied',
  EPERM: 'not permitted',
  EROFS: 'read-only file system',
  EADDRINUSE: 'address already in use',
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset by peer',
  EPIPE: 'connection closed by peer',
}

/** The errno name of a Node.js system error, or undefined for anything else. */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

/** Wraps a Node.js system error. `what` is a verb phrase ("read file"); errors that are ours already pass through. */
export function systemError(what: string, error: unknown, fields: ErrorFields = {}): StorageError {
  if (error instanceof StorageError) return error
  const errno = errnoOf(error)
  const code = (errno && codeByErrno[errno]) || 'unavailable'
  const text = (errno && textByErrno[errno]) || (error instanceof Error ? error.message : String(error))
  return new StorageError(code, `${what}: ${text}`, { ...fields, errno }, { cause: error })
}

export function abortedError(what: string): StorageError {
  return new StorageError('aborted', `${what}: aborted`)
}
