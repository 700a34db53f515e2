import type { LayerInfo, TimelineInfo } from '../admin/storage-admin.ts'
import { PAGE_SIZE } from '../postgres/constants.ts'
import { Lsn } from '../postgres/lsn.ts'
import { formatKey } from './key.ts'
import type { AttachedTimeline } from './open-project.ts'
import { formatPostgresTime } from './timeline/postgres-time.ts'
import { commitAtOrBefore } from './timeline/time-index.ts'

/** A timeline as the control plane is told of it. */
export async function timelineInfo({ timeline, storage }: AttachedTimeline): Promise<TimelineInfo> {
  const { identity } = timeline
  const layers = storage.layers()
  const commit = await commitAtOrBefore(storage, storage.lastRecordLsn)
  const blocks = timeline.logicalSizeBlocks()
  return {
    projectId: identity.projectId,
    timelineId: identity.timelineId,
    ancestorTimelineId: identity.ancestor?.timelineId ?? null,
    ancestorLsn: identity.ancestor ? Lsn.format(identity.ancestor.lsn) : null,
    startLsn: Lsn.format(identity.startLsn),
    lastRecordLsn: Lsn.format(storage.lastRecordLsn),
    remoteConsistentLsn: Lsn.format(storage.remoteConsistentLsn),
    gcCutoffLsn: Lsn.format(storage.gcCutoffLsn),
    systemIdentifier: identity.systemIdentifier.toString(),
    lastCommitTime: commit ? formatPostgresTime(commit.time) : null,
    logicalSizeBytes: blocks === undefined ? null : blocks * PAGE_SIZE,
    layerCount: layers.length,
    layerSizeBytes: layers.reduce((sum, layer) => sum + layer.descriptor.sizeBytes, 0),
  }
}

/** Layers of this timeline alone, newest first. */
export function layerInfos({ storage }: AttachedTimeline): LayerInfo[] {
  return storage.layers().map(({ descriptor, isLocal }) => ({
    name: descriptor.name,
    kind: descriptor.kind,
    keyStart: formatKey(descriptor.keyStart),
    keyEnd: formatKey(descriptor.keyEnd),
    lsnStart: Lsn.format(descriptor.startLsn),
    lsnEnd: Lsn.format(descriptor.endLsn),
    sizeBytes: descriptor.sizeBytes,
    level: descriptor.level,
    isLocal,
  }))
}
