import {
  type ColumnarCounts,
  ColumnarEncoder,
  DATA_PAGE_PAGES,
  ROW_GROUP_PAGES,
} from '../../columnar/columnar-encoder.ts'
import type { TableDefinition } from '../../columnar/table-definition.ts'
import { isStorageError } from '../../base/errors.ts'
import { verifyColumnarFile } from '../../columnar/verify.ts'
import { type Disk, SYNC_STEP_BYTES } from '../../io/disk.ts'
import { PAGE_SIZE } from '../../postgres/constants.ts'
import { Lsn } from '../../postgres/lsn.ts'
import type { RelationLocator } from '../../postgres/two-phase.ts'
import { closeInputs, type LayerInput, openInputs } from './layer-input.ts'
import { LayerSnapshot } from './layer-snapshot.ts'
import { openLocalSource } from './local-source.ts'
import type { ImageSegment } from './segment-chain.ts'
import { ToastPrefetch } from './toast-prefetch.ts'
import { LocalPagesFile, type WriteLocalPagesTask } from './write-local-pages.ts'

export interface WriteColumnarLayerTask {
  readonly inputs: readonly LayerInput[]
  /** Of the block range, and of the table's TOAST relation and its index. Ascending, disjoint. */
  readonly segments: readonly ImageSegment[]
  readonly relation: RelationLocator
  readonly firstBlock: number
  /** Blocks of the range that exist at `lsn`; at most COLUMNAR_LAYER_PAGES. */
  readonly blockCount: number
  readonly lsn: number
  readonly table: TableDefinition
  readonly isUtf8: boolean
  readonly toast?: { readonly heap: RelationLocator; readonly index: RelationLocator }
  /** Heap pages of one data page of a column. */
  readonly dataPagePages?: number
  readonly outputPath: string
  /** Where to write the pages as well, for the local cache. */
  readonly localPages?: Omit<WriteLocalPagesTask, 'path'>
}

export interface WrittenColumnarLayer {
  readonly path: string
  readonly sizeBytes: number
  /** Of the local pages, if any. */
  readonly localPagesBytes: number
  readonly counts: ColumnarCounts
}

/**
 * Puts a block range of a heap into columns, then rebuilds every page from the finished file and compares it.
 * Memory: the pages of the range (at most 64 MiB), one row group of values, and the compressed pages of one column.
 * Throws `corruption` and leaves no file when a page does not come back.
 */
export async function writeColumnarLayer(disk: Disk, task: WriteColumnarLayerTask): Promise<WrittenColumnarLayer> {
  const inputs = openInputs(disk, task.inputs)
  try {
    const heap = new Uint8Array(task.blockCount * PAGE_SIZE)
    const snapshot = new LayerSnapshot(inputs, task.segments)
    for (let i = 0; i < task.blockCount; i++) {
      const found = await snapshot.page(task.relation, task.firstBlock + i)
      if (found) heap.set(found, i * PAGE_SIZE)
    }
    const { table, isUtf8 } = task
    const toast = task.toast && new ToastPrefetch(snapshot, task.toast, { table, isUtf8 })
    const { sizeBytes, counts } = await writeVerified(disk, task, heap, toast)
    return { path: task.outputPath, sizeBytes, localPagesBytes: await writeHeap(disk, task, heap), counts }
  } catch (error) {
    await disk.remove(task.outputPath).catch(() => undefined)
    if (task.localPages) await disk.remove(task.localPages.outputPath).catch(() => undefined)
    throw error
  } finally {
    closeInputs(inputs)
  }
}

interface EncodedFile {
  readonly sizeBytes: number
  readonly counts: ColumnarCounts
}

/**
 * The layout of a page tells what it needs besides its columns. Should that ever be wrong, the file does not verify, and
 * is written again with every page rebuilt beforehand.
 */
async function writeVerified(
  disk: Disk,
  task: WriteColumnarLayerTask,
  heap: Uint8Array,
  toast: ToastPrefetch | undefined,
): Promise<EncodedFile> {
  const written = await encodeHeap(disk, task, heap, toast, false)
  try {
    await verifyFile(disk, task, heap)
    return written
  } catch (error) {
    if (!isStorageError(error, 'corruption')) throw error
  }
  await disk.remove(task.outputPath)
  const again = await encodeHeap(disk, task, heap, toast, true)
  await verifyFile(disk, task, heap)
  return again
}

/** Brings the pages of `heap` into canonical form, too. */
async function encodeHeap(
  disk: Disk,
  task: WriteColumnarLayerTask,
  heap: Uint8Array,
  toast: ToastPrefetch | undefined,
  rebuildsEveryPage: boolean,
): Promise<EncodedFile> {
  const { firstBlock, blockCount, table, isUtf8, outputPath } = task
  const output = disk.openNow(outputPath, 'create')
  let sizeBytes = 0
  let syncedBytes = 0
  try {
    const encoder = new ColumnarEncoder(
      {
        table,
        isUtf8,
        firstBlock,
        lsn: Lsn.format(Lsn.of(task.lsn)),
        rowGroupPages: ROW_GROUP_PAGES,
        dataPagePages: task.dataPagePages ?? DATA_PAGE_PAGES,
        rebuildsEveryPage,
        ...(toast ? { toast: toast.read } : {}),
      },
      (bytes) => {
        output.writeNow(bytes, sizeBytes)
        sizeBytes += bytes.length
        if (sizeBytes - syncedBytes < SYNC_STEP_BYTES) return
        output.syncNow()
        syncedBytes = sizeBytes
      },
    )
    for (let i = 0; i < blockCount; i++) {
      const page = heap.subarray(i * PAGE_SIZE, (i + 1) * PAGE_SIZE)
      await toast?.load(page, firstBlock + i)
      encoder.addPage(page)
    }
    encoder.finish()
    output.syncNow()
    return { sizeBytes, counts: { ...encoder.counts } }
  } finally {
    await output.close()
  }
}

async function verifyFile(disk: Disk, task: WriteColumnarLayerTask, heap: Uint8Array): Promise<void> {
  const source = openLocalSource(disk, task.outputPath)
  try {
    await verifyColumnarFile(source, (block) => {
      const at = (block - task.firstBlock) * PAGE_SIZE
      return heap.subarray(at, at + PAGE_SIZE)
    })
  } finally {
    await source.close()
  }
}

/** The pages were brought into canonical form while they were encoded. */
async function writeHeap(disk: Disk, { localPages }: WriteColumnarLayerTask, heap: Uint8Array): Promise<number> {
  if (!localPages) return 0
  const pages = new LocalPagesFile(disk, localPages)
  try {
    for (let at = 0; at < heap.length; at += PAGE_SIZE) pages.add(heap.subarray(at, at + PAGE_SIZE))
    return pages.finish()
  } finally {
    await pages.close()
  }
}
