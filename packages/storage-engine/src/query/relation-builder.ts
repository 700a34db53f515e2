/** Makes one relation at one moment readable in the engine: fresh rows decoded to files, layers beside them, a view on top. */
import type { TableReceipt } from '../admin/query-client.ts'
import type { CatalogRelation } from '../catalog/catalog.ts'
import type { TableAttribute } from '../columnar/table-definition.ts'
import type { CodecSettings } from '../columnar/types/registry.ts'
import type { Workers } from '../io/workers.ts'
import type { TimelineId } from '../postgres/ids.ts'
import { Lsn } from '../postgres/lsn.ts'
import type { BlockSpan } from '../protocol/snapshot-plan.ts'
import { blockColumn, hullOf, leaveOutBlocks, meetsSpans, type RowFilter } from './block-filter.ts'
import { countBlocks, mergeSpans, splitSpans, subtractSpans } from './block-span.ts'
import { columnSql } from './column-sql.ts'
import { type FreshFiles, type FreshPart, rowsOf } from './fresh-cache.ts'
import type { FreshRowsResult } from './fresh-rows.ts'
import type { FreshTask } from './fresh-tasks.ts'
import { type HeapPlan, type HeapPlanner, planHeap } from './heap-plan.ts'
import { DELETER_KEY, INSERTER_KEY, type InvisibleKeys, invisibleKeys } from './layer-visibility.ts'
import { enumTypeName, factsOf, probeSql, shownColumn } from './relation-view.ts'
import { attributeNamed, type RowSource, selectSource, type WantedColumn } from './row-source.ts'
import { quoteName, quoteText } from './sql/tokens.ts'

/** A thread is worth its message for no fewer blocks than these. */
const BLOCKS_PER_TASK_MIN = 256
const NO_FILTER: RowFilter = { joins: [], conditions: [] }

export interface BuildOptions {
  readonly planner: HeapPlanner
  readonly workers: Workers
  /** Common to all tasks of the query and moment. */
  readonly task: Pick<FreshTask, 'pageService' | 'projectId' | 'timelineId' | 'lsn' | 'bytesMax' | 'cancelFlag'>
  readonly threads: number
  readonly signal: AbortSignal
  /** A new name for tables of ours. */
  readonly newName: () => string
  readonly onTimes: (step: 'plan' | 'fresh', work: () => Promise<void>) => Promise<void>
}

export interface BuiltRelation {
  readonly paths: readonly string[]
  readonly notes: readonly string[]
  readonly receipt: TableReceipt
  /** Every column by its lower-case name: its type if it is an enum. */
  readonly enumTypes: ReadonlyMap<string, string | undefined>
}

