import { parseLsn } from '@/lib/lsn.ts'

/**
 * Branches as lanes on one axis. Positions on the LSN axis are bytes of WAL, on the time axis milliseconds since 1970; both
 * are plain numbers (WAL positions below 2^53 bytes, 8 PiB, are exact).
 */
export type Axis = 'lsn' | 'time'

export type MarkKind =
  | 'DDL'
  | 'LARGE_TRANSACTION'
  | 'CHECKPOINT'
  | 'COMPUTE_START'
  | 'FAILOVER'
  | 'BRANCH_POINT'
  | 'SNAPSHOT'
  | 'RESTORE'

export interface Mark {
  readonly kind: MarkKind
  readonly lsn: string
  /** Milliseconds since 1970; undefined when no commit tells it. */
  readonly timeMs: number | undefined
  readonly lsnBytes: number
  readonly summary: string
  readonly sizeBytes: number | undefined
  readonly relatedId: string | undefined
}

export interface Lane {
  readonly branchId: string
  readonly name: string
  readonly state: string
  readonly isDefault: boolean
  readonly isProtected: boolean
  readonly isLive: boolean
  /** Index of the lane it left, or -1 for a root. */
  readonly parentIndex: number
  readonly depth: number
  readonly start: Position
  readonly tip: Position
  readonly tipLsn: string
  /** In order of LSN. */
  readonly marks: readonly Mark[]
}

export interface Position {
  readonly lsn: number
  readonly time: number
}

/** What the API answers; see timeline.graphql. */
export interface LaneInput {
  startLsn: string
  tipLsn: string
  startTime?: string | null
  tipTime?: string | null
  parentBranchId?: string | null
  branch: {
    id: string
    name: string
    state: string
    isDefault: boolean
    isProtected: boolean
    tip: { lsn: string; commitTime?: string | null }
    endpoints: readonly { state: string }[]
  }
  events: readonly {
    kind: string
    lsn: string
    time?: string | null
    summary: string
    sizeBytes?: string | null
    relatedId?: string | null
  }[]
}

/**
 * Lanes in drawing order: each branch stands below the one it left, and among the children of one branch the youngest comes
 * first, so that no connection crosses a lane that started earlier.
 */
export function layoutLanes(inputs: readonly LaneInput[]): Lane[] {
  const children = new Map<string | undefined, LaneInput[]>()
  const known = new Set(inputs.map((input) => input.branch.id))
  for (const input of inputs) {
    const parent = input.parentBranchId && known.has(input.parentBranchId) ? input.parentBranchId : undefined
    const siblings = children.get(parent)
    if (siblings) siblings.push(input)
    else children.set(parent, [input])
  }
  const lanes: Lane[] = []
  const stack: { input: LaneInput; parentIndex: number; depth: number }[] = []
  const push = (parent: string | undefined, parentIndex: number, depth: number) => {
    const group = (children.get(parent) ?? []).toSorted(
      (left, right) =>
        lsnNumber(left.startLsn) - lsnNumber(right.startLsn) || left.branch.name.localeCompare(right.branch.name),
    )
    // The last pushed is drawn first: the youngest child.
    for (const input of parent === undefined ? group.toReversed() : group) stack.push({ input, parentIndex, depth })
  }
  push(undefined, -1, 0)
  for (let next = stack.pop(); next; next = stack.pop()) {
    const index = lanes.length
    lanes.push(toLane(next.input, next.parentIndex, next.depth))
    push(next.input.branch.id, index, next.depth + 1)
  }
  return lanes
}

function toLane(input: LaneInput, parentIndex: number, depth: number): Lane {
  const { branch } = input
  const startLsn = lsnNumber(input.startLsn)
  // The live tip of the branch is newer than the lane that came with the last full answer.
  const isBranchNewer = lsnNumber(branch.tip.lsn) > lsnNumber(input.tipLsn)
  const tipLsn = isBranchNewer ? branch.tip.lsn : input.tipLsn
  const tipTime = timeMs(isBranchNewer ? branch.tip.commitTime : input.tipTime)
  const startTime = timeMs(input.startTime) ?? tipTime ?? 0
  return {
    branchId: branch.id,
    name: branch.name,
    state: branch.state,
    isDefault: branch.isDefault,
    isProtected: branch.isProtected,
    isLive: branch.endpoints.some((endpoint) => endpoint.state === 'ACTIVE'),
    parentIndex,
    depth,
    start: { lsn: startLsn, time: startTime },
    tip: { lsn: Math.max(lsnNumber(tipLsn), startLsn), time: Math.max(tipTime ?? startTime, startTime) },
    tipLsn,
    marks: input.events
      .map((event) => ({
        kind: event.kind as MarkKind,
        lsn: event.lsn,
        lsnBytes: lsnNumber(event.lsn),
        timeMs: timeMs(event.time),
        summary: event.summary,
        sizeBytes: event.sizeBytes ? Number(event.sizeBytes) : undefined,
        relatedId: event.relatedId ?? undefined,
      }))
      .toSorted((left, right) => left.lsnBytes - right.lsnBytes),
  }
}

export function lsnNumber(lsn: string): number {
  return Number(parseLsn(lsn) ?? 0n)
}

function timeMs(time: string | null | undefined): number | undefined {
  const ms = time ? Date.parse(time) : Number.NaN
  return Number.isFinite(ms) ? ms : undefined
}

/** Where a mark stands on the axis; a mark without a commit time lies between its lane's start and tip, by LSN. */
export function markPosition(lane: Lane, mark: Mark, axis: Axis): number {
  if (axis === 'lsn') return mark.lsnBytes
  if (mark.timeMs !== undefined) return mark.timeMs
  const span = lane.tip.lsn - lane.start.lsn
  const share = span <= 0 ? 0 : Math.min(1, Math.max(0, (mark.lsnBytes - lane.start.lsn) / span))
  return lane.start.time + share * (lane.tip.time - lane.start.time)
}

/** From the first start to the last tip, never empty. */
export function extentOf(lanes: readonly Lane[], axis: Axis): { from: number; to: number } {
  let from = Number.POSITIVE_INFINITY
  let to = Number.NEGATIVE_INFINITY
  for (const lane of lanes) {
    from = Math.min(from, lane.start[axis])
    to = Math.max(to, lane.tip[axis])
  }
  if (!Number.isFinite(from)) return { from: 0, to: 1 }
  return to > from ? { from, to } : { from, to: from + 1 }
}
