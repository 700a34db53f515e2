/**
 * The few tokens of SQL that have to be told apart before a parser sees the text: names, strings, numbers, signs. Comments,
 * blanks and what stands inside quotes never look like anything else.
 */
import { StorageError } from '../../base/errors.ts'

export interface SqlToken {
  readonly kind: 'word' | 'quoted' | 'string' | 'number' | 'sign'
  /** As written. */
  readonly text: string
  /** Offset in UTF-16 units. */
  readonly start: number
  readonly end: number
}

const WORD = /[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*/y
const NUMBER = /\d[\w.]*/y
const DOLLAR_TAG = /\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$/y
const BLANK = /\s+/y

/** Throws `invalid-input` with the position of a string, name or comment that does not end. */
export function tokenize(sql: string): SqlToken[] {
  const tokens: SqlToken[] = []
  let at = 0
  const add = (kind: SqlToken['kind'], end: number): void => {
    tokens.push({ kind, text: sql.slice(at, end), start: at, end })
    at = end
  }
  while (at < sql.length) {
    const blank = matchAt(BLANK, sql, at)
    if (blank > at) {
      at = blank
      continue
    }
    const two = sql.slice(at, at + 2)
    if (two === '--') {
      const newline = sql.indexOf('\n', at)
      at = newline < 0 ? sql.length : newline + 1
    } else if (two === '/*') at = endOfComment(sql, at)
    else if (sql[at] === "'") add('string', endOfQuoted(sql, at, "'", false))
    else if (/^[eE]'$/.test(two)) add('string', endOfQuoted(sql, at + 1, "'", true))
    else if (/^[xXbBnN]'$/.test(two)) add('string', endOfQuoted(sql, at + 1, "'", false))
    else if (sql[at] === '"') add('quoted', endOfQuoted(sql, at, '"', false))
    else if (matchAt(DOLLAR_TAG, sql, at) > at) {
      const tag = sql.slice(at, matchAt(DOLLAR_TAG, sql, at))
      const close = sql.indexOf(tag, at + tag.length)
      if (close < 0) throw unfinished('dollar-quoted string', at)
      add('string', close + tag.length)
    } else if (matchAt(WORD, sql, at) > at) add('word', matchAt(WORD, sql, at))
    else if (matchAt(NUMBER, sql, at) > at) add('number', matchAt(NUMBER, sql, at))
    else add('sign', two === '=>' ? at + 2 : at + 1)
  }
  return tokens
}

/** The name that a word or a quoted token stands for: Postgres folds unquoted ones to lower case. */
export function nameOf(token: SqlToken): string {
  return token.kind === 'quoted' ? token.text.slice(1, -1).replaceAll('""', '"') : token.text.toLowerCase()
}

export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

function matchAt(pattern: RegExp, sql: string, at: number): number {
  pattern.lastIndex = at
  const match = pattern.exec(sql)
  return match ? at + match[0].length : at
}

function endOfQuoted(sql: string, open: number, quote: string, hasEscapes: boolean): number {
  for (let at = open + 1; at < sql.length; at++) {
    if (hasEscapes && sql[at] === '\\') at++
    else if (sql[at] === quote) {
      if (sql[at + 1] !== quote) return at + 1
      at++
    }
  }
  throw unfinished(quote === '"' ? 'quoted name' : 'string', open)
}

function endOfComment(sql: string, open: number): number {
  let depth = 0
  for (let at = open; at < sql.length - 1; at++) {
    const two = sql.slice(at, at + 2)
    if (two === '/*') depth++
    else if (two === '*/') depth--
    else continue
    at++
    if (depth === 0) return at + 1
  }
  throw unfinished('comment', open)
}

function unfinished(what: string, at: number): StorageError {
  return new StorageError('invalid-input', `${what} does not end`, { position: at + 1 })
}
