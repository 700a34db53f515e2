import { callBytes, callJson } from '../io/http-client.ts'
import type { ProjectId, TimelineId } from '../postgres/ids.ts'

/** Beyond the query's own time limit: queueing, and the way there and back. */
const CALL_MARGIN_MS = 30_000
const CALL_TIMEOUT_MS = 10_000
const DEFAULT_TIMEOUT_MS = 60_000

/**
 * SQL over one branch at one moment, answered from columns and pages with no Postgres (docs/analytics.md). Served by the query
 * worker (main/query-worker.ts). Failures are StorageError: `invalid-input` (the statement; the message carries position and
 * hint), `not-found` (project, timeline, database, table, or a moment older than the history kept), `exhausted` (queue,
 * memory, rows or time limit), `aborted` (cancelled), `unavailable`, `corruption`, `unsupported`.
 */
export interface QueryClient {
  run(request: QueryRequest, signal?: AbortSignal): Promise<QueryResult>
  /** The whole result as a file: CSV with a header line, or Parquet. Row limits do not apply; `exportBytesMax` does. */
  export(request: QueryRequest & { readonly format: QueryExportFormat }, signal?: AbortSignal): Promise<Uint8Array>
  /** Waits for nothing; cancelling a query that is not there is no error. */
  cancel(queryId: string): Promise<void>
  /** Queries that wait or run. */
  list(): Promise<RunningQuery[]>
}

export type QueryExportFormat = 'csv' | 'parquet'

export interface QueryRequest {
  /** Chosen by the caller to cancel by; 1 to 64 letters, digits, - and _. One is made when absent. */
  readonly queryId?: string
  readonly projectId: ProjectId
  readonly timelineId: TimelineId
  /** Default: postgres. */
  readonly database?: string
  /** One SELECT (or WITH, VALUES, FROM …), or EXPLAIN [ANALYZE] of one. */
  readonly sql: string
  /** Default: the tip, everything committed when the query arrived. */
  readonly at?: QueryMoment
  /** What names in AT (BRANCH => 'name') mean. A timeline id is understood without being listed. */
  readonly branches?: Readonly<Record<string, TimelineId>>
  readonly limits?: QueryLimits
}

/** A time means the last commit at or before it, ISO 8601. */
export type QueryMoment = { readonly lsn: string } | { readonly time: string }

export interface QueryLimits {
  /** Rows of the answer, 1 to 100,000; default 1,000. More are cut off: `isTruncated`. */
  readonly rowsMax?: number
  /** From the end of queueing; default 60,000, at most what the worker is configured for. */
  readonly timeoutMs?: number
  /** Of the engine for this query; default and maximum: what the worker is configured for. */
  readonly memoryMb?: number
}

export interface QueryResult {
  readonly queryId: string
  readonly columns: readonly QueryColumn[]
  /** By position of the columns. */
  readonly rows: readonly (readonly QueryValue[])[]
  readonly rowCount: number
  /** More rows than the limit: the rest was not read. */
  readonly isTruncated: boolean
  /** What a reader of the answer should know, such as a column shown as text. */
  readonly notes: readonly string[]
  readonly receipt: FreshnessReceipt
}

export interface QueryColumn {
  readonly name: string
  /** As Postgres names it: integer, numeric(15,2), timestamp with time zone, text[], … */
  readonly type: string
}

/**
 * smallint, integer, real and double precision are numbers, boolean a boolean, arrays arrays; everything else is Postgres's
 * text (bigint and numeric too, as JSON numbers do not hold them). NaN and the infinities are texts.
 */
export type QueryValue = null | boolean | number | string | readonly QueryValue[]

export interface FreshnessReceipt {
  readonly projectId: ProjectId
  readonly timelineId: TimelineId
  readonly database: string
  readonly lsn: string
  /** Of the last commit at or before the LSN; ISO 8601. */
  readonly commitTime: string | null
  /** WAL that was committed when the query arrived and is not in the answer. 0 unless `at` named an earlier moment. */
  readonly lagBytes: number
  readonly layersRead: number
  /** Row versions in the layers that were read, and visible rows decoded from pages; before any WHERE. */
  readonly columnRows: number
  readonly freshRows: number
  /** Blocks read as pages: those changed since their layer, or not in one. */
  readonly dirtyBlocks: number
  readonly tables: readonly TableReceipt[]
  readonly milliseconds: StepTimes
}

/** One relation at one moment. */
export interface TableReceipt {
  readonly name: string
  readonly timelineId: TimelineId
  readonly lsn: string
  readonly blocks: number
  readonly dirtyBlocks: number
  /** Of the dirty blocks, those whose rows an earlier query had decoded. */
  readonly reusedBlocks: number
  readonly layers: number
  readonly columnRows: number
  readonly freshRows: number
}

export interface StepTimes {
  readonly queue: number
  /** Moments to LSNs. */
  readonly resolve: number
  readonly catalog: number
  /** Layers and dirty blocks, and layers fetched. */
  readonly plan: number
  readonly fresh: number
  readonly execute: number
  readonly total: number
}

export interface RunningQuery {
  readonly queryId: string
  readonly projectId: ProjectId
  readonly timelineId: TimelineId
  readonly sql: string
  readonly state: 'queued' | 'running'
  readonly ageMs: number
}

export function openQueryClient(options: { readonly url: string; readonly token?: string }): QueryClient {
  const base = options.url.replace(/\/$/, '')
  const token = options.token === undefined ? {} : { token: options.token }
  const optionsOf = (request: QueryRequest, signal?: AbortSignal) => ({
    body: request,
    timeoutMs: (request.limits?.timeoutMs ?? DEFAULT_TIMEOUT_MS) + CALL_MARGIN_MS,
    ...token,
    ...(signal ? { signal } : {}),
  })
  // The replies are made by the server of the same version from values of these types.
  return {
    async run(request, signal) {
      return (await callJson(`${base}/query`, optionsOf(request, signal))) as QueryResult
    },
    export(request, signal) {
      return callBytes(`${base}/query/export`, optionsOf(request, signal))
    },
    async cancel(queryId) {
      const url = `${base}/queries/${encodeURIComponent(queryId)}`
      await callJson(url, { method: 'DELETE', timeoutMs: CALL_TIMEOUT_MS, ...token })
    },
    async list() {
      return (await callJson(`${base}/queries`, { timeoutMs: CALL_TIMEOUT_MS, ...token })) as RunningQuery[]
    },
  }
}
