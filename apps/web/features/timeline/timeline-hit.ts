import type { MarkGroup } from './timeline-marks.ts'
import { type Axis, type Lane, markPosition } from './timeline-model.ts'
import { axisHeightPx, laneHeightPx } from './timeline-painter.ts'
import { fromPx } from './timeline-scale.ts'
import { type Sight, type Tile, tileOffsetPx } from './timeline-tile.ts'

/** What a pointer or the keyboard is at. */
export interface HitTarget {
  readonly laneIndex: number
  readonly position: number
  readonly group: MarkGroup | undefined
}

export interface HitScene {
  readonly lanes: readonly Lane[]
  readonly axis: Axis
  readonly sight: Sight
  readonly tile: Tile
  readonly groupsOf: (laneIndex: number) => readonly MarkGroup[]
}

const markReachPx = 9
const laneSlackPx = 6

/**
 * What is at `x` pixels of the plot in sight and `y` pixels of the plane. A mark wins over the lane it is on; outside of a lane's
 * life there is nothing to pick.
 */
export function hitTest({ lanes, axis, sight, tile, groupsOf }: HitScene, x: number, y: number): HitTarget | undefined {
  const laneIndex = Math.floor((y - axisHeightPx) / laneHeightPx)
  const lane = lanes[laneIndex]
  if (!lane || x < 0 || y < sight.topPx + axisHeightPx) return undefined
  const group = nearestGroup(groupsOf(laneIndex), x - tileOffsetPx(tile, sight))
  const [mark] = group?.marks ?? []
  if (group && mark) return { laneIndex, position: markPosition(lane, mark, axis), group }
  const position = fromPx(sight.view, sight.plotPx, x)
  const slack = ((sight.view.to - sight.view.from) / sight.plotPx) * laneSlackPx
  if (position < lane.start[axis] - slack || position > lane.tip[axis] + slack) return undefined
  return {
    laneIndex,
    position: Math.min(Math.max(position, lane.start[axis]), lane.tip[axis]),
    group: undefined,
  }
}

function nearestGroup(groups: readonly MarkGroup[], px: number): MarkGroup | undefined {
  let best: MarkGroup | undefined
  for (const group of groups) {
    const distance = Math.abs(group.px - px)
    if (distance <= markReachPx && (!best || distance < Math.abs(best.px - px))) best = group
  }
  return best
}