/** Creates the view `schema`.`name`. `wanted` says which columns may be read, by name. */
export async function buildRelation(
  options: BuildOptions,
  relation: CatalogRelation,
  view: string,
  wanted: (name: string) => boolean,
): Promise<BuiltRelation> {
  const { catalog, engine } = options.planner
  const settings: CodecSettings = { isUtf8: catalog.isUtf8 }
  const definition = catalog.tableDefinition(relation.oid)
  const notes: string[] = []
  const visible = definition.attributes.filter((attribute) => attribute.type !== undefined)
  for (const attribute of visible) {
    if (attribute.isVirtual && wanted(attribute.name)) {
      notes.push(`column ${attribute.name} of ${relation.name} is computed when it is read, and left out here`)
    }
  }
  const readable = visible.filter((attribute) => columnSql(attribute, settings) !== undefined)
  let columns: WantedColumn[] = readable
    .filter(({ name }) => wanted(name))
    .map((attribute) => ({ attribute, asText: false }))
  for (let usesLayers = true; ; usesLayers = false) {
    const rows = await placeRows(options, relation, columns, settings, usesLayers)
    const base = `(${unionOf(rows, columns)})`
    const probe = probeSql(base, columns, settings, rows.hasOverflow)
    const facts = probe
      ? factsOf((await engine.rows(probe))[0]!.map(Number), columns, settings, rows.hasOverflow)
      : undefined
    const shown = columns.map((column) => ({
      column,
      ...shownColumn(column, settings, facts?.get(column.attribute.number)),
    }))
    if (usesLayers && shown.some(({ needsText }) => needsText)) {
      columns = shown.map(({ column, needsText }) => ({ attribute: column.attribute, asText: needsText }))
      continue
    }
    for (const { column } of shown) await createEnum(engine, column, settings)
    const names = uniqueNames(
      readable.map(({ name }) => name),
      notes,
    )
    const expressionOf = new Map(shown.map(({ column, sql }) => [column.attribute.number, sql]))
    const expressions = readable.map((attribute, i) => {
      const expression = expressionOf.get(attribute.number) ?? unread(attribute, settings)
      return `${expression} as ${quoteName(names[i]!)}`
    })
    await engine.run(`create view ${view} as select ${expressions.join(', ') || '1 as " "'} from ${base}`)
    for (const { note } of shown) if (note) notes.push(note)
    const enumTypes = new Map(readable.map((each) => [each.name.toLowerCase(), enumTypeOf(each, settings)]))
    return { paths: rows.paths, notes, receipt: receiptOf(options, relation, rows), enumTypes }
  }
}

interface PlacedRows {
  readonly sources: readonly RowSource[]
  readonly paths: readonly string[]
  readonly hasOverflow: boolean
  readonly plans: readonly HeapPlan[]
  readonly freshRows: number
}

async function placeRows(
  options: BuildOptions,
  relation: CatalogRelation,
  columns: readonly WantedColumn[],
  settings: CodecSettings,
  usesLayers: boolean,
): Promise<PlacedRows> {
  const { catalog } = options.planner
  const plans: HeapPlan[] = []
  const sources: RowSource[] = []
  let freshRows = 0
  await options.onTimes('plan', async () => {
    for (const leaf of catalog.scannedRelations(relation.oid)) {
      plans.push(await planHeap(options.planner, leaf, columns, usesLayers))
    }
    for (const plan of plans) sources.push(...(await layerSources(options, plan, settings)))
  })
  await options.onTimes('fresh', async () => {
    const made = await Promise.all(plans.map((plan) => freshSources(options, plan, columns, settings)))
    for (const ofHeap of made) {
      freshRows += ofHeap.rowCount
      sources.push(...ofHeap.sources)
    }
  })
  return {
    sources,
    paths: sources.flatMap(({ files }) => files),
    hasOverflow: sources.some(({ hasOverflow }) => hasOverflow),
    plans,
    freshRows,
  }
}

/** Rows of dirty blocks: those at hand, and the rest decoded from pages. */
async function freshSources(
  options: BuildOptions,
  plan: HeapPlan,
  columns: readonly WantedColumn[],
  settings: CodecSettings,
): Promise<{ sources: readonly RowSource[]; rowCount: number }> {
  const { planner } = options
  const own = columns.flatMap(({ attribute, asText }) => {
    const found = attributeNamed(plan.definition, attribute.name)
    return found ? [{ number: found.number, asText }] : []
  })
  const textColumns = own.filter(({ asText }) => asText).map(({ number }) => number)
  const parts = [...plan.freshParts]
  if (plan.missing.length > 0) {
    const files = await decodeBlocks(options, plan, {
      ...settings,
      columns: own.map(({ number }) => number),
      textColumns,
    })
    const part: FreshPart = { files, blocks: files.blocks }
    planner.freshRows.hold([part])
    planner.onHeld([part])
    parts.push(part)
  }
  if (plan.freshKey !== undefined) await planner.freshRows.put(plan.freshKey, { lsn: planner.lsn, parts })
  const sources: RowSource[] = []
  for (const part of parts) {
    if (part.files.paths.length === 0) continue
    const left = subtractSpans(part.files.blocks, part.blocks)
    sources.push({
      files: part.files.paths,
      current: plan.definition,
      written: plan.definition,
      settings,
      textColumns: new Set(textColumns),
      hasOverflow: part.files.hasOverflow,
      ...(left.length === 0
        ? NO_FILTER
        : await leaveOutBlocks(planner.engine, options.newName, left, hullOf(part.files.blocks), plan.blockCount)),
    })
  }
  return { sources, rowCount: parts.reduce((sum, part) => sum + rowsOf(part), 0) }
}

