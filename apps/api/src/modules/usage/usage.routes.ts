import { z } from 'zod'
import { timeOf } from '../../http/rest/rest-lookup.ts'
import { type RestRoute, restRoute } from '../../http/rest/rest-route.ts'
import { pageRequest } from '../../shared/pagination.ts'
import { FailureError, invalid, notFound } from '../../shared/result.ts'
import { asUuid } from '../organization/uuid-view.ts'
import { periodStart } from '../project/quota.ts'

const POINTS_MAX = 1000

const hours = { hourly: 1, daily: 24 } as const

/** "a,b" and repeated parameters alike. */
const idList = z
  .union([z.string(), z.array(z.string())])
  .transform((given) =>
    [given]
      .flat()
      .flatMap((text) => text.split(','))
      .filter((id) => id !== ''),
  )
  .optional()

export const usageRoutes: readonly RestRoute[] = [
  restRoute({
    method: 'GET',
    path: '/consumption_history/projects',
    operationId: 'getConsumptionHistoryPerProject',
    summary: 'Compute seconds, written bytes and stored bytes of projects over time',
    query: z.object({
      cursor: z.string().optional(),
      limit: z.coerce.number().int().min(1).max(100).optional(),
      project_ids: idList,
      from: z.string(),
      to: z.string(),
      granularity: z.enum(['hourly', 'daily'], 'must be hourly or daily'),
      org_id: z.string().optional(),
      include_v1_metrics: z.stringbool().optional(),
      metrics: z.union([z.string(), z.array(z.string())]).optional(),
    }),
    returns: ['projects', 'pagination'],
    async handle(call) {
      const { query, services, actor } = call
      const widthMs = hours[query.granularity] * 3600_000
      const align = (time: Date, up: boolean) =>
        new Date((up ? Math.ceil(time.getTime() / widthMs) : Math.floor(time.getTime() / widthMs)) * widthMs)
      const from = align(timeOf('from', query.from), false)
      const to = align(timeOf('to', query.to), true)
      const points = Math.round((to.getTime() - from.getTime()) / widthMs)
      if (points < 1) throw new FailureError(invalid('to', 'must lie after from').error)
      if (points > POINTS_MAX) throw new FailureError(invalid('from', `more than ${POINTS_MAX} periods`).error)
      if (query.org_id !== undefined && actor.roles.get(query.org_id) === undefined)
        throw new FailureError(notFound('organization').error)
      const page = await services.projects.list(
        actor,
        { organizationId: query.org_id ?? null },
        pageRequest(query.limit, query.cursor, 10),
      )
      const wanted = page.nodes.filter(({ id }) => query.project_ids === undefined || query.project_ids.includes(id))
      const range = { from, to, points }
      const projects = await Promise.all(
        wanted.map(async ({ id }) => {
          const [compute, written, stored] = await Promise.all([
            services.usage.series(id, 'COMPUTE_SECONDS', range),
            services.usage.series(id, 'WRITTEN_BYTES', range),
            services.usage.series(id, 'STORAGE_BYTES', range),
          ])
          const at = (series: typeof compute, i: number) => Math.max(0, Math.round(series.points[i]?.value ?? 0))
          return {
            project_id: id,
            periods: [
              {
                period_id: asUuid(`${id} ${periodStart(from).toISOString()}`),
                period_plan: 'self-hosted',
                period_start: periodStart(from).toISOString(),
                consumption: Array.from({ length: points }, (_, i) => ({
                  timeframe_start: new Date(from.getTime() + i * widthMs).toISOString(),
                  timeframe_end: new Date(from.getTime() + (i + 1) * widthMs).toISOString(),
                  active_time_seconds: at(compute, i),
                  compute_time_seconds: at(compute, i),
                  written_data_bytes: at(written, i),
                  synthetic_storage_size_bytes: at(stored, i),
                })),
              },
            ],
          }
        }),
      )
      const last = page.nodes.at(-1)
      return {
        projects,
        ...(last && page.hasNextPage ? { pagination: { cursor: page.cursorOf(last) } } : {}),
      }
    },
  }),
]
