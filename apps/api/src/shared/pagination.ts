import { FailureError, invalid } from './result.ts'

export const PAGE_SIZE_MAX = 1000

export interface PageRequest {
  readonly first: number
  readonly after: string | null
}

/** One page of a list, oldest cursor first; `totalCount` counts the whole list. */
export interface Page<Node> {
  readonly nodes: readonly Node[]
  readonly cursorOf: (node: Node) => string
  readonly hasNextPage: boolean
  readonly totalCount: number
}

export function pageRequest(
  first: number | null | undefined,
  after: string | null | undefined,
  byDefault: number,
): PageRequest {
  const size = first ?? byDefault
  if (!Number.isInteger(size) || size < 0 || size > PAGE_SIZE_MAX)
    throw new FailureError(invalid('first', `must be between 0 and ${PAGE_SIZE_MAX}`).error)
  return { first: size, after: after ?? null }
}

/** An opaque cursor over the sort key of a row. */
export function encodeCursor(key: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(key)).toString('base64url')
}

/** Throws the failure `INVALID_INPUT` on a cursor we did not make. */
export function decodeCursor(cursor: string, length: number): string[] {
  try {
    const key: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))
    if (Array.isArray(key) && key.length === length) return key.map(String)
  } catch {
    // Falls through to the one error below.
  }
  throw new FailureError(invalid('after', 'is not a cursor of this list').error)
}

/** `rows` holds up to one more than asked for. */
export function pageOf<Node>(
  rows: readonly Node[],
  request: PageRequest,
  totalCount: number,
  cursorOf: (node: Node) => string,
): Page<Node> {
  return { nodes: rows.slice(0, request.first), cursorOf, hasNextPage: rows.length > request.first, totalCount }
}
