import type { WalBlock } from '../../wal/record.ts'
import { HeapOpcode } from '../../wal/rmgr/heap.ts'

/** What one transaction has done to the system catalogs, as far as its WAL says; for one line of words. */
export interface CatalogWork {
  readonly catalogs: Map<number, { inserts: number; updates: number; deletes: number }>
  /** Permanent relations that people name, the first few: "table orders". */
  readonly created: string[]
  /** All of those. */
  namedCount: number
  /** All permanent rows of pg_class, with TOAST tables and their indexes. */
  createdCount: number
  temporaryCount: number
  filesCreated: number
  databasesCreated: number
  databasesDropped: number
}

const PG_CLASS = 1259
const PG_ATTRIBUTE = 1249
const PG_REWRITE = 2618
const PG_NAMESPACE = 2615
/** Catalogs whose rows are things of their own, by OID (src/include/catalog, PG 18). */
const NOUNS: ReadonlyMap<number, string> = new Map([
  [1255, 'function'],
  [PG_NAMESPACE, 'schema'],
  [1260, 'role'],
  [3079, 'extension'],
  [2620, 'trigger'],
  [3256, 'policy'],
  [6104, 'publication'],
])
const NAMES_MAX = 4
const NAME_BYTES = 64
/** FormData_pg_class: offsets of relname, relpersistence and relkind. */
const RELNAME_AT = 4
const RELPERSISTENCE_AT = 118
const RELKIND_AT = 119
/** xl_heap_header, then the tuple from behind its fixed header of 23 bytes. */
const HEAP_HEADER_BYTES = 5
const TUPLE_HEADER_BYTES = 23
const KIND_WORDS: Readonly<Record<string, string>> = {
  r: 'table',
  p: 'table',
  i: 'index',
  I: 'index',
  S: 'sequence',
  v: 'view',
  m: 'materialized view',
  f: 'foreign table',
}

export function emptyCatalogWork(): CatalogWork {
  return {
    catalogs: new Map(),
    created: [],
    namedCount: 0,
    createdCount: 0,
    temporaryCount: 0,
    filesCreated: 0,
    databasesCreated: 0,
    databasesDropped: 0,
  }
}

/** A change of a row of a catalog; other records (locks, in-place updates of statistics) leave no trace. */
export function noteCatalogRecord(work: CatalogWork, catalog: number, opcode: number, block: WalBlock): void {
  const isKnown = catalog === PG_CLASS || catalog === PG_ATTRIBUTE || catalog === PG_REWRITE || NOUNS.has(catalog)
  if (!isKnown) return
  const operation = opcode & 0x70
  const counts = work.catalogs.get(catalog) ?? { inserts: 0, updates: 0, deletes: 0 }
  if (operation === HeapOpcode.insert) counts.inserts++
  else if (operation === HeapOpcode.delete) counts.deletes++
  else if (operation === HeapOpcode.update || operation === HeapOpcode.hotUpdate) counts.updates++
  else return
  work.catalogs.set(catalog, counts)
  if (catalog === PG_CLASS && operation === HeapOpcode.insert) noteRelation(work, block.data)
}

function noteRelation(work: CatalogWork, data: Uint8Array): void {
  const start = HEAP_HEADER_BYTES + (data[4] ?? 0) - TUPLE_HEADER_BYTES
  if (start < HEAP_HEADER_BYTES || start + RELKIND_AT >= data.length) {
    work.createdCount++
    return
  }
  if (data[start + RELPERSISTENCE_AT] === 0x74) {
    work.temporaryCount++
    return
  }
  work.createdCount++
  const word = KIND_WORDS[String.fromCharCode(data[start + RELKIND_AT]!)]
  const bytes = data.subarray(start + RELNAME_AT, start + RELNAME_AT + NAME_BYTES)
  const length = bytes.indexOf(0)
  const name = new TextDecoder().decode(bytes.subarray(0, length < 0 ? NAME_BYTES : length))
  if (word !== undefined && !name.startsWith('pg_toast')) noteNames(work, [`${word} ${name}`], 1)
}

/** Keeps the first few: a transaction may make any number of relations. */
export function noteNames(work: CatalogWork, names: readonly string[], count: number): void {
  work.created.push(...names.slice(0, NAMES_MAX - work.created.length))
  work.namedCount += count
}

/** One line, or undefined when nothing was done that people would call DDL. `filesDropped`: of the commit record. */
export function ddlSummary(work: CatalogWork, filesDropped: number): string | undefined {
  const parts: string[] = []
  const none = { inserts: 0, updates: 0, deletes: 0 }
  const classes = work.catalogs.get(PG_CLASS) ?? none
  const columns = work.catalogs.get(PG_ATTRIBUTE) ?? none
  if (work.databasesCreated > 0) parts.push(`created ${counted(work.databasesCreated, 'database')}`)
  if (work.databasesDropped > 0) parts.push(`dropped ${counted(work.databasesDropped, 'database')}`)
  if (work.createdCount > 0) parts.push(createdWords(work))
  // A temporary relation goes without a file in the commit record; a view goes with its rule.
  const rules = work.catalogs.get(PG_REWRITE) ?? none
  const isDrop = classes.deletes > 0 && (filesDropped > 0 || rules.deletes > 0)
  if (isDrop) parts.push(`dropped ${counted(classes.deletes, 'relation')}`)
  const isRewrite = work.createdCount === 0 && work.filesCreated > 0 && filesDropped > 0 && !isDrop
  if (isRewrite) parts.push(`rewrote or truncated ${counted(filesDropped, 'relation')}`)
  const isTemporary = work.temporaryCount > 0 || (classes.deletes > 0 && !isDrop)
  const isAlter = work.createdCount === 0 && !isDrop && !isRewrite && !isTemporary
  if (isAlter && columns.inserts + columns.updates > 0) parts.push('altered the columns of a relation')
  else if (isAlter && classes.updates > 0) parts.push(`altered ${counted(classes.updates, 'relation')}`)
  for (const [catalog, noun] of NOUNS) {
    const counts = work.catalogs.get(catalog)
    if (!counts) continue
    // The first temporary table of a session may make the session's own schemas.
    if (counts.inserts > 0 && !(catalog === PG_NAMESPACE && work.temporaryCount > 0))
      parts.push(`created ${counted(counts.inserts, noun)}`)
    if (counts.updates > 0) parts.push(`altered ${counted(counts.updates, noun)}`)
    if (counts.deletes > 0) parts.push(`dropped ${counted(counts.deletes, noun)}`)
  }
  return parts.length === 0 ? undefined : parts.join(', ')
}

function createdWords(work: CatalogWork): string {
  if (work.created.length === 0) return `created ${counted(work.createdCount, 'relation')}`
  const named = work.created.join(', ')
  const more = work.namedCount - work.created.length
  return `created ${named}${more > 0 ? ` and ${more} more` : ''}`
}

function counted(count: number, noun: string): string {
  if (count === 1) return `1 ${noun}`
  return `${count} ${noun.endsWith('y') ? `${noun.slice(0, -1)}ies` : `${noun}s`}`
}
