import { type Axis, type Lane, type Mark, type MarkKind, markPosition } from './timeline-model.ts'
import { toPx, type View } from './timeline-scale.ts'

/** Marks nearer to each other than this are drawn as one, with their number. */
const clusterPx = 13

export interface MarkGroup {
  readonly px: number
  /** In order; one in most groups. */
  readonly marks: readonly Mark[]
  /** The most telling kind of the group. */
  readonly kind: MarkKind
}

/** What a reader looks for first comes first. */
const rank: Record<MarkKind, number> = {
  FAILOVER: 0,
  RESTORE: 1,
  SNAPSHOT: 2,
  BRANCH_POINT: 3,
  DDL: 4,
  LARGE_TRANSACTION: 5,
  COMPUTE_START: 6,
  CHECKPOINT: 7,
}

/** The marks of one lane that are in sight, those that would overlap joined. Cost: the marks in sight. */
export function groupMarks(
  lane: Lane,
  view: View,
  widthPx: number,
  axis: Axis,
  isShown: (kind: MarkKind) => boolean,
): MarkGroup[] {
  const groups: MarkGroup[] = []
  let open: Mark[] = []
  let openPx = 0
  const close = () => {
    const [first] = open
    if (!first) return
    const kind = open.reduce((best, mark) => (rank[mark.kind] < rank[best] ? mark.kind : best), first.kind)
    groups.push({ px: openPx, marks: open, kind })
    open = []
  }
  for (let index = firstInSight(lane, view, axis); index < lane.marks.length; index++) {
    const mark = lane.marks[index]
    if (!mark) break
    const position = markPosition(lane, mark, axis)
    if (position > view.to) break
    if (!isShown(mark.kind)) continue
    const px = toPx(view, widthPx, position)
    if (open.length > 0 && px - openPx >= clusterPx) close()
    if (open.length === 0) openPx = px
    open.push(mark)
  }
  close()
  return groups
}

/** Binary search: positions grow with the LSN on both axes. */
function firstInSight(lane: Lane, view: View, axis: Axis): number {
  let low = 0
  let high = lane.marks.length
  while (low < high) {
    const middle = (low + high) >> 1
    const mark = lane.marks[middle]
    if (mark && markPosition(lane, mark, axis) < view.from) low = middle + 1
    else high = middle
  }
  return low
}
