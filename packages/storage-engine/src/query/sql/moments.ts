/**
 * `table AT (LSN => '…')`, `AT (TIME => '…')`, `AT (BRANCH => '…')`, or BRANCH with one of the others: a table at another
 * moment. Each such place becomes a plain quoted name of the same length, which the parser then reports back.
 */
import { StorageError } from '../../base/errors.ts'
import { nameOf, quoteName, type SqlToken, tokenize } from './tokens.ts'

export interface TableMoment {
  readonly branch?: string
  readonly lsn?: string
  readonly time?: string
}

export interface MomentSql {
  /** As long as the original: positions in it are positions in the original. */
  readonly sql: string
  readonly moments: readonly TableMoment[]
  /** What stood in front of the statement. */
  readonly explain: 'none' | 'plan' | 'analyze'
}

/** Private use, so that no name of a user's contains it: it is refused below. */
const MARK = '\ue000'
const KEYS = ['branch', 'lsn', 'time'] as const

/** Throws `invalid-input` with the position. */
export function extractMoments(sql: string): MomentSql {
  if (sql.includes(MARK)) throw new StorageError('invalid-input', 'statement contains a character that is reserved')
  const tokens = tokenize(sql)
  const moments: TableMoment[] = []
  const { explain, count } = leadingExplain(tokens)
  let result = ' '.repeat(tokens[count]?.start ?? sql.length)
  let copiedTo = result.length
  for (let i = count + 1; i < tokens.length; i++) {
    if (!isMoment(tokens, i)) continue
    const name = tokens[i - 1]!
    const { moment, next } = parseMoment(tokens, i)
    const marked = quoteName(`${nameOf(name)}${MARK}${moments.length}`)
    const end = tokens[next - 1]!.end
    result += sql.slice(copiedTo, name.start) + marked.padEnd(end - name.start)
    copiedTo = end
    moments.push(moment)
    i = next - 1
  }
  return { sql: result + sql.slice(copiedTo), moments, explain }
}

/** The name and the index of the moment in a table name that comes back from the parser. */
export function splitMarkedName(name: string): { name: string; moment: number | undefined } {
  const at = name.indexOf(MARK)
  return at < 0 ? { name, moment: undefined } : { name: name.slice(0, at), moment: Number(name.slice(at + 1)) }
}

function isMoment(tokens: readonly SqlToken[], i: number): boolean {
  const [name, at, open, key] = [tokens[i - 1], tokens[i], tokens[i + 1], tokens[i + 2]]
  if (at?.kind !== 'word' || at.text.toLowerCase() !== 'at' || open?.text !== '(' || key?.kind !== 'word') return false
  return (name?.kind === 'word' || name?.kind === 'quoted') && KEYS.some((each) => each === key.text.toLowerCase())
}

function parseMoment(tokens: readonly SqlToken[], at: number): { moment: TableMoment; next: number } {
  const moment: { branch?: string; lsn?: string; time?: string } = {}
  let i = at + 2
  for (;;) {
    const [key, arrow, value, after] = [tokens[i], tokens[i + 1], tokens[i + 2], tokens[i + 3]]
    const name = KEYS.find((each) => each === key?.text.toLowerCase())
    if (!name || arrow?.text !== '=>' || value?.kind !== 'string' || !value.text.startsWith("'")) {
      throw malformed(key ?? tokens[at]!)
    }
    if (moment[name] !== undefined) throw malformed(key!)
    moment[name] = value.text.slice(1, -1).replaceAll("''", "'")
    i += 4
    if (after?.text === ')') break
    if (after?.text !== ',') throw malformed(after ?? value)
  }
  if (moment.lsn !== undefined && moment.time !== undefined) throw malformed(tokens[at]!)
  return { moment, next: i }
}

function malformed(token: SqlToken): StorageError {
  return new StorageError(
    'invalid-input',
    "malformed AT clause: write AT (LSN => '0/16B3748'), AT (TIME => '2026-01-01T00:00:00Z') or AT (BRANCH => 'name'), the branch also with one of the others",
    { position: token.start + 1 },
  )
}

/** `count`: tokens that belong to EXPLAIN. */
function leadingExplain(tokens: readonly SqlToken[]): { explain: MomentSql['explain']; count: number } {
  const word = (i: number): string => (tokens[i]?.kind === 'word' ? tokens[i]!.text.toLowerCase() : '')
  if (word(0) !== 'explain') return { explain: 'none', count: 0 }
  return word(1) === 'analyze' ? { explain: 'analyze', count: 2 } : { explain: 'plan', count: 1 }
}
