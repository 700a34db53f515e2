import { Lsn } from '../../postgres/lsn.ts'
import { Fork } from '../../postgres/relation.ts'
import type { RelationLocator } from '../../postgres/two-phase.ts'
import type { BlockSpan, ColumnarLayerRef, SnapshotPlan } from '../../protocol/snapshot-plan.ts'
import { relationForkRange } from '../keyspace.ts'
import { columnarBlockCount } from '../layer/columnar-segments.ts'
import type { LayerDescriptor } from '../layer/layer-descriptor.ts'
import { type DamagedLayers, LayerMap } from '../layer/layer-map.ts'
import { isImage } from '../layer/layer-name.ts'
import { blockOf } from '../layer/open-layer-index.ts'
import { compareKeys, maxKey, minKey } from '../layer/packed-key.ts'
import type { ListChangedBlocksTask } from '../upkeep/list-changed-blocks.ts'
import { pinLayers } from '../upkeep/local-inputs.ts'
import type { LayeredTimelineStorage } from './layered-timeline-storage.ts'
import type { LayerPlace, ReadLink } from './read-layers.ts'
import type { StorageContext } from './storage-context.ts'

/** A stretch of blocks that one columnar layer answers for. */
interface Stretch {
  readonly layer: LayerDescriptor
  readonly place: LayerPlace
  readonly start: number
  /** Exclusive. */
  end: number
}

/** Versions in (floorLsn, lsn] of blocks [start, end) make them dirty. */
interface Look {
  readonly link: ReadLink
  readonly start: Uint8Array
  readonly end: Uint8Array
  readonly floorLsn: number
  readonly lsn: Lsn
}

/** Which columns hold a fork at `lsn`, and which of its blocks they do not. The caller has waited for `lsn`. */
export async function planSnapshot(
  context: StorageContext,
  storage: LayeredTimelineStorage,
  relation: RelationLocator,
  options: { readonly lsn: Lsn; readonly blockCount: number; readonly sinceLsn?: Lsn | undefined },
): Promise<SnapshotPlan> {
  const { lsn, blockCount, sinceLsn } = options
  storage.requireReadable(lsn)
  if (blockCount === 0) return { lsn: Lsn.format(lsn), blockCount, layers: [], dirtyBlocks: [] }
  const { links, release } = storage.acquireLinks()
  try {
    const { stretches, looks } = findColumns(links, relation, options, context.columnarSegments.damaged)
    const dirty = new Uint8Array(blockCount).fill(1)
    for (const { start, end } of stretches) dirty.fill(0, start, end)
    await markChanged(context, looks, dirty)
    // Below the cutoff of garbage collection, changes are gone that later ones cover.
    const isChangeKnown = sinceLsn !== undefined && sinceLsn <= lsn && sinceLsn >= storage.gcCutoffLsn
    const changed = new Uint8Array(isChangeKnown ? blockCount : 0)
    if (isChangeKnown) await markChanged(context, looksSince(links, relation, { lsn, blockCount, sinceLsn }), changed)
    return {
      lsn: Lsn.format(lsn),
      blockCount,
      layers: stretches.map(layerRef),
      dirtyBlocks: spansOf(dirty),
      ...(isChangeKnown ? { changedBlocks: spansOf(changed) } : {}),
    }
  } finally {
    release()
  }
}

function findColumns(
  links: readonly ReadLink[],
  relation: RelationLocator,
  { lsn, blockCount }: { readonly lsn: Lsn; readonly blockCount: number },
  damaged: DamagedLayers,
): { stretches: Stretch[]; looks: Look[] } {
  const range = relationForkRange(relation.spcOid, relation.dbOid, relation.relNumber, Fork.main, blockCount)
  const boundaries = [range.start, range.end]
  for (const { version } of links) {
    for (const { start, end } of version.map.pieces(range.start, range.end)) {
      boundaries.push(maxKey(start, range.start), minKey(end, range.end))
    }
  }
  boundaries.sort(compareKeys)
  const stretches: Stretch[] = []
  const looks: Look[] = []
  for (let i = 0; i + 1 < boundaries.length; i++) {
    const start = boundaries[i]!
    const end = boundaries[i + 1]!
    if (compareKeys(start, end) === 0) continue
    let bound = lsn
    const above: Look[] = []
    for (const link of links) {
      bound = Lsn.min(bound, link.lsnMax)
      const {
        image,
        floorLsn,
        damaged: passedOver,
      } = LayerMap.baseBelow(link.version.map.covering(start), bound, damaged, link.gcCutoffLsn)
      above.push({ link, start, end, floorLsn, lsn: bound })
      if (image?.kind === 'columnar') {
        looks.push(...above)
        addStretch(stretches, { layer: image, place: link.place, start: blockOf(start, 0), end: blockOf(end, 0) })
      }
      if (image || passedOver !== undefined) break
    }
  }
  return { stretches, looks }
}

