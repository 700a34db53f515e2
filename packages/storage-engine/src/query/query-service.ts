/** Admits, queues, bounds and cancels queries. */
import type { QueryRequest, QueryResult, RunningQuery } from '../admin/query-client.ts'
import { isStorageError, StorageError } from '../base/errors.ts'
import type { Env } from '../io/env.ts'
import { hexId } from '../postgres/ids.ts'
import { isLayerGone } from './layer-visibility.ts'
import { type QueryContext, type QueryOutcome, runQuery } from './query-run.ts'

const ROWS_DEFAULT = 1000
export const ROWS_MAX = 100_000
/** A layer that was replaced while the query was planned: planned anew so often. */
const ATTEMPTS_MAX = 3

export interface QueryServiceOptions {
  readonly env: Pick<Env, 'clock' | 'disk' | 'log' | 'metrics' | 'random'>
  readonly context: QueryContext
  /** Each query has a folder below it. */
  readonly directory: string
  readonly concurrentQueries: number
  readonly queuedQueriesMax: number
  readonly queryMemoryMb: number
  readonly queryTimeoutMs: number
  readonly exportBytesMax: number
}

interface Entry {
  readonly queryId: string
  readonly request: QueryRequest
  readonly admittedMs: number
  readonly controller: AbortController
  readonly cancelFlag: SharedArrayBuffer
  state: 'queued' | 'running'
  /** Why it ended before its time. */
  reason: StorageError | undefined
  start: () => void
}

export class QueryService {
  readonly #options: QueryServiceOptions
  readonly #entries = new Map<string, Entry>()
  readonly #waiting: Entry[] = []
  readonly #metrics
  #running = 0
  /** Queries that run, and answered ones that are being cleared away. */
  readonly #runs = new Set<Promise<unknown>>()
  #isClosed = false

