import type { ComputeActivity } from '../admin/compute-driver.ts'
import type { Clock } from '../io/clock.ts'
import type { Network } from '../io/network.ts'
import { connectPostgres } from './postgres-connection.ts'

/** What Postgres itself says; the compute adds how far its WAL has come. */
export type PostgresActivity = Pick<
  ComputeActivity,
  | 'sampledAt'
  | 'connections'
  | 'activeConnections'
  | 'lastActivityAt'
  | 'commits'
  | 'rollbacks'
  | 'blocksHit'
  | 'blocksRead'
>

/** A sample this old is taken anew. */
const SAMPLE_AGE_MS_MAX = 1000
const TIMEOUT_MS = 5000

/**
 * Sessions of clients: the system's own say so in their application_name. A session leaves a trace when it is over: the
 * counter of sessions, which is taken without the database that this query connects to.
 */
const QUERY = `
SELECT (SELECT count(*) FROM clients),
  (SELECT count(*) FROM clients WHERE state <> 'idle'),
  (SELECT (extract(epoch FROM max(greatest(backend_start, state_change, query_start))) * 1000)::bigint FROM clients),
  sum(xact_commit), sum(xact_rollback), sum(blks_hit), sum(blks_read),
  coalesce(sum(sessions) FILTER (WHERE datname <> 'postgres'), 0)
FROM pg_stat_database`
const CLIENTS = `WITH clients AS MATERIALIZED (SELECT * FROM pg_stat_activity
  WHERE backend_type = 'client backend' AND application_name NOT LIKE 'tributary%')`

/** Samples what clients do, at most once a second however often it is asked, over a connection of its own each time. */
export class ActivitySampler {
  readonly #env: { readonly clock: Clock; readonly network: Network }
  readonly #socketPath: string
  #sampling: Promise<PostgresActivity> | undefined
  #last: { readonly activity: PostgresActivity; readonly ms: number } | undefined
  #sessionCount: number | undefined
  #lastActivityMs: number | undefined

  constructor(env: { readonly clock: Clock; readonly network: Network }, socketPath: string) {
    this.#env = env
    this.#socketPath = socketPath
  }

  /** Rejects with `unavailable` when Postgres does not answer. */
  sample(): Promise<PostgresActivity> {
    const last = this.#last
    if (last && this.#env.clock.monotonicMs() - last.ms < SAMPLE_AGE_MS_MAX) return Promise.resolve(last.activity)
    this.#sampling ??= this.#take().finally(() => {
      this.#sampling = undefined
    })
    return this.#sampling
  }

  async #take(): Promise<PostgresActivity> {
    const { clock, network } = this.#env
    const connection = await connectPostgres(
      network,
      { socketPath: this.#socketPath },
      { user: 'postgres', database: 'postgres', applicationName: 'tributary_sidecar' },
      { timeoutMs: TIMEOUT_MS },
    )
    try {
      const [row = []] = await connection.query(`${CLIENTS}${QUERY}`)
      const [connections = 0, active = 0, newestMs = 0, commits = 0, rollbacks = 0, hit = 0, read = 0, sessions = 0] =
        row.map((text) => Number(text ?? 0))
      const nowMs = clock.nowMs()
      const hasNewSessions = this.#sessionCount !== undefined && sessions > this.#sessionCount
      this.#sessionCount = sessions
      const candidates = [this.#lastActivityMs ?? 0, newestMs, hasNewSessions || active > 0 ? nowMs : 0]
      const lastActivityMs = Math.max(...candidates)
      if (lastActivityMs > 0) this.#lastActivityMs = lastActivityMs
      const activity: PostgresActivity = {
        sampledAt: new Date(nowMs).toISOString(),
        connections,
        activeConnections: active,
        lastActivityAt: lastActivityMs > 0 ? new Date(lastActivityMs).toISOString() : null,
        commits,
        rollbacks,
        blocksHit: hit,
        blocksRead: read,
      }
      this.#last = { activity, ms: clock.monotonicMs() }
      return activity
    } finally {
      connection.close()
    }
  }
}