async function decodeBlocks(
  options: BuildOptions,
  plan: HeapPlan,
  what: Pick<FreshTask, 'isUtf8' | 'columns' | 'textColumns'>,
): Promise<FreshFiles> {
  const { freshRows } = options.planner
  const tasks = splitSpans(plan.missing, options.threads, BLOCKS_PER_TASK_MIN).map((blocks): FreshTask => {
    const { definition: table, heap, toast } = plan
    return { ...options.task, ...what, table, heap, toast, blocks, path: freshRows.newPath() }
  })
  const results = await Promise.allSettled(
    tasks.map((task) =>
      options.workers.run<FreshTask, FreshRowsResult>('fresh-rows', task, { signal: options.signal }),
    ),
  )
  const made = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
  const failed = results.find((result) => result.status === 'rejected')
  const useless = tasks.filter((_, i) => failed || made[i]!.rowCount === 0)
  for (const { path } of useless) await freshRows.discard(path)
  if (failed) throw failed.reason
  const rowCounts = new Uint16Array(made.reduce((sum, each) => sum + each.rowCounts.length, 0))
  let at = 0
  for (const each of made) {
    rowCounts.set(each.rowCounts, at)
    at += each.rowCounts.length
  }
  return {
    paths: tasks.filter((task) => !useless.includes(task)).map(({ path }) => path),
    sizeBytes: made.reduce((sum, each) => sum + (each.rowCount > 0 ? each.sizeBytes : 0), 0),
    hasOverflow: made.some(({ overflowCount }) => overflowCount > 0),
    blocks: tasks.flatMap(({ blocks }) => blocks),
    rowCounts,
    openBlocks: mergeSpans(made.flatMap(({ openBlocks }) => openBlocks)),
  }
}

/** Layers of one shape share a scan; those of which only a part counts, or no block has changed, have one of their own. */
async function layerSources(options: BuildOptions, plan: HeapPlan, settings: CodecSettings): Promise<RowSource[]> {
  if (plan.layers.length === 0) return []
  const { source, engine } = options.planner
  const keys = await invisibleKeys(
    source,
    plan.layers.map(({ facts }) => facts.transactions),
  )
  const joins = await keyJoins(options, keys)
  const { dirtyInLayers: dirty, blockCount: heapBlocks } = plan
  const written = plan.layers.map(
    ({ facts: { description } }): BlockSpan => [description.firstBlock, description.blockCount],
  )
  const clean =
    dirty.length > 0 ? await leaveOutBlocks(engine, options.newName, dirty, hullOf(written), heapBlocks) : NO_FILTER
  const groups = new Map<string, { files: string[]; source: Omit<RowSource, 'files'> }>()
  plan.layers.forEach(({ ref, path, facts }, i) => {
    const { firstBlock, blockCount, table } = facts.description
    const isWhole = firstBlock === ref.firstBlock && blockCount <= ref.blockCount
    const changes = meetsSpans(dirty, written[i]!) ? clean : NO_FILTER
    const last = ref.firstBlock + ref.blockCount - 1
    const filter = {
      joins: [...changes.joins, ...joins],
      conditions: [
        ...changes.conditions,
        ...(isWhole ? [] : [`${blockColumn(heapBlocks)} between ${ref.firstBlock} and ${last}`]),
      ],
    }
    const key = JSON.stringify([table.attributes, facts.hasOverflow, filter])
    const group = groups.get(key)
    if (group) group.files.push(path)
    else {
      const shape = { current: plan.definition, written: table, settings, textColumns: new Set<number>() }
      groups.set(key, { files: [path], source: { ...shape, hasOverflow: facts.hasOverflow, ...filter } })
    }
  })
  return [...groups.values()].map(({ files, source: shape }) => ({ ...shape, files }))
}

