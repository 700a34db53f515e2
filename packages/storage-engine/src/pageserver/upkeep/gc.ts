import { Lsn } from '../../postgres/lsn.ts'
import type { LayerDescriptor } from '../layer/layer-descriptor.ts'
import type { TimelineIndex } from '../remote/index-file.ts'
import type { StorageContext } from '../timeline/storage-context.ts'
import { repairableLayers } from './columnar-repair.ts'
import { suspectLayers } from './damage-notes.ts'
import { planGc } from './gc-plan.ts'
import { discardLayers } from './local-inputs.ts'
import type { UpkeepTarget } from './upkeep-target.ts'

export interface GcHorizon {
  /** Everything from here on stays readable. */
  readonly horizonLsn: Lsn
  /**
   * LSNs below the horizon that stay readable besides branch points and leases. An LSN below this timeline's own branch
   * point belongs to an ancestor and has to be retained there.
   */
  readonly retainLsns: readonly Lsn[]
}

/**
 * Moves the cutoff and removes what no permitted read needs. The new cutoff and the removal are one index write, so there
 * is no moment at which the index allows a read that its layers cannot answer. Must run under the branch lock.
 */
export async function collectGarbage(context: StorageContext, target: UpkeepTarget, horizon: GcHorizon): Promise<void> {
  let removed: readonly LayerDescriptor[] = []
  await target.publish(
    (index, map) => {
      const damaged = suspectLayers(index, context.columnarSegments.damaged)
      // Beyond the LSN of a damaged layer the cutoff would make it uncertain whether all is there that takes its place.
      if (repairableLayers(index, damaged).length > 0) {
        context.env.log.warn('no garbage is collected before damaged layers are made anew', {
          timelineId: target.timelineId,
        })
        return undefined
      }
      const held = [...target.branchPoints.values(), ...context.leasedLsns(target.timelineId)]
      const { gcCutoffLsn, retainedLsns } = nextHorizon(index, horizon, held)
      removed = planGc(map, { cutoffLsn: gcCutoffLsn, retainedLsns }, damaged)
      const isSame =
        gcCutoffLsn === index.gcCutoffLsn &&
        retainedLsns.length === index.retainedLsns.length &&
        retainedLsns.every((lsn, i) => lsn === index.retainedLsns[i])
      if (isSame && removed.length === 0) return undefined
      return { removed: new Set(removed.map((layer) => layer.name)), fields: { gcCutoffLsn, retainedLsns } }
    },
    () => discardLayers(context, target.files, removed),
  )
}

/** The cutoff never moves back, and what an earlier collection gave up cannot be retained again. */
export function nextHorizon(
  index: Pick<TimelineIndex, 'gcCutoffLsn' | 'retainedLsns' | 'consistentLsn'>,
  horizon: GcHorizon,
  held: readonly Lsn[],
): { gcCutoffLsn: Lsn; retainedLsns: Lsn[] } {
  const gcCutoffLsn = Lsn.max2(index.gcCutoffLsn, Lsn.min(horizon.horizonLsn, index.consistentLsn))
  const retainedLsns = [...new Set([...horizon.retainLsns, ...held])]
    .filter((lsn) => lsn < gcCutoffLsn && (lsn >= index.gcCutoffLsn || index.retainedLsns.includes(lsn)))
    .sort((a, b) => a - b)
  return { gcCutoffLsn, retainedLsns }
}
