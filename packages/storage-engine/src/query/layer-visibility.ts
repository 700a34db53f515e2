/**
 * Which rows of columnar layers are visible at an LSN. A row says who inserted and who deleted it; whether they are committed
 * is for the commit log at that LSN. Each file is asked once which transactions it names, however many rows they have; then
 * the few that make rows invisible become the keys of an anti join.
 */
import { isStorageError } from '../base/errors.ts'
import type { SnapshotSource } from '../catalog/snapshot-source.ts'
import { TransactionStatus } from '../catalog/transaction-status.ts'
import type { Engine } from './engine.ts'
import { quoteText } from './sql/tokens.ts'

/** Transactions that rows of one file name. */
export interface LayerTransactions {
  /** Inserters that are not frozen, as unsigned xids, and whether a hint says committed. */
  readonly inserters: ReadonlyMap<number, boolean>
  /** Deleters and updaters, lockers left out; a multixact has 2^32 added. */
  readonly deleters: ReadonlyMap<number, boolean>
}

/** Keys of rows that are not there: the values of INSERTER_KEY and DELETER_KEY. */
export interface InvisibleKeys {
  readonly inserters: readonly number[]
  readonly deleters: readonly number[]
}

const MULTI = 0x1_0000_0000
const UNSIGNED_XMIN = '(p._pg_xmin::bigint & 4294967295)'
const UNSIGNED_XMAX = '(p._pg_xmax::bigint & 4294967295)'
const IS_FROZEN = '(p._pg_im & 768) = 768'
/** xmax invalid, or nothing but a lock. */
const IS_NOT_DELETED = '((p._pg_im & 2048) <> 0 or (p._pg_im & 128) <> 0 or (p._pg_im & 4176) = 64 or p._pg_xmax = 0)'

/** 2 (the frozen xid) for rows whose inserter needs no look. */
export const INSERTER_KEY = `case when ${IS_FROZEN} then 2 else ${UNSIGNED_XMIN} end`
/** 0 for rows that nobody deleted. */
export const DELETER_KEY = `case when ${IS_NOT_DELETED} then 0 else ${UNSIGNED_XMAX} + case when (p._pg_im & 4096) <> 0 then ${MULTI} else 0 end end`

export async function readLayerTransactions(engine: Engine, path: string): Promise<LayerTransactions> {
  const from = `from read_parquet(${quoteText(path)}) p`
  const inserters = await engine.rows(
    `select ${UNSIGNED_XMIN} as x, bool_or((p._pg_im & 768) = 256) ${from} where not (${IS_FROZEN}) group by 1`,
  )
  const deleters = await engine.rows(
    `select ${DELETER_KEY} as x, bool_or((p._pg_im & 1024) <> 0) ${from} where not ${IS_NOT_DELETED} group by 1`,
  )
  const toMap = (rows: readonly (readonly unknown[])[]): Map<number, boolean> =>
    new Map(rows.map(([xid, hint]) => [Number(xid), hint === true]))
  return { inserters: toMap(inserters), deleters: toMap(deleters) }
}

/** Of all the transactions that the files name, those that make rows invisible as of the source's LSN. */
export async function invisibleKeys(
  source: SnapshotSource,
  files: readonly LayerTransactions[],
): Promise<InvisibleKeys> {
  const transactions = new TransactionStatus(source)
  const inserters = merge(files.map((file) => file.inserters))
  const deleters = merge(files.map((file) => file.deleters))
  const multixacts = [...deleters.keys()].filter((key) => key >= MULTI).map((key) => key - MULTI)
  await transactions.loadXids(inserters.keys())
  await transactions.loadXids([...deleters.keys()].filter((key) => key < MULTI))
  await transactions.loadMultixactIds(multixacts)
  return {
    inserters: [...inserters].flatMap(([xid, hint]) => (transactions.isCommitted(xid, hint) ? [] : [xid])),
    deleters: [...deleters].flatMap(([key, hint]) => {
      const xid = key < MULTI ? key : transactions.updaterOf(key - MULTI)
      return xid !== 0 && transactions.isCommitted(xid, hint) ? [key] : []
    }),
  }
}

/** True when the error says that a layer's file is gone: a newer layer took its place. */
export function isLayerGone(error: unknown): boolean {
  return (
    isStorageError(error, 'unavailable') && /No files found|Cannot open file|No such file|ENOENT/.test(error.message)
  )
}

function merge(maps: readonly ReadonlyMap<number, boolean>[]): Map<number, boolean> {
  const merged = new Map<number, boolean>()
  for (const map of maps) for (const [xid, hint] of map) merged.set(xid, hint || (merged.get(xid) ?? false))
  return merged
}
