import type { App } from '../../app.ts'
import type { Project } from '../../generated/prisma/client.ts'
import { periodStart } from '../project/quota.ts'

export type UsageMetric =
  | 'TPS'
  | 'COMMIT_LATENCY_P50_MS'
  | 'COMMIT_LATENCY_P99_MS'
  | 'CACHE_HIT_RATIO'
  | 'PAGE_READS'
  | 'LSN_LAG_BYTES'
  | 'CONNECTIONS'
  | 'COMPUTE_SECONDS'
  | 'STORAGE_BYTES'
  | 'OBJECT_BYTES'
  | 'WRITTEN_BYTES'

export interface UsageSeries {
  readonly metric: UsageMetric
  readonly unit: string
  readonly points: { readonly time: Date; readonly value: number | null }[]
  readonly idle: { readonly from: Date; readonly to: Date }[]
}

export interface UsageSummary {
  readonly branches: number
  readonly storageBytes: bigint
  readonly computeSeconds: number
  readonly writtenBytes: bigint
  readonly from: Date
  readonly to: Date
}

const POINTS_MAX = 1000
const HOUR_MS = 3600_000

/** SQL of one value for a bucket of samples. A series that needs every endpoint at one moment sums the means of each. */
const metrics: Readonly<Record<UsageMetric, { unit: string; sql: string; table: 'UsageSample' | 'StorageSample' }>> = {
  TPS: {
    unit: '1/s',
    sql: 'sum(commits + rollbacks)::float8 / nullif(max(width), 0)',
    table: 'UsageSample',
  },
  COMMIT_LATENCY_P50_MS: {
    unit: 'ms',
    sql: 'percentile_cont(0.5) WITHIN GROUP (ORDER BY "commitProbeMs")',
    table: 'UsageSample',
  },
  COMMIT_LATENCY_P99_MS: {
    unit: 'ms',
    sql: 'percentile_cont(0.99) WITHIN GROUP (ORDER BY "commitProbeMs")',
    table: 'UsageSample',
  },
  CACHE_HIT_RATIO: {
    unit: '1',
    sql: 'sum("blocksHit")::float8 / nullif(sum("blocksHit") + sum("blocksRead"), 0)::float8',
    table: 'UsageSample',
  },
  PAGE_READS: { unit: '1/s', sql: 'sum("blocksRead")::float8 / nullif(max(width), 0)', table: 'UsageSample' },
  LSN_LAG_BYTES: { unit: 'B', sql: 'max("lagBytes")::float8', table: 'UsageSample' },
  CONNECTIONS: { unit: '1', sql: 'max(connections)::float8', table: 'UsageSample' },
  COMPUTE_SECONDS: { unit: 's', sql: 'sum("computeSeconds")', table: 'UsageSample' },
  STORAGE_BYTES: { unit: 'B', sql: 'max("logicalSizeBytes")::float8', table: 'StorageSample' },
  OBJECT_BYTES: { unit: 'B', sql: 'max("objectSizeBytes")::float8', table: 'StorageSample' },
  WRITTEN_BYTES: { unit: 'B', sql: 'sum("writtenBytes")::float8', table: 'UsageSample' },
}

export class UsageService {
  readonly #app: App

  constructor(app: App) {
    this.#app = app
  }

  /** Of projects the caller may see: this billing period's totals. One query for all. */
  async summaries(projects: readonly Project[]): Promise<UsageSummary[]> {
    const ids = projects.map(({ id }) => id)
    const from = periodStart(new Date())
    const [counts, totals] = await Promise.all([
      this.#app.database.branch.groupBy({ by: ['projectId'], where: { projectId: { in: ids } }, _count: true }),
      this.#app.database.usageTotal.findMany({ where: { projectId: { in: ids }, periodStart: from } }),
    ])
    return projects.map((project) => {
      const total = totals.find(({ projectId }) => projectId === project.id)
      return {
        branches: counts.find(({ projectId }) => projectId === project.id)?._count ?? 0,
        storageBytes: project.logicalSizeBytes,
        computeSeconds: total?.computeSeconds ?? 0,
        writtenBytes: total?.writtenBytes ?? 0n,
        from,
        to: new Date(),
      }
    })
  }

  async ofOrganization(organizationId: string, from: Date | null, to: Date | null): Promise<UsageSummary> {
    const [sums] = await this.#app.database.$queryRaw<
      { compute: number | null; written: bigint | null }[]
    >`SELECT sum("computeSeconds") AS compute, sum("writtenBytes")::bigint AS written FROM "UsageTotal"
       WHERE "projectId" IN (SELECT id FROM "Project" WHERE "organizationId" = ${organizationId})
         AND "periodStart" >= ${from ?? periodStart(new Date())} AND "periodStart" <= ${to ?? new Date()}`
    const [branches, storage] = await Promise.all([
      this.#app.database.branch.count({ where: { project: { organizationId, deletedAt: null } } }),
      this.#app.database.project.aggregate({
        where: { organizationId, deletedAt: null },
        _sum: { logicalSizeBytes: true },
      }),
    ])
    return {
      branches,
      storageBytes: storage._sum.logicalSizeBytes ?? 0n,
      computeSeconds: sums?.compute ?? 0,
      writtenBytes: sums?.written ?? 0n,
      from: from ?? periodStart(new Date()),
      to: to ?? new Date(),
    }
  }

  /** The last hour by default. Buckets without a sample are null; `idle` joins those in which no compute ran. */
  async series(
    projectId: string,
    metric: UsageMetric,
    range: { from: Date | null; to: Date | null; points: number },
  ): Promise<UsageSeries> {
    const to = range.to ?? new Date()
    const from = range.from ?? new Date(to.getTime() - HOUR_MS)
    const points = Math.min(Math.max(Math.trunc(range.points), 1), POINTS_MAX)
    const widthSeconds = Math.max((to.getTime() - from.getTime()) / 1000 / points, 0.001)
    const { unit, sql, table } = metrics[metric]
    const rows = await this.#app.database.$queryRawUnsafe<{ bucket: number; value: number | null }[]>(
      `SELECT floor(extract(epoch FROM at - $2::timestamptz) / $4::float8)::int AS bucket, (${sql})::float8 AS value
         FROM (SELECT *, $4::float8 AS width FROM "${table}" WHERE "projectId" = $1 AND at >= $2 AND at < $3) AS samples
        GROUP BY 1 ORDER BY 1`,
      projectId,
      from,
      to,
      widthSeconds,
    )
    const values = new Map(rows.map(({ bucket, value }) => [Number(bucket), value]))
    const timeOf = (bucket: number) => new Date(from.getTime() + bucket * widthSeconds * 1000)
    const series = Array.from({ length: points }, (_, bucket) => ({
      time: timeOf(bucket),
      value: values.get(bucket) ?? null,
    }))
    return { metric, unit, points: series, idle: table === 'UsageSample' ? idleSpans(values, points, timeOf) : [] }
  }
}

/** Stretches of buckets without samples: no compute ran. */
function idleSpans(
  values: ReadonlyMap<number, unknown>,
  points: number,
  timeOf: (bucket: number) => Date,
): { from: Date; to: Date }[] {
  const spans: { from: Date; to: Date }[] = []
  let start: number | null = null
  for (let bucket = 0; bucket <= points; bucket++) {
    const isIdle = bucket < points && !values.has(bucket)
    if (isIdle) start ??= bucket
    else if (start !== null) {
      // One missing sample is jitter.
      if (bucket - start > 1) spans.push({ from: timeOf(start), to: timeOf(bucket) })
      start = null
    }
  }
  return spans
}
