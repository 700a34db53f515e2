/** One statement of a text, and where it begins in it (counted in characters from 0). */
export interface Statement {
  readonly text: string
  readonly offset: number
}

/**
 * Splits SQL at the semicolons that end statements: not those in quotes, dollar quotes, comments, or in the body of a
 * routine written as BEGIN ATOMIC … END. Statements that hold nothing but blanks and comments are left out.
 */
export function splitStatements(sql: string): Statement[] {
  const statements: Statement[] = []
  let start = 0
  let at = 0
  let hasContent = false
  let atomicDepth = 0
  const finish = (end: number) => {
    if (hasContent) {
      const raw = sql.slice(start, end)
      const lead = raw.length - raw.trimStart().length
      statements.push({ text: raw.trim(), offset: start + lead })
    }
    start = end + 1
    hasContent = false
  }
  while (at < sql.length) {
    const rest = sql.slice(at, at + 2)
    const char = sql[at]!
    if (rest === '--') at = lineEnd(sql, at)
    else if (rest === '/*') at = commentEnd(sql, at)
    else if (char === "'") {
      const isEscaped = /[eE]/.test(sql[at - 1] ?? '') && !/[\w$]/.test(sql[at - 2] ?? '')
      at = quoteEnd(sql, at, "'", isEscaped)
      hasContent = true
    } else if (char === '"') {
      at = quoteEnd(sql, at, '"', false)
      hasContent = true
    } else if (char === '$' && !/[\w$]/.test(sql[at - 1] ?? '')) {
      at = dollarEnd(sql, at)
      hasContent = true
    } else if (char === ';' && atomicDepth === 0) {
      finish(at)
      at++
    } else if (/[A-Za-z_]/.test(char)) {
      const word = /^[\w$]+/.exec(sql.slice(at, at + 64))![0]
      atomicDepth = nextDepth(sql, at, word.toUpperCase(), atomicDepth)
      hasContent = true
      at += word.length
    } else {
      if (!/\s/.test(char)) hasContent = true
      at++
    }
  }
  finish(sql.length)
  return statements
}

/** Inside BEGIN ATOMIC, CASE … END nests. */
function nextDepth(sql: string, at: number, word: string, depth: number): number {
  if (word === 'BEGIN' && /^\s+atomic\b/i.test(sql.slice(at + 5, at + 40))) return depth + 1
  if (depth === 0) return 0
  if (word === 'CASE') return depth + 1
  return word === 'END' ? depth - 1 : depth
}

function lineEnd(sql: string, at: number): number {
  const end = sql.indexOf('\n', at)
  return end < 0 ? sql.length : end + 1
}

/** Comments of Postgres nest. */
function commentEnd(sql: string, at: number): number {
  let depth = 0
  for (let index = at; index < sql.length; index++) {
    if (sql.startsWith('/*', index)) {
      depth++
      index++
    } else if (sql.startsWith('*/', index)) {
      depth--
      index++
      if (depth === 0) return index + 1
    }
  }
  return sql.length
}

function quoteEnd(sql: string, at: number, quote: string, isEscaped: boolean): number {
  for (let index = at + 1; index < sql.length; index++) {
    if (isEscaped && sql[index] === '\\') index++
    else if (sql[index] === quote) {
      if (sql[index + 1] === quote) index++
      else return index + 1
    }
  }
  return sql.length
}

function dollarEnd(sql: string, at: number): number {
  const tag = /^\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$/.exec(sql.slice(at, at + 70))?.[0]
  if (tag === undefined) return at + 1
  const end = sql.indexOf(tag, at + tag.length)
  return end < 0 ? sql.length : end + tag.length
}
