/** One query from its text to its answer. */
import type { FreshnessReceipt, QueryRequest, QueryResult, TableReceipt } from '../admin/query-client.ts'
import { StorageError } from '../base/errors.ts'
import type { Catalog, CatalogRelation } from '../catalog/catalog.ts'
import type { SnapshotSource } from '../catalog/snapshot-source.ts'
import type { Clock } from '../io/clock.ts'
import type { Disk } from '../io/disk.ts'
import type { Log } from '../io/log.ts'
import type { Workers } from '../io/workers.ts'
import type { TimelineId } from '../postgres/ids.ts'
import { Lsn } from '../postgres/lsn.ts'
import type { RelationLocator } from '../postgres/two-phase.ts'
import type { CatalogCache } from './catalog-cache.ts'
import type { Engine, EngineMaker, SqlParser } from './engine.ts'
import type { FreshPart, FreshRowsCache } from './fresh-cache.ts'
import type { LayerFactsCache } from './layer-facts.ts'
import type { LocalLayers } from './local-layers.ts'
import { maskPlan } from './mask-plan.ts'
import { type Moment, MomentResolver } from './moment-resolver.ts'
import { buildRelation } from './relation-builder.ts'
import { charOffsets, type ParsedQuery, parseStatement, renameTables } from './sql/parse.ts'
import { quoteName, quoteText } from './sql/tokens.ts'
import type { StorageCalls } from './storage-calls.ts'
import { resolveTable } from './table-resolver.ts'

export interface QueryContext {
  readonly clock: Clock
  readonly log: Log
  readonly disk: Disk
  readonly workers: Workers
  readonly parser: SqlParser
  readonly engines: EngineMaker
  readonly storage: StorageCalls
  readonly layers: LocalLayers
  readonly facts: LayerFactsCache
  readonly freshRows: FreshRowsCache
  readonly catalogs: CatalogCache
  /** Reads a timeline at an LSN. */
  readonly snapshot: (request: Pick<QueryRequest, 'projectId'>, timelineId: TimelineId, lsn: Lsn) => SnapshotSource
  readonly pageService: { readonly host: string; readonly port: number }
  readonly decodeThreads: number
  readonly querySpillMb: number
}

export interface QueryJob {
  readonly queryId: string
  readonly request: QueryRequest
  readonly queuedMs: number
  readonly memoryMb: number
  readonly rowsMax: number
  readonly timeoutMs: number
  /** The query's own folder; made by the caller and removed by it. */
  readonly directory: string
  readonly signal: AbortSignal
  readonly cancelFlag: SharedArrayBuffer
  /** Instead of an answer with rows: the whole result in a file of the query's folder. */
  readonly exportAs?: 'csv' | 'parquet'
}

export interface QueryOutcome {
  readonly result: QueryResult
  /** Of an export. */
  readonly path?: string
}

/** History is held for the time that the query may take, and this. */
const HOLD_GRACE_SECONDS = 30
/** What the PageServer grants. */
const HOLD_SECONDS_MAX = 3600

interface BoundTable {
  readonly moment: Moment
  readonly relation: CatalogRelation
  readonly schema: string
}

/** Throws as QueryClient documents. */
export async function runQuery(context: QueryContext, job: QueryJob): Promise<QueryOutcome> {
  const resolver = new MomentResolver(context.storage, job.request, {
    id: job.directory.slice(job.directory.lastIndexOf('/') + 1),
    seconds: Math.min(job.timeoutMs / 1000 + HOLD_GRACE_SECONDS, HOLD_SECONDS_MAX),
  })
  try {
    return await answerQuery(context, job, resolver)
  } finally {
    // The answer does not wait for it.
    void resolver.release()
  }
}

