import { assert } from '../base/assert.ts'
import { decodeFilePath, encodeFilePath } from '../delta-log/file-path.ts'

/**
 * How a log names an object: relative to the table's folder. Files of ancestors and of partitions lie outside of it and
 * are named by `../`, so a log holds no address and a copied or mounted store stays whole.
 */
export function relativePath(tablePrefix: string, objectKey: string): string {
  const from = tablePrefix.split('/').slice(0, -1)
  const to = objectKey.split('/')
  let shared = 0
  while (shared < from.length && shared < to.length - 1 && from[shared] === to[shared]) shared++
  return encodeFilePath([...from.slice(shared).map(() => '..'), ...to.slice(shared)].join('/'))
}

/** The object key of a path that `relativePath` made. */
export function resolvePath(tablePrefix: string, path: string): string {
  const parts = tablePrefix.split('/').slice(0, -1)
  for (const part of decodeFilePath(path).split('/')) {
    if (part === '..') {
      assert(parts.length > 0, 'a path leaves the store')
      parts.pop()
    } else parts.push(part)
  }
  return parts.join('/')
}
