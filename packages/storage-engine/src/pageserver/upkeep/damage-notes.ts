import { CorruptionError, errorText } from '../../base/errors.ts'
import type { DamagedLayers } from '../layer/layer-map.ts'
import type { DamagedLayer, TimelineIndex } from '../remote/index-file.ts'
import type { StorageContext } from '../timeline/storage-context.ts'
import type { UpkeepTarget } from './upkeep-target.ts'

const FOUND_LENGTH_MAX = 500

/**
 * Layers that nothing may rely on when what is below them is removed: those that this process found damaged, and those that
 * one before it found and this one has not looked at.
 */
export function suspectLayers(index: Pick<TimelineIndex, 'damagedLayers'>, damaged: DamagedLayers): DamagedLayers {
  if (index.damagedLayers.length === 0) return damaged
  const noted = index.damagedLayers.map(({ name, found }) => [name, new CorruptionError(found)] as const)
  return new Map([...noted, ...damaged])
}

/**
 * Writes into the index which layers are damaged, so that it is known after a restart. `whole`: a layer that was looked at
 * and is not, whatever was noted.
 */
export async function noteDamage(context: StorageContext, target: UpkeepTarget, whole?: string): Promise<void> {
  const { damaged } = context.columnarSegments
  if (planNotes(target.index, damaged, whole) === undefined) return
  await target.publish((index) => {
    const damagedLayers = planNotes(index, damaged, whole)
    return damagedLayers && { fields: { damagedLayers } }
  })
}

/** Undefined: as the index says. */
function planNotes(
  index: TimelineIndex,
  damaged: DamagedLayers,
  whole: string | undefined,
): readonly DamagedLayer[] | undefined {
  if (index.damagedLayers.length === 0 && damaged.size === 0) return undefined
  const kept = index.damagedLayers.filter(({ name }) => name !== whole)
  const noted = new Set(kept.map(({ name }) => name))
  const added = index.layers.flatMap(({ name }) => {
    const error = damaged.get(name)
    return error && !noted.has(name) ? [{ name, found: errorText(error).slice(0, FOUND_LENGTH_MAX) }] : []
  })
  return added.length === 0 && kept.length === index.damagedLayers.length ? undefined : [...kept, ...added]
}