async function answerQuery(context: QueryContext, job: QueryJob, resolver: MomentResolver): Promise<QueryOutcome> {
  const { clock } = context
  const { request, signal } = job
  const times = { queue: job.queuedMs, resolve: 0, catalog: 0, plan: 0, fresh: 0, execute: 0 }
  const startedMs = clock.monotonicMs()
  const timed = async <Result>(step: keyof typeof times, work: () => Promise<Result>): Promise<Result> => {
    const beforeMs = clock.monotonicMs()
    const result = await work()
    times[step] += clock.monotonicMs() - beforeMs
    if (signal.aborted) throw new StorageError('aborted', 'query cancelled')
    return result
  }
  const parsed = await parseStatement(context.parser, request.sql)
  const { main, moments } = await timed('resolve', async () => ({
    main: await resolver.resolve(request.timelineId, request.at),
    moments: await Promise.all(parsed.moments.map((moment) => resolver.resolveAt(moment))),
  }))
  const { directory, memoryMb } = job
  const engine = await context.engines.take({ directory, memoryMb, spillMb: context.querySpillMb })
  const onAbort = (): void => engine.interrupt()
  signal.addEventListener('abort', onAbort)
  const acquired: string[] = []
  const held: FreshPart[] = []
  try {
    const database = request.database ?? 'postgres'
    const catalogs = new Map<Moment, Catalog>()
    await timed('catalog', async () => {
      for (const moment of new Set([main, ...moments])) {
        const source = context.snapshot(request, moment.timelineId, moment.lsn)
        catalogs.set(moment, await context.catalogs.get(source, moment, database))
      }
    })
    const { bound, names } = bindTables(parsed, main, moments, catalogs)
    const receipts: TableReceipt[] = []
    const notes: string[] = []
    const paths: string[] = []
    const enumTypes = new Map<string, Set<string | undefined>>()
    let serial = 0
    await engine.run('create schema tributary_types')
    for (const [name, table] of bound) {
      const { moment, relation } = table
      const source = context.snapshot(request, moment.timelineId, moment.lsn)
      const planner = {
        source,
        catalog: catalogs.get(moment)!,
        engine,
        layers: context.layers,
        facts: context.facts,
        timelineId: moment.timelineId,
        lsn: moment.lsn,
        freshRows: context.freshRows,
        onHeld: (parts: readonly FreshPart[]) => held.push(...parts),
        snapshotPlan: (locator: RelationLocator, changedSinceLsn: Lsn | undefined) =>
          context.storage.admin.snapshotPlan({
            projectId: request.projectId,
            timelineId: moment.timelineId,
            lsn: Lsn.format(moment.lsn),
            ...(changedSinceLsn === undefined ? {} : { changedSinceLsn: Lsn.format(changedSinceLsn) }),
            spcOid: locator.spcOid,
            dbOid: locator.dbOid,
            relNumber: locator.relNumber,
          }),
        onDamaged: (error: StorageError) => {
          context.log.error('columnar layer is damaged', { error: error.message })
          notes.push(`a columnar layer of ${relation.name} is damaged: its blocks were read as pages`)
        },
        onAcquired: (objectKey: string) => acquired.push(objectKey),
      }
      await engine.run(`create schema if not exists ${quoteName(table.schema)}`)
      const built = await buildRelation(
        {
          planner,
          workers: context.workers,
          task: {
            pageService: context.pageService,
            projectId: request.projectId,
            timelineId: moment.timelineId,
            lsn: moment.lsn,
            bytesMax: context.querySpillMb * 1024 * 1024,
            cancelFlag: job.cancelFlag,
          },
          threads: context.decodeThreads,
          signal,
          newName: () => `tributary_${++serial}`,
          onTimes: (step, work) => timed(step, work),
        },
        relation,
        name,
        (column) => parsed.statement.readsAllColumns || parsed.statement.columns.has(column.toLowerCase()),
      )
      receipts.push(built.receipt)
      notes.push(...built.notes)
      paths.push(...built.paths)
      for (const [column, type] of built.enumTypes) {
        enumTypes.set(column, (enumTypes.get(column) ?? new Set()).add(type))
      }
    }
    const sql = parsed.explainPrefix + renameTables(parsed, names, (column) => onlyOf(enumTypes.get(column)))
    return await timed('execute', async () => {
      const answer = await answerOf(engine, job, sql, paths)
      const receipt = receiptOf(request, database, main, receipts, {
        ...times,
        execute: 0,
        total: 0,
      })
      const executeMs = clock.monotonicMs() - startedMs
      return {
        ...(answer.path === undefined ? {} : { path: answer.path }),
        result: {
          queryId: job.queryId,
          ...answer.rows,
          ...(parsed.explainPrefix === 'explain analyze ' ? { rows: maskedRows(answer.rows.rows) } : {}),
          rowCount: answer.rows.rows.length,
          notes: [...new Set(notes)],
          receipt: { ...receipt, milliseconds: finishTimes(times, executeMs) },
        },
      }
    })
  } finally {
    signal.removeEventListener('abort', onAbort)
    engine.close()
    context.engines.prepare()
    for (const objectKey of acquired) context.layers.release(objectKey)
    await context.freshRows.release(held)
  }
}

