/** Where the rows of one heap are at one LSN: in which layer files, and in which blocks to read as pages. */
import { isStorageError, type StorageError } from '../base/errors.ts'
import type { Catalog, CatalogRelation } from '../catalog/catalog.ts'
import type { SnapshotSource } from '../catalog/snapshot-source.ts'
import type { TableDefinition } from '../columnar/table-definition.ts'
import type { TimelineId } from '../postgres/ids.ts'
import type { Lsn } from '../postgres/lsn.ts'
import type { RelationLocator } from '../postgres/two-phase.ts'
import type { BlockSpan, ColumnarLayerRef, SnapshotPlan } from '../protocol/snapshot-plan.ts'
import { intersectSpans, mergeSpans } from './block-span.ts'
import type { Engine } from './engine.ts'
import { type FreshKey, type FreshPart, type FreshRowsCache, reuseParts } from './fresh-cache.ts'
import type { LayerFacts, LayerFactsCache } from './layer-facts.ts'
import type { LocalLayers } from './local-layers.ts'
import { attributeNamed, canSelect, type WantedColumn } from './row-source.ts'

export interface LayerUse {
  readonly ref: ColumnarLayerRef
  readonly path: string
  readonly facts: LayerFacts
}

export interface HeapPlan {
  readonly relation: CatalogRelation
  readonly heap: RelationLocator
  readonly definition: TableDefinition
  readonly toast: { readonly heap: RelationLocator; readonly index: RelationLocator } | undefined
  readonly blockCount: number
  readonly layers: readonly LayerUse[]
  /** Blocks to read as pages, ascending. */
  readonly dirty: readonly BlockSpan[]
  /** Those of them that layers hold rows of, too. */
  readonly dirtyInLayers: readonly BlockSpan[]
  /** Rows of dirty blocks that are at hand. */
  readonly freshParts: readonly FreshPart[]
  /** The rest of the dirty blocks. */
  readonly missing: readonly BlockSpan[]
  /** Under which what is decoded is kept for later queries. Undefined: it is not. */
  readonly freshKey: FreshKey | undefined
}

export interface HeapPlanner {
  readonly source: SnapshotSource
  readonly catalog: Catalog
  readonly engine: Engine
  readonly layers: LocalLayers
  readonly facts: LayerFactsCache
  readonly timelineId: TimelineId
  readonly lsn: Lsn
  readonly snapshotPlan: (locator: RelationLocator, changedSinceLsn: Lsn | undefined) => Promise<SnapshotPlan>
  readonly freshRows: FreshRowsCache
  /** Called with parts of `freshRows` to give back after the query. */
  readonly onHeld: (parts: readonly FreshPart[]) => void
  /** Called with a layer whose bytes are not what they were; its blocks are read as pages instead. */
  readonly onDamaged: (error: StorageError) => void
  /** Called with every layer that was acquired. */
  readonly onAcquired: (objectKey: string) => void
}

/** `usesLayers` false: every block is read as a page. */
export async function planHeap(
  planner: HeapPlanner,
  relation: CatalogRelation,
  columns: readonly WantedColumn[],
  usesLayers: boolean,
): Promise<HeapPlan> {
  const { catalog, source } = planner
  const heap = relation.locator!
  const common = {
    relation,
    heap,
    definition: catalog.tableDefinition(relation.oid),
    toast: toastOf(catalog, relation),
  }
  if (!usesLayers || relation.schema === 'pg_catalog') {
    const blockCount = (await source.blockCount(heap)) ?? 0
    const dirty: BlockSpan[] = blockCount === 0 ? [] : [[0, blockCount]]
    return {
      ...common,
      blockCount,
      layers: [],
      dirty,
      dirtyInLayers: [],
      freshParts: [],
      missing: dirty,
      freshKey: undefined,
    }
  }
  const freshKey = freshKeyOf(planner, common.definition, heap, columns)
  const known = planner.freshRows.take(freshKey, planner.lsn)
  if (known) planner.onHeld(known.parts)
  const plan = await planner.snapshotPlan(heap, known?.lsn)
  const settings = { isUtf8: catalog.isUtf8 }
  const uses: LayerUse[] = []
  const dirty: BlockSpan[] = [...plan.dirtyBlocks]
  for (const ref of plan.layers) {
    const path = await planner.layers.acquire(ref.objectKey, ref.sizeBytes)
    planner.onAcquired(ref.objectKey)
    const facts = await factsOf(planner, ref, path)
    if (!facts) {
      dirty.push([ref.firstBlock, ref.blockCount])
      continue
    }
    const shape = {
      current: common.definition,
      written: facts.description.table,
      settings,
      textColumns: new Set<number>(),
      hasOverflow: facts.hasOverflow,
    }
    const span: BlockSpan = [ref.firstBlock, ref.blockCount]
    if (canSelect(shape, columns)) {
      uses.push({ ref, path, facts })
      dirty.push(...intersectSpans(facts.wholeBlocks, [span]))
    } else dirty.push(span)
  }
  const merged = mergeSpans(dirty)
  const { kept, missing } = reuseParts(known && plan.changedBlocks ? known.parts : [], merged, plan.changedBlocks ?? [])
  return {
    ...common,
    freshParts: kept,
    missing,
    freshKey,
    blockCount: plan.blockCount,
    layers: uses,
    dirty: merged,
    dirtyInLayers: intersectSpans(
      merged,
      uses.map(({ ref }) => [ref.firstBlock, ref.blockCount] as const),
    ),
  }
}

/** Equal for queries to which the rows of a block look the same as long as the block does not change; columns by themselves. */
function freshKeyOf(
  { timelineId, catalog }: HeapPlanner,
  definition: TableDefinition,
  { spcOid, dbOid, relNumber }: RelationLocator,
  columns: readonly WantedColumn[],
): FreshKey {
  const wanted = columns.flatMap(({ attribute, asText }) => {
    const own = attributeNamed(definition, attribute.name)
    return own ? [JSON.stringify([own, asText])] : []
  })
  return { heap: JSON.stringify([timelineId, spcOid, dbOid, relNumber, catalog.isUtf8]), columns: wanted }
}

async function factsOf(planner: HeapPlanner, ref: ColumnarLayerRef, path: string): Promise<LayerFacts | undefined> {
  try {
    return await planner.facts.get(planner.engine, ref.objectKey, path)
  } catch (error) {
    if (!isStorageError(error, 'corruption')) throw error
    planner.onDamaged(error)
    return undefined
  }
}

function toastOf(catalog: Catalog, relation: CatalogRelation): HeapPlan['toast'] {
  if (relation.toastOid === 0) return undefined
  const heap = catalog.relation(relation.toastOid)?.locator
  const index = catalog.validIndexes(relation.toastOid)[0]?.locator
  return heap && index ? { heap, index } : undefined
}