/** All of the fork, from `sinceLsn` on. */
function looksSince(
  links: readonly ReadLink[],
  { spcOid, dbOid, relNumber }: RelationLocator,
  { lsn, blockCount, sinceLsn }: { readonly lsn: Lsn; readonly blockCount: number; readonly sinceLsn: Lsn },
): Look[] {
  const { start, end } = relationForkRange(spcOid, dbOid, relNumber, Fork.main, blockCount)
  let bound = lsn
  return links.flatMap((link) => {
    bound = Lsn.min(bound, link.lsnMax)
    return bound > sinceLsn ? [{ link, start, end, floorLsn: sinceLsn, lsn: bound }] : []
  })
}

/** Blocks past the end of the layer's file are left out. */
function addStretch(stretches: Stretch[], { layer, place, start, end }: Stretch): void {
  const fileEnd = Math.min(end, blockOf(layer.keyStart, 0) + columnarBlockCount(layer))
  if (start >= fileEnd) return
  const last = stretches.at(-1)
  if (last?.layer.name === layer.name && last.end === start) last.end = fileEnd
  else stretches.push({ layer, place, start, end: fileEnd })
}

async function markChanged(context: StorageContext, looks: readonly Look[], dirty: Uint8Array): Promise<void> {
  const mark = (key: Uint8Array) => {
    dirty[blockOf(key, 0)] = 1
    return true
  }
  const files = new Map<string, { descriptor: LayerDescriptor; place: LayerPlace; looks: Look[] }>()
  for (const look of mergeLooks(looks)) {
    const { link, start, end, floorLsn, lsn } = look
    const { open, frozen, map } = link.version
    open.visitKeys(start, end, lsn, mark, floorLsn)
    for (const { layer, lastLsn } of frozen) if (lastLsn > floorLsn) layer.visitKeys(start, end, lsn, mark, floorLsn)
    for (const descriptor of map.overlapping(start, end)) {
      if (isImage(descriptor) || descriptor.startLsn > lsn || descriptor.endLsn <= floorLsn + 1) continue
      const entry = files.get(descriptor.name) ?? { descriptor, place: link.place, looks: [] }
      entry.looks.push(look)
      files.set(descriptor.name, entry)
    }
  }
  for (const { descriptor, place, looks: ofFile } of files.values()) {
    const pinned = await pinLayers(context, [{ descriptor, place }])
    try {
      const blocks = await context.readWorkers.run<ListChangedBlocksTask, Uint32Array>('list-changed-blocks', {
        input: pinned.inputs[0]!,
        ranges: ofFile.map(({ start, end, floorLsn, lsn }) => ({ start, end, floorLsn, lsn })),
      })
      for (const block of blocks) dirty[block] = 1
    } finally {
      pinned.release()
    }
  }
}

/** Looks come in key order; neighbours that ask the same of one link are one. */
function mergeLooks(looks: readonly Look[]): Look[] {
  const merged: Look[] = []
  const lastOf = new Map<ReadLink, number>()
  for (const look of looks) {
    const index = lastOf.get(look.link)
    const last = index === undefined ? undefined : merged[index]
    const isSame = last && last.floorLsn === look.floorLsn && last.lsn === look.lsn
    if (isSame && compareKeys(last.end, look.start) === 0) merged[index!] = { ...last, end: look.end }
    else lastOf.set(look.link, merged.push(look) - 1)
  }
  return merged
}

function layerRef({ layer, place, start, end }: Stretch): ColumnarLayerRef {
  return {
    objectKey: place.objectKey(layer),
    sizeBytes: layer.sizeBytes,
    timelineId: place.timelineId,
    tableOid: layer.table?.oid ?? 0,
    columnsCrc: layer.table?.columnsCrc ?? 0,
    firstBlock: start,
    blockCount: end - start,
    fileBlockCount: columnarBlockCount(layer),
    lsn: Lsn.format(layer.startLsn),
    rowCount: layer.rowCount,
  }
}

function spansOf(dirty: Uint8Array): BlockSpan[] {
  const spans: BlockSpan[] = []
  for (let first = dirty.indexOf(1); first >= 0; ) {
    const end = dirty.indexOf(0, first)
    spans.push([first, (end < 0 ? dirty.length : end) - first])
    first = end < 0 ? -1 : dirty.indexOf(1, end)
  }
  return spans
}
