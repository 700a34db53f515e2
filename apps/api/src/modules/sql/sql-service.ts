import { isStorageError, TimelineId } from '@tributary/storage-engine/admin'
import type { Actor, App, CallOptions } from '../../app.ts'
import { actorName } from '../../auth/permission.ts'
import { type PostgresAddress, storageIds } from '../../control-plane/compute-control.ts'
import type { ReadOnlyComputes } from '../../control-plane/read-only-computes.ts'
import type { Waker } from '../../control-plane/wake.ts'
import type { Branch, Project } from '../../generated/prisma/client.ts'
import { newUuid } from '../../shared/ids.ts'
import { catchFailure, FailureError, failure, invalid, notFound, type Result, unwrap } from '../../shared/result.ts'
import { accessBranch } from '../access.ts'
import { recordAudit } from '../audit/audit-service.ts'
import { settlePoint } from '../branch/branch-point.ts'
import type { PointInput } from '../branch/branch-rules.ts'
import { openRolePassword } from '../role/role-password.ts'
import { PostgresSession, sqlErrorOf } from './postgres-session.ts'
import { type Statement, splitStatements } from './split-statements.ts'
import type { SqlError, SqlResult, StatementResult } from './sql-result.ts'

const SQL_CHARACTERS_MAX = 1_000_000
const ROW_LIMIT_MAX = 50_000
const STATEMENT_MS_MAX = 300_000
const QUERIES_PER_PERSON_MAX = 10
const HISTORY_CHARACTERS_MAX = 20_000
const EXPLAIN_PREFIX = 'EXPLAIN (FORMAT JSON) '

export interface RunSqlInput {
  readonly branchId: string
  readonly database: string
  readonly role?: string | null | undefined
  readonly sql: string
  readonly engine: 'POSTGRES' | 'ANALYTICS'
  readonly at?: PointInput | null | undefined
  readonly rowLimit?: number | null | undefined
  readonly queryId?: string | null | undefined
  readonly explain?: boolean | null | undefined
  /** False: not in the history, for what programs ask on behalf of a reader. Postgres may write, and is always recorded. */
  readonly isRecorded?: boolean | null | undefined
}

interface Running {
  readonly owner: string
  /** Fires once; what has not begun by then does not begin. */
  readonly abort: AbortController
  /** Ends what runs at the moment. */
  interrupt: () => Promise<void>
}

/** SQL for people: on Postgres as one of the branch's roles, or on the analytics engine with no Postgres at all. */
export class SqlService {
  readonly #app: App
  readonly #waker: Waker
  readonly #readOnly: ReadOnlyComputes
  readonly #running = new Map<string, Running>()

  constructor(app: App, waker: Waker, readOnly: ReadOnlyComputes) {
    this.#app = app
    this.#waker = waker
    this.#readOnly = readOnly
  }

