import { StorageError } from '../../base/errors.ts'
import type { SqlParser } from '../engine.ts'
import { extractMoments, type TableMoment } from './moments.ts'
import { analyzeStatement, type Statement } from './statement.ts'
import { tokenize } from './tokens.ts'

export interface ParsedQuery {
  /** Without EXPLAIN and AT clauses; positions are those of the original. */
  readonly sql: string
  readonly moments: readonly TableMoment[]
  readonly statement: Statement
  readonly explainPrefix: '' | 'explain ' | 'explain analyze '
}

const SQL_CHARS_MAX = 256 * 1024

/** Throws `invalid-input` with the position and, where one is known, a hint. */
export async function parseStatement(parser: SqlParser, text: string): Promise<ParsedQuery> {
  if (text.length > SQL_CHARS_MAX)
    throw new StorageError('invalid-input', 'statement is too long', { chars: text.length })
  if (text.includes('\0')) throw new StorageError('invalid-input', 'statement contains a zero byte')
  const { sql, moments, explain } = extractMoments(text)
  const tree = await parser.parse(sql)
  const failure = parserError(tree)
  if (failure) throw syntaxError(sql, failure)
  return {
    sql,
    moments,
    statement: analyzeStatement(tree),
    explainPrefix: explain === 'none' ? '' : explain === 'plan' ? 'explain ' : 'explain analyze ',
  }
}

/**
 * The statement with its tables called by other names, in the order of `statement.tables`, and with text constants cast to
 * the types of the columns that they are compared with, where `castOf` names one.
 */
export function renameTables(
  parsed: ParsedQuery,
  names: readonly string[],
  castOf: (column: string) => string | undefined = () => undefined,
): string {
  const offsets = charOffsets(parsed.sql)
  const tokens = tokenize(parsed.sql)
  const renames = parsed.statement.tables.map((table, i) => ({ start: offsets(table.location), name: names[i]! }))
  const casts = parsed.statement.comparedTexts.flatMap(({ column, location }) => {
    const type = castOf(column)
    const token = tokens.find(({ start, kind }) => start === offsets(location) && kind === 'string')
    return type && token ? [{ start: token.start, name: `${token.text}::${type}` }] : []
  })
  const edits = [...renames, ...casts].sort((a, b) => a.start - b.start)
  let result = ''
  let copiedTo = 0
  for (const { start, name } of edits) {
    const first = tokens.findIndex((token) => token.start === start)
    if (first < 0)
      throw new StorageError('unsupported', 'table name was not found in the statement', { position: start + 1 })
    let last = first
    while (tokens[last + 1]?.text === '.' && tokens[last + 2]) last += 2
    result += parsed.sql.slice(copiedTo, start) + name
    copiedTo = tokens[last]!.end
  }
  // A statement may end in a semicolon, which an expression around it may not.
  return (result + parsed.sql.slice(copiedTo)).replace(/;\s*$/, '')
}

/** From offsets in UTF-8 bytes, as the parser counts, to those in UTF-16 units. */
export function charOffsets(text: string): (byteOffset: number) => number {
  let isAscii = true
  for (let i = 0; i < text.length && isAscii; i++) isAscii = text.charCodeAt(i) < 128
  if (isAscii) return (byteOffset) => byteOffset
  const bytes = new TextEncoder().encode(text)
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  return (byteOffset) => decoder.decode(bytes.subarray(0, byteOffset)).length
}

interface ParserFailure {
  readonly type: string
  readonly message: string
  readonly position: number | undefined
}

function parserError(tree: unknown): ParserFailure | undefined {
  if (typeof tree !== 'object' || tree === null || !('error' in tree) || tree.error !== true) return undefined
  const fields = tree as Readonly<Record<string, unknown>>
  const position = Number(fields.position)
  return {
    type: String(fields.error_type),
    message: String(fields.error_message),
    position: Number.isFinite(position) ? position : undefined,
  }
}

function syntaxError(sql: string, failure: ParserFailure): StorageError {
  if (failure.type === 'not implemented') {
    return new StorageError(
      'invalid-input',
      'only SELECT is served here: WITH, VALUES, FROM and EXPLAIN of them included',
      {
        hint: 'changes go to Postgres',
      },
    )
  }
  const position = failure.position === undefined ? undefined : charOffsets(sql)(failure.position) + 1
  const place = position === undefined ? {} : lineAndColumn(sql, position)
  return new StorageError('invalid-input', failure.message, { position, ...place })
}

function lineAndColumn(sql: string, position: number): { line: number; column: number } {
  const before = sql.slice(0, position - 1)
  const line = before.split('\n').length
  return { line, column: position - (before.lastIndexOf('\n') + 1) }
}
