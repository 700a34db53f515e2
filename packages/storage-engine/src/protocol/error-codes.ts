import { CorruptionError, type StorageErrorCode } from '../base/errors.ts'

/** Codes travel as their place in this list: new ones go to its end. */
const ERROR_CODES: readonly StorageErrorCode[] = [
  'unavailable',
  'fenced',
  'corruption',
  'invalid-input',
  'not-found',
  'conflict',
  'exhausted',
  'unsupported',
  'aborted',
]

export function errorCodeNumber(code: StorageErrorCode): number {
  return ERROR_CODES.indexOf(code)
}

/** Throws CorruptionError for a number that is none of a code. */
export function errorCodeOf(value: number): StorageErrorCode {
  const code = ERROR_CODES[value]
  if (code === undefined) throw new CorruptionError('unknown error code', { code: value })
  return code
}
