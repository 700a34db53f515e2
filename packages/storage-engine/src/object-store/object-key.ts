import { StorageError } from '../base/errors.ts'

/** S3's own bound. */
const KEY_BYTES_MAX = 1024

/** Printable ASCII without what file systems, URLs or shells treat apart: string order is then byte order everywhere. */
const partPattern = /^[A-Za-z0-9._=+@,%-]+$/

/** Throws `invalid-input` for a key that some object store could not hold or would read as another. */
export function checkObjectKey(key: string): void {
  const isFine = key.length <= KEY_BYTES_MAX && key.split('/').every(isPart)
  if (!isFine) throw new StorageError('invalid-input', 'not an object key', { key: key.slice(0, 128) })
}

/** A prefix is the beginning of some key; the empty one matches all. */
export function checkObjectPrefix(prefix: string): void {
  if (prefix === '') return
  const parts = prefix.split('/')
  const last = parts.pop() ?? ''
  const isFine = prefix.length <= KEY_BYTES_MAX && parts.every(isPart) && (last === '' || partPattern.test(last))
  if (!isFine) throw new StorageError('invalid-input', 'not an object key prefix', { prefix: prefix.slice(0, 128) })
}

function isPart(part: string): boolean {
  return part !== '.' && part !== '..' && part.length <= 200 && partPattern.test(part)
}

/** [start, end) of an object of `sizeBytes`, or `invalid-input` for an empty range or one that starts past the end. */
export function cutRange(
  key: string,
  sizeBytes: number,
  range: { start: number; end: number } | undefined,
): { start: number; end: number } {
  if (!range) return { start: 0, end: sizeBytes }
  checkRange(key, range)
  if (range.start >= sizeBytes) {
    throw new StorageError('invalid-input', 'range starts past the end', { key, start: range.start, sizeBytes })
  }
  return { start: range.start, end: Math.min(range.end, sizeBytes) }
}

export function checkRange(key: string, range: { start: number; end: number }): void {
  const isFine =
    Number.isSafeInteger(range.start) && Number.isSafeInteger(range.end) && range.start >= 0 && range.end > range.start
  if (!isFine) throw new StorageError('invalid-input', 'not a byte range', { key, start: range.start, end: range.end })
}
