/** Paths of `add` and `remove`: URIs (RFC 2396), percent-encoded, relative to the table's folder or absolute. */
import { CorruptionError } from '../base/errors.ts'

/** Each part of a relative path, with everything encoded that is no unreserved character. */
export function encodeFilePath(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/')
}

export function decodeFilePath(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch (error) {
    throw new CorruptionError('path in a delta log is not percent-encoded', { path }, { cause: error })
  }
}

/** True for a path with a scheme or a leading slash. */
export function isAbsolutePath(path: string): boolean {
  return /^([a-zA-Z][a-zA-Z0-9+.-]*:|\/)/.test(path)
}