async function keyJoins(options: BuildOptions, keys: InvisibleKeys): Promise<string[]> {
  const joins: string[] = []
  for (const [expression, values] of [
    [INSERTER_KEY, keys.inserters],
    [DELETER_KEY, keys.deleters],
  ] as const) {
    if (values.length === 0) continue
    const name = options.newName()
    await options.planner.engine.createTable(name, { x: values })
    joins.push(`anti join ${name} on ${name}.x = ${expression}`)
  }
  return joins
}

function unionOf(rows: PlacedRows, columns: readonly WantedColumn[]): string {
  if (rows.sources.length > 0) {
    return rows.sources.map((source) => selectSource(source, columns, rows.hasOverflow)).join(' union all ')
  }
  const empty = columns.map(({ attribute, asText }) => {
    const type = asText ? 'VARCHAR' : (columnSql(attribute, { isUtf8: true })?.physicalType ?? 'INTEGER')
    return `cast(null as ${type}) as c${attribute.number}`
  })
  return `select ${empty.join(', ') || '1 as c0'} where false`
}

function enumTypeOf(attribute: TableAttribute, settings: CodecSettings): string | undefined {
  const sql = columnSql(attribute, settings)
  return sql?.kind === 'enum' && sql.labels.length > 0 ? enumTypeName(sql.labels) : undefined
}

/** Stands for a column that the statement does not name, so that the engine knows its name: reading it would be an error. */
function unread(attribute: TableAttribute, settings: CodecSettings): string {
  const type = columnSql(attribute, settings)?.physicalType ?? 'INTEGER'
  return `cast(error(${quoteText(`column ${attribute.name} was not read`)}) as ${type})`
}

async function createEnum(engine: HeapPlanner['engine'], column: WantedColumn, settings: CodecSettings): Promise<void> {
  const sql = columnSql(column.attribute, settings)
  if (sql?.kind !== 'enum' || column.asText || sql.labels.length === 0) return
  const labels = sql.labels.map(([, label]) => quoteText(label)).join(', ')
  await engine.run(`create type if not exists ${enumTypeName(sql.labels)} as enum (${labels})`)
}

/** Names that differ in case alone are one to the engine: later ones get a number. */
function uniqueNames(names: readonly string[], notes: string[]): string[] {
  const taken = new Set<string>()
  return names.map((name) => {
    let unique = name
    for (let i = 1; taken.has(unique.toLowerCase()); i++) unique = `${name}_${i}`
    if (unique !== name) notes.push(`column ${name} is called ${unique}: another differs from it in case alone`)
    taken.add(unique.toLowerCase())
    return unique
  })
}

function receiptOf(options: BuildOptions, relation: CatalogRelation, rows: PlacedRows): TableReceipt {
  const timelineId: TimelineId = options.task.timelineId
  return {
    name: `${relation.schema}.${relation.name}`,
    timelineId,
    lsn: Lsn.format(options.task.lsn),
    blocks: rows.plans.reduce((sum, plan) => sum + plan.blockCount, 0),
    dirtyBlocks: rows.plans.reduce((sum, plan) => sum + countBlocks(plan.dirty), 0),
    reusedBlocks: rows.plans.reduce((sum, plan) => sum + countBlocks(plan.dirty) - countBlocks(plan.missing), 0),
    layers: rows.plans.reduce((sum, plan) => sum + plan.layers.length, 0),
    columnRows: rows.plans.reduce(
      (sum, { layers }) => sum + layers.reduce((rest, { ref }) => rest + ref.rowCount, 0),
      0,
    ),
    freshRows: rows.freshRows,
  }
}
