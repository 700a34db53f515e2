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
import { StepClock } from './step-clock.ts'
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
  /** Gives back what the query held; to be called when the answer has gone out. */
  release(): Promise<void>
}

const STEPS = ['resolve', 'catalog', 'plan', 'fresh'] as const
type Step = (typeof STEPS)[number]

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
  const held: HeldByQuery = { engine: undefined, files: [], layers: [], freshParts: [] }
  const release = async (): Promise<void> => {
    void resolver.release()
    held.engine?.close()
    context.engines.prepare(held.files)
    for (const objectKey of held.layers) context.layers.release(objectKey)
    await context.freshRows.release(held.freshParts)
  }
  const onAbort = (): void => held.engine?.interrupt()
  job.signal.addEventListener('abort', onAbort)
  try {
    return { ...(await answerQuery(context, job, resolver, held)), release }
  } catch (error) {
    await release()
    throw error
  } finally {
    job.signal.removeEventListener('abort', onAbort)
  }
}

/** To be given back when the query has ended. */
interface HeldByQuery {
  engine: Engine | undefined
  readonly files: string[]
  readonly layers: string[]
  readonly freshParts: FreshPart[]
}

async function answerQuery(
  context: QueryContext,
  job: QueryJob,
  resolver: MomentResolver,
  held: HeldByQuery,
): Promise<Omit<QueryOutcome, 'release'>> {
  const { clock } = context
  const { request, signal, directory, memoryMb } = job
  const startedMs = clock.monotonicMs()
  const steps = new StepClock(clock, STEPS)
  const timed = async <Result>(step: Step, work: () => Promise<Result>): Promise<Result> => {
    const result = await steps.during(step, work)
    if (signal.aborted) throw new StorageError('aborted', 'query cancelled')
    return result
  }
  const parsed = await parseStatement(context.parser, request.sql)
  const [{ main, moments }] = await allOf([
    timed('resolve', async () => ({
      main: await resolver.resolve(request.timelineId, request.at),
      moments: await allOf(parsed.moments.map((moment) => resolver.resolveAt(moment))),
    })),
    (async () => {
      held.engine = await context.engines.take({ directory, memoryMb, spillMb: context.querySpillMb })
    })(),
  ])
  const engine = held.engine!
  const database = request.database ?? 'postgres'
  const catalogs = new Map<Moment, Catalog>()
  await timed('catalog', async () => {
    for (const moment of new Set([main, ...moments])) {
      const source = context.snapshot(request, moment.timelineId, moment.lsn)
      catalogs.set(moment, await context.catalogs.get(source, moment, database))
    }
  })
  const { bound, names } = bindTables(parsed, main, moments, catalogs)
  const notes: string[] = []
  let serial = 0
  const schemas = new Set(['tributary_types', ...[...bound.values()].map(({ schema }) => schema)])
  await engine.run([...schemas].map((schema) => `create schema if not exists ${quoteName(schema)}`).join('; '))
  const built = await allOf(
    [...bound].map(([name, { moment, relation }]) => {
      const planner = {
        source: context.snapshot(request, moment.timelineId, moment.lsn),
        catalog: catalogs.get(moment)!,
        engine,
        layers: context.layers,
        facts: context.facts,
        timelineId: moment.timelineId,
        lsn: moment.lsn,
        freshRows: context.freshRows,
        onHeld: (parts: readonly FreshPart[]) => held.freshParts.push(...parts),
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
        onAcquired: (objectKey: string) => held.layers.push(objectKey),
      }
      const options = {
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
        onTimes: (step: 'plan' | 'fresh', work: () => Promise<void>) => timed(step, work),
      }
      const { readsAllColumns, columns } = parsed.statement
      return buildRelation(options, relation, name, (column) => readsAllColumns || columns.has(column.toLowerCase()))
    }),
  )
  const enumTypes = new Map<string, Set<string | undefined>>()
  for (const [column, type] of built.flatMap((each) => [...each.enumTypes])) {
    enumTypes.set(column, (enumTypes.get(column) ?? new Set()).add(type))
  }
  notes.push(...built.flatMap((each) => each.notes))
  const paths = built.flatMap((each) => each.paths)
  held.files.push(...paths)
  const sql = parsed.explainPrefix + renameTables(parsed, names, (column) => onlyOf(enumTypes.get(column)))
  const answer = await answerOf(engine, job, sql, paths)
  if (signal.aborted) throw new StorageError('aborted', 'query cancelled')
  const receipts = built.map(({ receipt }) => receipt)
  const milliseconds = millisecondsOf(steps, clock.monotonicMs() - startedMs, job.queuedMs)
  return {
    ...(answer.path === undefined ? {} : { path: answer.path }),
    result: {
      queryId: job.queryId,
      ...answer.rows,
      ...(parsed.explainPrefix === '' ? {} : { rows: maskedRows(answer.rows.rows) }),
      rowCount: answer.rows.rows.length,
      notes: [...new Set(notes)],
      receipt: receiptOf(request, database, main, receipts, milliseconds),
    },
  }
}

/** All results, or the first failure once every promise has settled: nothing goes on with what the query holds. */
async function allOf<const Promises extends readonly Promise<unknown>[]>(
  promises: Promises,
): Promise<{ -readonly [Key in keyof Promises]: Awaited<Promises[Key]> }> {
  await Promise.allSettled(promises)
  return Promise.all(promises) as Promise<{ -readonly [Key in keyof Promises]: Awaited<Promises[Key]> }>
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

/** What is in no step before it is the engine's time. */
function millisecondsOf(steps: StepClock<Step>, totalMs: number, queuedMs: number): FreshnessReceipt['milliseconds'] {
  const round = (ms: number): number => Math.round(ms * 100) / 100
  const before = STEPS.reduce((sum, step) => sum + steps.msOf(step), 0)
  return {
    queue: round(queuedMs),
    resolve: round(steps.msOf('resolve')),
    catalog: round(steps.msOf('catalog')),
    plan: round(steps.msOf('plan')),
    fresh: round(steps.msOf('fresh')),
    execute: round(Math.max(0, totalMs - before)),
    total: round(totalMs + queuedMs),
  }
}
