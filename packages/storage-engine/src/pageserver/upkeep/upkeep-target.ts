import type { TimelineId } from '../../postgres/ids.ts'
import type { Lsn } from '../../postgres/lsn.ts'
import type { LayerMap } from '../layer/layer-map.ts'
import type { TimelineIndex } from '../remote/index-file.ts'
import type { IndexChange } from '../timeline/index-publisher.ts'
import type { ReadLink } from '../timeline/read-layers.ts'
import type { TimelineFiles } from '../timeline/timeline-files.ts'
import type { ValueSemantics } from '../timeline/timeline-storage.ts'

/** A timeline as upkeep sees it. */
export interface UpkeepTarget {
  readonly timelineId: TimelineId
  readonly index: TimelineIndex
  readonly files: TimelineFiles
  readonly semantics: ValueSemantics
  readonly branchPoints: ReadonlyMap<TimelineId, Lsn>
  /** Of the current layers and of those that some read still works on. */
  layerNamesInUse(): ReadonlySet<string>
  acquireLinks(options?: { readonly layersOnly?: boolean }): { links: ReadLink[]; release: () => void }
  /** As LayeredTimelineStorage.flushAncestors. */
  flushAncestors(): Promise<void>
  publish(
    plan: (index: TimelineIndex, map: LayerMap) => IndexChange | undefined,
    afterUse?: () => void,
  ): Promise<boolean>
}
