export interface ErrorPlace {
  /** From 1. */
  readonly line: number
  readonly column: number
  readonly lineText: string
  /** Offset in the text, from 0. */
  readonly offset: number
}

/** Where in the text an error is. `position` counts characters (code points) from 1, as Postgres does. */
export function errorPlace(sql: string, position: number | null | undefined): ErrorPlace | undefined {
  if (!position || position < 1) return undefined
  let offset = 0
  let count = 1
  for (const character of sql) {
    if (count === position) break
    offset += character.length
    count += 1
  }
  if (count < position) return undefined
  const lineStart = sql.lastIndexOf('\n', offset - 1) + 1
  const lineEnd = sql.indexOf('\n', offset)
  return {
    line: sql.slice(0, lineStart).split('\n').length,
    column: offset - lineStart + 1,
    lineText: sql.slice(lineStart, lineEnd < 0 ? undefined : lineEnd),
    offset,
  }
}
