import type { ProjectTimelineQuery } from '../../apps/web/gql/graphql.ts'

type Timeline = NonNullable<NonNullable<ProjectTimelineQuery['project']>['timeline']>

const kinds = ['DDL', 'LARGE_TRANSACTION', 'SNAPSHOT', 'FAILOVER', 'COMPUTE_START', 'BRANCH_POINT'] as const
const startMs = Date.UTC(2026, 0, 1)
const minuteMs = 60_000
const bytesPerMinute = 1 << 20

/** A tree of branches as the API would describe it: each leaves an earlier one, lives on, and has marks spread over its life. */
export function manyBranches(branchCount: number, markCount: number): Timeline {
  const random = generator(20_260_101)
  const marksEach = Math.ceil(markCount / branchCount)
  let marksLeft = markCount
  const lastMinute = branchCount * 2
  const starts: number[] = []
  const lanes = Array.from({ length: branchCount }, (_, index) => {
    const parent = index === 0 ? undefined : Math.floor(random() * index * 0.5)
    const start = parent === undefined ? 0 : (starts[parent] ?? 0) + 1 + random() * index
    starts.push(start)
    const tip = start + 30 + random() * (lastMinute - Math.min(start, lastMinute - 1))
    const marks = Math.min(marksLeft, marksEach)
    marksLeft -= marks
    return {
      startLsn: lsnAt(start),
      tipLsn: lsnAt(tip),
      startTime: timeAt(start),
      tipTime: timeAt(tip),
      parentBranchId: parent === undefined ? null : `br-${parent}`,
      parentLsn: parent === undefined ? null : lsnAt(start),
      branch: {
        id: `br-${index}`,
        name: index === 0 ? 'main' : `branch-${index}`,
        state: 'READY' as const,
        isDefault: index === 0,
        isProtected: false,
        tip: { lsn: lsnAt(tip), commitTime: timeAt(tip) },
        endpoints: index % 10 === 0 ? [{ id: `ep-${index}`, state: 'ACTIVE' as const }] : [],
      },
      events: Array.from({ length: marks }, (_, place) => {
        const at = start + ((tip - start) * (place + random())) / marks
        return {
          kind: kinds[Math.floor(random() * kinds.length)] ?? 'DDL',
          lsn: lsnAt(at),
          time: timeAt(at),
          summary: `event ${place} of branch ${index}`,
          sizeBytes: null,
          relatedId: null,
        }
      }),
    }
  })
  const end = Math.max(...lanes.map((lane) => Date.parse(lane.tipTime)))
  return {
    fromLsn: lsnAt(0),
    toLsn: lsnAt((end - startMs) / minuteMs),
    fromTime: timeAt(0),
    toTime: new Date(end).toISOString(),
    lanes,
  } as Timeline
}

function timeAt(minute: number): string {
  return new Date(startMs + minute * minuteMs).toISOString()
}

function lsnAt(minute: number): string {
  const lsn = BigInt(0x1000000 + Math.round(minute * bytesPerMinute))
  return `${(lsn >> 32n).toString(16).toUpperCase()}/${(lsn & 0xffff_ffffn).toString(16).toUpperCase()}`
}

/** The same tree each time: a small multiplicative generator with a fixed seed. */
function generator(seed: number): () => number {
  let state = seed % 2_147_483_647
  return () => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647
  }
}
