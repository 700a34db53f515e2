/** Keys of layers as the API prints them: 18 bytes in hexadecimal, a kind and five numbers. */
export interface StorageKey {
  /** 0: a block of a relation. */
  readonly kind: number
  readonly tablespace: number
  readonly database: number
  readonly relation: number
  readonly fork: number
  readonly block: number
}

export function parseKey(hex: string): StorageKey | undefined {
  if (!/^[0-9a-f]{36}$/i.test(hex)) return undefined
  const number = (from: number, digits: number) => Number.parseInt(hex.slice(from, from + digits), 16)
  return {
    kind: number(0, 2),
    tablespace: number(2, 8),
    database: number(10, 8),
    relation: number(18, 8),
    fork: number(26, 2),
    block: number(28, 8),
  }
}

const relationBlock = 0
const forks = ['', ' free space map', ' visibility map', ' init fork']

const kinds: Readonly<Record<number, string>> = {
  1: 'transaction status',
  2: 'prepared transactions',
  3: 'cluster state',
  4: 'relation maps',
  97: 'relation sizes',
  100: 'databases',
  102: 'segments of transaction status',
  112: 'journal of records',
  113: 'journal of commits',
  114: 'journal of events',
}

/** `[start, end)` in the terms of Postgres: `relation 16458 of database 16388, blocks 0 to 8191`. */
export function describeKeys(startHex: string, endHex: string): string {
  const start = parseKey(startHex)
  const end = parseKey(endHex)
  if (!start || !end) return `${startHex} – ${endHex}`
  if (isSameFork(start, end)) {
    return `${keyName(start)}, ${start.block === end.block - 1 ? `block ${start.block}` : `blocks ${start.block} to ${end.block - 1}`}`
  }
  return `${keyName(start)} to ${keyName(end)}`
}

/** Blocks from one key to another of the same fork of a relation; undefined elsewhere, where a distance means nothing. */
export function blocksBetween(startHex: string, endHex: string): number | undefined {
  const start = parseKey(startHex)
  const end = parseKey(endHex)
  return start && end && isSameFork(start, end) ? end.block - start.block : undefined
}

function isSameFork(a: StorageKey, b: StorageKey): boolean {
  return (
    a.kind === relationBlock &&
    b.kind === relationBlock &&
    a.tablespace === b.tablespace &&
    a.database === b.database &&
    a.relation === b.relation &&
    a.fork === b.fork
  )
}

function keyName(key: StorageKey): string {
  if (key.kind !== relationBlock) return kinds[key.kind] ?? `keys of kind ${key.kind}`
  const place = key.database === 0 ? 'shared by all databases' : `of database ${key.database}`
  return `relation ${key.relation}${forks[key.fork] ?? ''} ${place}`
}
