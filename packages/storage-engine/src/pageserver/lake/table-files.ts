import { StorageError } from '../../base/errors.ts'
import { columnsChecksum } from '../../columnar/visible-columns.ts'
import { Lsn } from '../../postgres/lsn.ts'
import type { PublishedFile, PublishedState } from '../../protocol/delta-publisher.ts'
import type { ColumnarLayerRef, SnapshotPlan } from '../../protocol/snapshot-plan.ts'
import { encodeKey, KeyKind } from '../key.ts'
import { type KeyRange, kindRange } from '../keyspace.ts'
import type { LayeredTimelineStorage } from '../timeline/layered-timeline-storage.ts'
import { planSnapshot } from '../timeline/snapshot-plan.ts'
import type { StorageContext } from '../timeline/storage-context.ts'
import { makeColumns } from '../upkeep/columnar-making.ts'
import { type ColumnarChunk, chunksOf, type UserHeap } from '../upkeep/columnar-plan.ts'
import type { DeadRows, ListDeadRowsTask } from '../upkeep/list-dead-rows.ts'
import { pinLayers } from '../upkeep/local-inputs.ts'
import { planSegments } from '../upkeep/segment-plan.ts'

/** The commit log and the multixacts: what the visibility of rows is judged by. */
const STATUS_RANGES: readonly KeyRange[] = [
  { start: encodeKey({ kind: KeyKind.slruPage }), end: encodeKey({ kind: KeyKind.slruPage + 1 }) },
  kindRange(KeyKind.slruSegment),
]

/** Makes the data files of tables at one LSN, and finds which of their rows are not visible there. */
export class TableFiles {
  readonly #context: StorageContext
  readonly #storage: LayeredTimelineStorage
  readonly #lsn: Lsn
  readonly #dead = new Map<string, DeadRows>()

  /** Everything up to `lsn` must be in layers. */
  constructor(context: StorageContext, storage: LayeredTimelineStorage, lsn: Lsn) {
    this.#context = context
    this.#storage = storage
    this.#lsn = lsn
  }

  /** Puts every chunk of the heap that changed, or that shows other columns, into columns as of the LSN. */
  async bringUpToDate(heap: UserHeap): Promise<ColumnarLayerRef[]> {
    const stale = staleChunks(heap, await this.#plan(heap))
    for (const chunk of stale) {
      await this.#context.heavyWorkLock.run(async () => {
        const { links, release } = this.#storage.acquireLinks({ layersOnly: true })
        try {
          await makeColumns(this.#context, this.#storage, links, this.#lsn, chunk)
        } finally {
          release()
        }
      })
    }
    const plan = await this.#plan(heap)
    if (staleChunks(heap, plan).length > 0) {
      throw new StorageError('unavailable', 'columns are not complete', { tableOid: heap.tableOid })
    }
    return [...plan.layers]
  }

  /** Files with the rows to mask, where those can have changed since the last version. */
  async publishedFiles(
    refs: readonly ColumnarLayerRef[],
    state: PublishedState | undefined,
  ): Promise<{ files: PublishedFile[]; rowCount: number }> {
    const files: PublishedFile[] = []
    let rowCount = 0
    for (const ref of refs) {
      const last = state?.files.find(({ objectKey }) => objectKey === ref.objectKey)
      const file = { objectKey: ref.objectKey, sizeBytes: ref.sizeBytes, rowCount: ref.rowCount, lsn: ref.lsn }
      if (last?.isSettled) {
        files.push({ ...file, deadRows: undefined, isSettled: true })
        rowCount += last.physicalRows - last.maskedRows
        continue
      }
      const { positions, isSettled, missingRows, bounds } = await this.#deadRows(ref)
      if (missingRows > 0) {
        throw new StorageError('unsupported', 'a page of the table does not read as one: its rows are in no column', {
          object: ref.objectKey,
          rows: missingRows,
        })
      }
      files.push({ ...file, deadRows: positions, isSettled, bounds })
      rowCount += ref.rowCount - positions.length
    }
    return { files, rowCount }
  }

  #plan(heap: UserHeap): Promise<SnapshotPlan> {
    const options = { lsn: this.#lsn, blockCount: heap.blockCount }
    return planSnapshot(this.#context, this.#storage, heap.locator, options)
  }

  async #deadRows(ref: ColumnarLayerRef): Promise<DeadRows> {
    const known = this.#dead.get(ref.objectKey)
    if (known) return known
    const context = this.#context
    const { links, release } = this.#storage.acquireLinks({ layersOnly: true })
    try {
      const { segments, layers } = planSegments(links, STATUS_RANGES, this.#lsn, context.columnarSegments.damaged)
      const name = ref.objectKey.slice(ref.objectKey.lastIndexOf('/') + 1)
      const link = links.find(({ place }) => place.timelineId === ref.timelineId)
      const descriptor = link?.version.map.layers.find((layer) => layer.name === name)
      if (!link || !descriptor)
        throw new StorageError('unavailable', 'columnar layer has gone', { object: ref.objectKey })
      const status = await pinLayers(context, layers)
      const columns = await pinLayers(context, [{ descriptor, place: link.place }]).catch((error: unknown) => {
        status.release()
        throw error
      })
      try {
        const dead = await context.workers.run<ListDeadRowsTask, DeadRows>('list-dead-rows', {
          path: columns.inputs[0]!.path,
          inputs: status.inputs,
          segments,
        })
        this.#dead.set(ref.objectKey, dead)
        return dead
      } finally {
        status.release()
        columns.release()
      }
    } finally {
      release()
    }
  }
}

/** Chunks that the plan's layers do not hold whole, clean, and with the columns that the table has now. */
export function staleChunks(heap: UserHeap, plan: SnapshotPlan): ColumnarChunk[] {
  const columnsCrc = columnsChecksum(heap.definition, heap)
  return chunksOf(heap).filter(({ firstBlock, blockCount }) => {
    const ref = plan.layers.find((layer) => layer.firstBlock === firstBlock)
    const isWhole = ref?.blockCount === blockCount && ref.fileBlockCount === blockCount
    const isDirty = plan.dirtyBlocks.some(
      ([first, count]) => first < firstBlock + blockCount && first + count > firstBlock,
    )
    // A heap that was given to another table oid (never, but for restored catalogs) would lie in the wrong folder.
    return !isWhole || isDirty || ref.columnsCrc !== columnsCrc || ref.tableOid !== heap.tableOid
  })
}

export function lsnText(lsn: number): string {
  return Lsn.format(Lsn.of(lsn))
}