  constructor(options: QueryServiceOptions) {
    this.#options = options
    const { metrics } = options.env
    this.#metrics = {
      finished: metrics.counter('tributary_query_finished_total', 'Queries answered.'),
      failed: metrics.counter('tributary_query_failed_total', 'Queries refused, failed, cancelled or timed out.'),
      seconds: metrics.histogram(
        'tributary_query_seconds',
        'Time from admission to the answer.',
        [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100],
      ),
      freshRows: metrics.counter('tributary_query_fresh_rows_total', 'Rows decoded from pages.'),
      dirtyBlocks: metrics.counter('tributary_query_dirty_blocks_total', 'Blocks read as pages.'),
    }
  }

  /** Rows of the answer, up to the limit. */
  async run(request: QueryRequest, signal?: AbortSignal): Promise<QueryResult> {
    return (await this.#admit(request, undefined, signal, async ({ result }) => result)) as QueryResult
  }

  /** The whole result as a file. */
  async export(request: QueryRequest, format: 'csv' | 'parquet', signal?: AbortSignal): Promise<Uint8Array> {
    const { disk } = this.#options.env
    return this.#admit(request, format, signal, async ({ path }) => {
      const { sizeBytes } = (await disk.stat(path!)) ?? { sizeBytes: 0 }
      if (sizeBytes > this.#options.exportBytesMax) {
        throw new StorageError('exhausted', 'export is too large', {
          sizeBytes,
          bytesMax: this.#options.exportBytesMax,
        })
      }
      return (await disk.readFile(path!)) ?? new Uint8Array(0)
    })
  }

  /** Cancelling what is not there is no error. */
  cancel(queryId: string): void {
    const entry = this.#entries.get(queryId)
    if (entry) this.#end(entry, new StorageError('aborted', 'query cancelled'))
  }

  list(): RunningQuery[] {
    const nowMs = this.#options.env.clock.monotonicMs()
    return [...this.#entries.values()].map(({ queryId, request, state, admittedMs }) => ({
      queryId,
      projectId: request.projectId,
      timelineId: request.timelineId,
      sql: request.sql.slice(0, 1000),
      state,
      ageMs: Math.round(nowMs - admittedMs),
    }))
  }

  status(): { running: number; queued: number } {
    return { running: this.#running, queued: this.#waiting.length }
  }

  /** Ends what runs and waits until nothing is left of it. */
  async close(): Promise<void> {
    this.#isClosed = true
    for (const entry of this.#entries.values())
      this.#end(entry, new StorageError('aborted', 'query worker is stopping'))
    while (this.#runs.size > 0) await Promise.allSettled([...this.#runs])
  }

  async #admit<Result>(
    request: QueryRequest,
    exportAs: 'csv' | 'parquet' | undefined,
    signal: AbortSignal | undefined,
    finish: (outcome: QueryOutcome) => Promise<Result>,
  ): Promise<Result> {
    if (this.#isClosed) throw new StorageError('unavailable', 'query worker is stopping')
    const { env, concurrentQueries, queuedQueriesMax } = this.#options
    const queryId = request.queryId ?? hexId(env.random.bytes(8))
    if (this.#entries.has(queryId)) throw new StorageError('conflict', 'a query with this id runs', { queryId })
    if (this.#running >= concurrentQueries && this.#waiting.length >= queuedQueriesMax) {
      throw new StorageError('exhausted', 'too many queries wait', { queued: this.#waiting.length })
    }
    const entry: Entry = {
      queryId,
      request,
      admittedMs: env.clock.monotonicMs(),
      controller: new AbortController(),
      cancelFlag: new SharedArrayBuffer(4),
      state: 'queued',
      reason: undefined,
      start: () => undefined,
    }
    this.#entries.set(queryId, entry)
    const onAbort = (): void => this.#end(entry, new StorageError('aborted', 'the caller went away'))
    signal?.addEventListener('abort', onAbort)
    const seconds = (): number => (env.clock.monotonicMs() - entry.admittedMs) / 1000
    try {
      await this.#turn(entry)
      const result = await this.#run(entry, exportAs, finish)
      this.#metrics.finished.add()
      return result
    } catch (error) {
      this.#metrics.failed.add()
      throw entry.reason ?? error
    } finally {
      this.#metrics.seconds.observe(seconds())
      signal?.removeEventListener('abort', onAbort)
      this.#entries.delete(queryId)
    }
  }

  #turn(entry: Entry): Promise<void> {
    if (this.#running < this.#options.concurrentQueries) {
      this.#running++
      return Promise.resolve()
    }
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        const at = this.#waiting.indexOf(entry)
        if (at >= 0) this.#waiting.splice(at, 1)
        reject(entry.reason ?? new StorageError('aborted', 'query cancelled'))
      }
      entry.controller.signal.addEventListener('abort', onAbort, { once: true })
      entry.start = () => {
        entry.controller.signal.removeEventListener('abort', onAbort)
        resolve()
      }
      this.#waiting.push(entry)
    })
  }

  /** The caller has its answer before anything is cleared away, and the next query begins when all is. */
  #run<Result>(
    entry: Entry,
    exportAs: 'csv' | 'parquet' | undefined,
    finish: (outcome: QueryOutcome) => Promise<Result>,
  ): Promise<Result> {
    const folder = `${this.#options.directory}/${hexId(this.#options.env.random.bytes(8))}`
    return new Promise((resolve, reject) => {
      const run = this.#answer(entry, folder, exportAs).then(async (outcome) => {
        try {
          resolve(await finish(outcome))
          await new Promise(setImmediate)
        } finally {
          await outcome.release()
        }
      })
      const cleared = run.catch(reject).finally(async () => {
        await this.#options.env.disk.removeTree(folder).catch(() => undefined)
        this.#running--
        this.#runs.delete(cleared)
        this.#next()
      })
      this.#runs.add(cleared)
    })
  }

  async #answer(entry: Entry, folder: string, exportAs: 'csv' | 'parquet' | undefined): Promise<QueryOutcome> {
    const { env, context, queryTimeoutMs, queryMemoryMb } = this.#options
    const { limits } = entry.request
    entry.state = 'running'
    const queuedMs = env.clock.monotonicMs() - entry.admittedMs
    const timeoutMs = Math.min(limits?.timeoutMs ?? queryTimeoutMs, queryTimeoutMs)
    const timer = env.clock.setTimer(timeoutMs, () => {
      this.#end(entry, new StorageError('exhausted', 'query took longer than its time limit', { timeoutMs }))
    })
    try {
      await env.disk.makeDirectory(folder)
      for (let attempt = 1; ; attempt++) {
        try {
          const outcome = await runQuery(context, {
            queryId: entry.queryId,
            request: entry.request,
            queuedMs,
            memoryMb: Math.min(limits?.memoryMb ?? queryMemoryMb, queryMemoryMb),
            rowsMax: Math.min(limits?.rowsMax ?? ROWS_DEFAULT, ROWS_MAX),
            timeoutMs,
            directory: folder,
            signal: entry.controller.signal,
            cancelFlag: entry.cancelFlag,
            ...(exportAs ? { exportAs } : {}),
          })
          this.#metrics.freshRows.add(outcome.result.receipt.freshRows)
          this.#metrics.dirtyBlocks.add(outcome.result.receipt.dirtyBlocks)
          return outcome
        } catch (error) {
          if (attempt === ATTEMPTS_MAX || entry.controller.signal.aborted || !isLayerGone(error)) throw error
        }
      }
    } catch (error) {
      if (!isStorageError(error)) env.log.error('query failed', { queryId: entry.queryId, error: String(error) })
      throw error
    } finally {
      timer.cancel()
    }
  }

  #next(): void {
    if (this.#running >= this.#options.concurrentQueries) return
    const entry = this.#waiting.shift()
    if (!entry) return
    this.#running++
    entry.start()
  }

  #end(entry: Entry, reason: StorageError): void {
    entry.reason ??= reason
    Atomics.store(new Int32Array(entry.cancelFlag), 0, 1)
    entry.controller.abort()
  }
}
