import type { Disk } from '../../io/disk.ts'
import type { ValueSemantics } from '../timeline/timeline-storage.ts'
import { type ListChangedBlocksTask, listChangedBlocks } from './list-changed-blocks.ts'
import { type ListDeadRowsTask, listDeadRows } from './list-dead-rows.ts'
import { type MergeDeltaLayersTask, mergeDeltaLayers } from './merge-delta-layers.ts'
import { type ReadColumnarSegmentTask, readColumnarSegment } from './read-columnar-segment.ts'
import { type VerifyLayerTask, verifyLayer } from './verify-layer.ts'
import { type WriteColumnarLayerTask, writeColumnarLayer } from './write-columnar-layer.ts'
import { type WriteDeltaLayerTask, writeDeltaLayer } from './write-delta-layer.ts'
import { type WriteLocalPagesTask, writeLocalPages } from './write-local-pages.ts'
import { type WritePageImagesTask, writePageImages } from './write-page-images.ts'

/** What upkeep runs through the Workers seam. Each reads and writes local files only; the caller uploads and publishes. */
export function upkeepTasks(disk: Disk, materialize: ValueSemantics['materialize']) {
  return {
    'write-delta-layer': (task: WriteDeltaLayerTask) => writeDeltaLayer(disk, task),
    'merge-delta-layers': (task: MergeDeltaLayersTask) => mergeDeltaLayers(disk, task),
    'write-page-images': (task: WritePageImagesTask) => writePageImages(disk, materialize, task),
    'write-columnar-layer': (task: WriteColumnarLayerTask) => writeColumnarLayer(disk, task),
    'read-columnar-segment': (task: ReadColumnarSegmentTask) => readColumnarSegment(disk, task),
    'list-changed-blocks': (task: ListChangedBlocksTask) => listChangedBlocks(disk, task),
    'list-dead-rows': (task: ListDeadRowsTask) => listDeadRows(disk, task),
    'write-local-pages': (task: WriteLocalPagesTask) => writeLocalPages(disk, task),
    'verify-layer': (task: VerifyLayerTask) => verifyLayer(disk, task),
  } as const
}
