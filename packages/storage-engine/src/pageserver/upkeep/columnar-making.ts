import { isStorageError } from '../../base/errors.ts'
import { columnsChecksum } from '../../columnar/visible-columns.ts'
import { PAGE_SIZE } from '../../postgres/constants.ts'
import type { Lsn } from '../../postgres/lsn.ts'
import type { LayerDescriptor } from '../layer/layer-descriptor.ts'
import { formatLayerName, type LayerName } from '../layer/layer-name.ts'
import { localPagesName, localPagesOf } from '../layer/local-pages.ts'
import { compareKeys } from '../layer/packed-key.ts'
import { retryForever } from '../remote/retry-forever.ts'
import type { ReadLink } from '../timeline/read-layers.ts'
import type { StorageContext } from '../timeline/storage-context.ts'
import { blockRange, type ColumnarChunk, type UserHeap } from './columnar-plan.ts'
import { pinLayers } from './local-inputs.ts'
import { planSegments } from './segment-plan.ts'
import type { UpkeepTarget } from './upkeep-target.ts'
import type { WriteColumnarLayerTask, WrittenColumnarLayer } from './write-columnar-layer.ts'

/** Bytes of out-of-line values that one data page of a column should not go beyond by much. */
const DATA_PAGE_TOAST_BYTES_MAX = 32 * 1024 * 1024
const DATA_PAGE_PAGES_MAX = 256

/** Puts one chunk into columns as of `lsn`, uploads the file and names it in the index. */
export async function makeColumns(
  context: StorageContext,
  target: UpkeepTarget,
  links: readonly ReadLink[],
  lsn: Lsn,
  chunk: ColumnarChunk,
): Promise<LayerDescriptor> {
  const { heap, firstBlock, blockCount, range } = chunk
  const { locator: relation, definition: table, isUtf8, toast } = heap
  const ranges = [range]
  if (toast) ranges.push(blockRange(toast.heap, 0, 0xffff_ffff), blockRange(toast.index, 0, 0xffff_ffff))
  const { segments, layers } = planSegments(links, ranges, lsn, context.columnarSegments.unreadable)
  const pinned = await pinLayers(context, layers, { pagesWillDo: true })
  let task: WriteColumnarLayerTask & Required<Pick<WriteColumnarLayerTask, 'localPages'>>
  let written: WrittenColumnarLayer
  try {
    task = {
      inputs: pinned.inputs,
      segments,
      relation,
      firstBlock,
      blockCount,
      lsn,
      table,
      isUtf8,
      ...(toast ? { toast: { heap: toast.heap, index: toast.index } } : {}),
      dataPagePages: dataPagePagesOf(heap),
      outputPath: target.files.newScratchPath('columns'),
      localPages: {
        timelineId: target.timelineId,
        keyStart: range.start,
        keyEnd: range.end,
        lsn,
        outputPath: target.files.newScratchPath('pages'),
      },
    }
    written = await context.workers.run<WriteColumnarLayerTask, WrittenColumnarLayer>('write-columnar-layer', task)
  } catch (error) {
    if (isStorageError(error, 'corruption')) await blameInputs(context, layers)
    throw error
  } finally {
    pinned.release()
  }
  const { counts } = written
  context.columnarMetrics.observe(counts)
  const name: LayerName = {
    kind: 'columnar',
    level: 1,
    keyStart: range.start,
    keyEnd: range.end,
    startLsn: lsn,
    endLsn: (lsn + 1) as Lsn,
    generation: context.generation.number,
    serial: context.newLayerSerial(),
    table: { oid: heap.tableOid, columnsCrc: columnsChecksum(table, { isUtf8 }) },
  }
  const descriptor: LayerDescriptor = {
    ...name,
    name: formatLayerName(name),
    sizeBytes: written.sizeBytes,
    valueBytes: blockCount * PAGE_SIZE,
    rowCount: counts.rows,
    chainLengthMax: 1,
    exceptions: {
      wholePages: counts.wholePages,
      undecodablePages: counts.undecodablePages,
      patchedPages: counts.patchedPages,
      rawValues: counts.rawValues,
      overflowValues: counts.overflowValues,
    },
  }
  const path = target.files.path(descriptor.name)
  await context.env.disk.rename(written.path, path)
  await context.uploads.upload(target.files.objectKey(descriptor), path)
  context.layerFiles.adopt(descriptor, path)
  const pages = localPagesOf(descriptor, written.localPagesBytes)
  const pagesPath = target.files.path(pages.name)
  await context.env.disk.rename(task.localPages.outputPath, pagesPath)
  context.layerFiles.adopt(pages, pagesPath)
  await retryForever('publish columns', context.retry, () =>
    target.publish(({ layers }) => ({ removed: replacedBy(descriptor, layers, context), added: [descriptor] })),
  )
  return descriptor
}

/** Damaged layers that said the same, should the new one be made at their LSN. */
function replacedBy(made: LayerDescriptor, layers: readonly LayerDescriptor[], context: StorageContext): Set<string> {
  const isReplaced = (layer: LayerDescriptor) =>
    context.columnarSegments.damaged.has(layer.name) &&
    layer.startLsn === made.startLsn &&
    compareKeys(layer.keyStart, made.keyStart) === 0 &&
    compareKeys(layer.keyEnd, made.keyEnd) === 0
  return new Set(layers.filter(isReplaced).map(({ name }) => name))
}

/** Fewer heap pages to a data page where rows drag large values along, so that one fits in memory. */
function dataPagePagesOf({ blockCount, toast }: UserHeap): number {
  let pages = DATA_PAGE_PAGES_MAX
  const toastBytesPerPage = ((toast?.blockCount ?? 0) * PAGE_SIZE) / Math.max(1, blockCount)
  while (pages > 1 && pages * toastBytesPerPage > DATA_PAGE_TOAST_BYTES_MAX) pages /= 2
  return pages
}

/** Finds the columnar layers among the inputs whose bytes are bad, so that the next attempt goes around them. */
async function blameInputs(
  context: StorageContext,
  layers: readonly { readonly descriptor: LayerDescriptor; readonly place: ReadLink['place'] }[],
): Promise<void> {
  for (const { descriptor, place } of layers) {
    if (descriptor.kind !== 'columnar') continue
    await context.layerFiles.drop(localPagesName(descriptor.name))
    await context.layerFiles.drop(descriptor.name)
    const pinned = await pinLayers(context, [{ descriptor, place }])
    try {
      await context.workers.run('verify-layer', { input: pinned.inputs[0]! })
    } catch (error) {
      if (!isStorageError(error, 'corruption')) throw error
      context.columnarSegments.markDamaged(descriptor.name, place.objectKey(descriptor), error)
    } finally {
      pinned.release()
    }
  }
}