  /** Errors of the SQL itself are in the answer; failures are those of the call. */
  async run(actor: Actor, input: RunSqlInput, options: CallOptions = {}): Promise<Result<SqlResult>> {
    return catchFailure(async () => {
      // Postgres may write; the analytics engine cannot, so that a viewer may use it.
      const action = input.engine === 'POSTGRES' ? 'project.write' : 'project.view'
      const branch = unwrap(await accessBranch(this.#app, actor, input.branchId, action))
      if (input.sql.length > SQL_CHARACTERS_MAX)
        throw new FailureError(invalid('sql', `must have at most ${SQL_CHARACTERS_MAX} characters`).error)
      const rowLimit = input.rowLimit ?? 1000
      if (!Number.isInteger(rowLimit) || rowLimit < 1 || rowLimit > ROW_LIMIT_MAX)
        throw new FailureError(invalid('rowLimit', `must be between 1 and ${ROW_LIMIT_MAX}`).error)
      const queryId = input.queryId ?? newUuid()
      if (!/^[\w-]{1,64}$/.test(queryId))
        throw new FailureError(invalid('queryId', 'must be 1 to 64 letters, digits, - and _').error)
      if (this.#running.has(queryId)) throw new FailureError(invalid('queryId', 'is running').error)
      const owner = actorName(actor)
      if ([...this.#running.values()].filter((running) => running.owner === owner).length >= QUERIES_PER_PERSON_MAX)
        throw new FailureError(failure('RATE_LIMITED', `${QUERIES_PER_PERSON_MAX} queries are running already`).error)
      const running: Running = { owner, abort: new AbortController(), interrupt: async () => undefined }
      this.#running.set(queryId, running)
      const onAbort = () => void cancelQuery(running)
      options.signal?.addEventListener('abort', onAbort, { once: true })
      const startedMs = performance.now()
      try {
        const answer =
          input.engine === 'ANALYTICS'
            ? await this.#analytics(branch, input, queryId, rowLimit, running)
            : await this.#postgres(branch, input, rowLimit, running)
        const result: SqlResult = {
          queryId,
          engine: input.engine,
          ...answer,
          durationMs: performance.now() - startedMs,
        }
        if (input.engine === 'POSTGRES' || input.isRecorded !== false)
          await this.#note(actor, branch, input, result, options)
        return result
      } finally {
        options.signal?.removeEventListener('abort', onAbort)
        this.#running.delete(queryId)
      }
    })
  }

  async cancel(actor: Actor, queryId: string): Promise<Result<null>> {
    const running = this.#running.get(queryId)
    if (!running || running.owner !== actorName(actor)) return notFound('query')
    await cancelQuery(running)
    return { ok: true, value: null }
  }

  async #postgres(
    branch: Branch & { project: Project },
    input: RunSqlInput,
    rowLimit: number,
    running: Running,
  ): Promise<Pick<SqlResult, 'statements' | 'receipt' | 'error'>> {
    const login = await this.#login(branch, input)
    const point = input.at ? unwrap(await settlePoint(this.#app, branch, input.at)) : null
    const work = (address: PostgresAddress) => this.#statements(address, login, input, rowLimit, running)
    if (point !== null && !point.isTip)
      return unwrap(await this.#readOnly.use(branch.project, point.timelineId, point.lsn, work))
    const endpoint = await this.#app.database.endpoint.findFirst({ where: { branchId: branch.id, type: 'READ_WRITE' } })
    if (!endpoint) throw new FailureError(failure('CONFLICT', 'the branch has no read-write endpoint').error)
    const wake = this.#waker.wake(endpoint.id, { cause: 'SQL editor', role: login.user, database: login.database })
    const woken = await Promise.race([wake, aborted(running.abort.signal)])
    return woken === 'cancelled' ? { statements: [], receipt: null, error: CANCELLED } : work(unwrap(woken))
  }

  async #login(branch: Branch & { project: Project }, input: RunSqlInput) {
    const database = await this.#app.database.database.findUnique({
      where: { branchId_name: { branchId: branch.id, name: input.database } },
    })
    if (!database) throw new FailureError(invalid('database', `the branch has no database ${input.database}`).error)
    const name = input.role ?? database.ownerName
    const role = await this.#app.database.role.findUnique({ where: { branchId_name: { branchId: branch.id, name } } })
    if (!role) throw new FailureError(invalid('role', `the branch has no role ${name}`).error)
    if (role.passwordSealed === null)
      throw new FailureError(
        failure(
          'PASSWORD_NOT_STORED',
          `the password of ${name} is not known here; reset it, or use another role`,
          'role',
        ).error,
      )
    const password = openRolePassword(this.#app.secrets, branch.projectId, name, role.passwordSealed)
    return { user: name, password, database: database.name }
  }

  async #statements(
    address: PostgresAddress,
    login: { user: string; password: string; database: string },
    input: RunSqlInput,
    rowLimit: number,
    running: Running,
  ): Promise<Pick<SqlResult, 'statements' | 'receipt' | 'error'>> {
    const statements: StatementResult[] = []
    let current: Statement | undefined
    const explain = input.explain === true
    let session: PostgresSession | undefined
    try {
      session = await PostgresSession.open(address, login, STATEMENT_MS_MAX)
      const opened = session
      running.interrupt = () => opened.cancel()
      for (const statement of splitStatements(input.sql)) {
        if (running.abort.signal.aborted) return { statements, receipt: null, error: CANCELLED }
        current = statement
        statements.push(await session.run(statement, rowLimit, explain))
      }
      return { statements, receipt: null, error: null }
    } catch (error) {
      const sqlError = sqlErrorOf(error, current, input.sql, explain ? EXPLAIN_PREFIX.length : 0)
      if (!sqlError) throw error
      return { statements, receipt: null, error: sqlError }
    } finally {
      running.interrupt = async () => undefined
      await session?.close()
    }
  }

  async #analytics(
    branch: Branch & { project: Project },
    input: RunSqlInput,
    queryId: string,
    rowLimit: number,
    running: Running,
  ): Promise<Pick<SqlResult, 'statements' | 'receipt' | 'error'>> {
    const { queries } = this.#app
    if (queries === null) throw new FailureError(failure('UNAVAILABLE', 'this system runs no analytics engine').error)
    const point = input.at ? unwrap(await settlePoint(this.#app, branch, input.at)) : null
    const others = await this.#app.database.branch.findMany({
      where: { projectId: branch.projectId },
      select: { name: true, timelineId: true },
      take: 1000,
    })
    const { signal } = running.abort
    if (signal.aborted) return { statements: [], receipt: null, error: CANCELLED }
    running.interrupt = () => queries.cancel(queryId)
    const { projectId, timelineId } = storageIds(branch.project, branch)
    const startedMs = performance.now()
    try {
      const answer = await queries.run(
        {
          queryId,
          projectId,
          timelineId: point === null ? timelineId : TimelineId.parse(point.timelineId),
          database: input.database,
          sql: input.explain === true ? `EXPLAIN ${input.sql}` : input.sql,
          ...(point === null || point.isTip ? {} : { at: { lsn: point.lsn } }),
          branches: Object.fromEntries(others.map((other) => [other.name, TimelineId.parse(other.timelineId)])),
          limits: { rowsMax: rowLimit },
        },
        signal,
      )
      const { receipt } = answer
      return {
        statements: [
          {
            command: input.explain === true ? 'EXPLAIN' : 'SELECT',
            rowCount: answer.rowCount,
            columns: answer.columns,
            rows: answer.rows.map((row) => row.map(textOf)),
            truncated: answer.isTruncated,
            durationMs: performance.now() - startedMs,
            notices: answer.notes,
            plan: null,
          },
        ],
        receipt: {
          branchId: branch.id,
          lsn: receipt.lsn,
          commitTime: receipt.commitTime === null ? null : new Date(receipt.commitTime),
          lagBytes: BigInt(receipt.lagBytes),
          layersRead: receipt.layersRead,
          rowsFromColumns: BigInt(receipt.columnRows),
          rowsFresh: BigInt(receipt.freshRows),
          dirtyBlocks: BigInt(receipt.dirtyBlocks),
          steps: Object.entries(receipt.milliseconds).map(([name, ms]) => ({ name, ms })),
        },
        error: null,
      }
    } catch (error) {
      if (!isStorageError(error)) throw error
      return {
        statements: [],
        receipt: null,
        error: error.code === 'aborted' ? CANCELLED : plainError(error.message),
      }
    }
  }

  async #note(
    actor: Actor,
    branch: Branch & { project: Project },
    input: RunSqlInput,
    result: SqlResult,
    options: CallOptions,
  ): Promise<void> {
    await this.#app.database.queryHistoryEntry.create({
      data: {
        id: newUuid(),
        projectId: branch.projectId,
        branchId: branch.id,
        branchName: branch.name,
        sql: input.sql.slice(0, HISTORY_CHARACTERS_MAX),
        engine: input.engine,
        at: new Date(),
        durationMs: result.durationMs,
        rowCount: result.statements.at(-1)?.rowCount ?? null,
        error: result.error?.message.slice(0, 2000) ?? null,
        createdBy: actorName(actor),
      },
    })
    if (input.engine === 'POSTGRES')
      await recordAudit(
        this.#app.database,
        actor,
        {
          action: 'sql.run',
          subject: branch.name,
          organizationId: branch.project.organizationId,
          projectId: branch.projectId,
          detail: { database: input.database, statements: result.statements.length, failed: result.error !== null },
        },
        options,
      )
  }
}

function textOf(value: unknown): string | null {
  if (value === null || value === undefined) return null
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function plainError(message: string, sqlState: string | null = null): SqlError {
  return { message, sqlState, position: null, hint: null, detail: null }
}

/** As Postgres says it of a statement that it ended. */
const CANCELLED = plainError('canceling statement due to user request', '57014')

async function cancelQuery(running: Running): Promise<void> {
  running.abort.abort()
  await running.interrupt()
}

function aborted(signal: AbortSignal): Promise<'cancelled'> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve('cancelled')
    signal.addEventListener('abort', () => resolve('cancelled'), { once: true })
  })
}