function maskedRows(rows: QueryResult['rows']): QueryResult['rows'] {
  return rows.map((row) => row.map((value) => (typeof value === 'string' ? maskPlan(value) : value)))
}

/** Undefined unless all columns of a name have the same type. */
function onlyOf(types: ReadonlySet<string | undefined> | undefined): string | undefined {
  return types?.size === 1 ? [...types][0] : undefined
}

async function answerOf(
  engine: Engine,
  job: QueryJob,
  sql: string,
  paths: readonly string[],
): Promise<{ rows: Awaited<ReturnType<Engine['select']>>; path?: string }> {
  if (job.exportAs === undefined) {
    await engine.lock(paths)
    return { rows: await engine.select(sql, job.rowsMax) }
  }
  const path = `${job.directory}/export.${job.exportAs}`
  await engine.lock([...paths, path])
  const format = job.exportAs === 'csv' ? 'format csv, header true' : 'format parquet, compression zstd'
  await engine.run(`copy (${sql}) to ${quoteText(path)} (${format})`)
  return { rows: { columns: [], rows: [], isTruncated: false }, path }
}

/** Views to make, by quoted full name, and the full name for each table of the statement in order. */
function bindTables(
  parsed: ParsedQuery,
  main: Moment,
  moments: readonly Moment[],
  catalogs: ReadonlyMap<Moment, Catalog>,
): { bound: Map<string, BoundTable>; names: string[] } {
  const bound = new Map<string, BoundTable>()
  const offsets = charOffsets(parsed.sql)
  const names = parsed.statement.tables.map((table) => {
    const moment = table.moment === undefined ? main : moments[table.moment]!
    const relation = resolveTable(catalogs.get(moment)!, table, offsets(table.location) + 1)
    for (let variant = 0; ; variant++) {
      const schema = schemaNameOf(relation.schema, moment === main ? undefined : table.moment, variant)
      const name = `${quoteName(schema)}.${quoteName(relation.name)}`
      const taken = [...bound].find(([key]) => key.toLowerCase() === name.toLowerCase())
      if (taken && (taken[1].relation.oid !== relation.oid || taken[1].moment !== moment)) continue
      bound.set(taken?.[0] ?? name, { moment, relation, schema })
      return taken?.[0] ?? name
    }
  })
  return { bound, names }
}

/** Schemas of the engine itself, and tables at other moments, get names of their own. */
function schemaNameOf(schema: string, moment: number | undefined, variant: number): string {
  const isTaken = /^(pg_catalog|information_schema|temp|system|tributary_types)$/i.test(schema)
  const suffix = `${moment === undefined ? '' : ` at ${moment}`}${variant === 0 ? '' : ` ${variant}`}`
  return `${isTaken ? `${schema} of the branch` : schema}${suffix}`
}

function receiptOf(
  request: QueryRequest,
  database: string,
  main: Moment,
  tables: readonly TableReceipt[],
  milliseconds: FreshnessReceipt['milliseconds'],
): FreshnessReceipt {
  const sum = (of: (table: TableReceipt) => number): number => tables.reduce((total, table) => total + of(table), 0)
  return {
    projectId: request.projectId,
    timelineId: main.timelineId,
    database,
    lsn: Lsn.format(main.lsn),
    commitTime: main.commitTime,
    lagBytes: main.lagBytes,
    layersRead: sum((table) => table.layers),
    columnRows: sum((table) => table.columnRows),
    freshRows: sum((table) => table.freshRows),
    dirtyBlocks: sum((table) => table.dirtyBlocks),
    tables,
    milliseconds,
  }
}

function finishTimes(
  times: Readonly<Record<'queue' | 'resolve' | 'catalog' | 'plan' | 'fresh' | 'execute', number>>,
  totalMs: number,
): FreshnessReceipt['milliseconds'] {
  const round = (ms: number): number => Math.round(ms * 100) / 100
  const before = times.resolve + times.catalog + times.plan + times.fresh
  return {
    queue: round(times.queue),
    resolve: round(times.resolve),
    catalog: round(times.catalog),
    plan: round(times.plan),
    fresh: round(times.fresh),
    execute: round(Math.max(0, totalMs - before)),
    total: round(totalMs + times.queue),
  }
}
