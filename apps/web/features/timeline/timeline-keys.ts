import type { HitTarget } from './timeline-hit.ts'
import { type Axis, type Lane, type MarkKind, markPosition } from './timeline-model.ts'

const zoomStep = 1.5

export interface KeyTarget {
  lanes: readonly Lane[]
  axis: Axis
  current: HitTarget | undefined
  isShown(kind: MarkKind): boolean
  show(target: HitTarget): void
  pick(): void
  zoom(factor: number): void
  fit(): void
}

/** Answers whether the key means something here. */
export function handleKey(key: string, target: KeyTarget): boolean {
  switch (key) {
    case 'ArrowUp':
    case 'ArrowDown': {
      const from = target.current?.laneIndex ?? (key === 'ArrowDown' ? -1 : 1)
      const laneIndex = Math.min(target.lanes.length - 1, Math.max(0, from + (key === 'ArrowDown' ? 1 : -1)))
      const lane = target.lanes[laneIndex]
      if (lane) target.show({ laneIndex, position: lane.tip[target.axis], group: undefined })
      return true
    }
    case 'ArrowLeft':
    case 'ArrowRight':
      stepMark(target, key === 'ArrowRight')
      return true
    case 'Enter':
      target.pick()
      return target.current !== undefined
    case '+':
    case '=':
      target.zoom(1 / zoomStep)
      return true
    case '-':
      target.zoom(zoomStep)
      return true
    case '0':
      target.fit()
      return true
    default:
      return false
  }
}

/** The next or previous mark of the lane, from the place the reader is at. */
function stepMark(target: KeyTarget, isForward: boolean): void {
  const laneIndex = target.current?.laneIndex ?? 0
  const lane = target.lanes[laneIndex]
  if (!lane) return
  const marks = lane.marks.filter((mark) => target.isShown(mark.kind))
  const at = target.current?.position ?? lane.tip[target.axis]
  const position = (mark: (typeof marks)[number]) => markPosition(lane, mark, target.axis)
  const mark = isForward
    ? marks.find((each) => position(each) > at)
    : marks.toReversed().find((each) => position(each) < at)
  if (!mark) return
  const place = position(mark)
  target.show({ laneIndex, position: place, group: { px: 0, marks: [mark], kind: mark.kind } })
}
