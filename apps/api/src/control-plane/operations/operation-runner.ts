import dbos from '@dbos-inc/dbos-sdk'
import { errorText, isStorageError } from '@tributary/storage-engine/admin'
import type { FastifyBaseLogger } from 'fastify'
import pg from 'pg'
import type { Database } from '../../db/database.ts'
import type { Operation } from '../../generated/prisma/client.ts'
import type { EventBus } from '../../shared/event-bus.ts'
import type { Failpoints } from './failpoint.ts'
import {
  activeStates,
  type CancellableKind,
  isCancellable,
  isFinal,
  type OperationKind,
  type OperationState,
  scopesOverlap,
} from './operation-kinds.ts'

const { DBOS } = dbos

/** Pinned: work is taken up again only by the version that began it, so a change of this number needs a drain. */
const WORKFLOW_VERSION = '1'
/** The one process that runs operations. The pair of numbers is an advisory lock of ours. */
const EXECUTOR_ID = '0'
const EXECUTOR_LOCK: readonly [number, number] = [0x7472_6962, 0]
const EXECUTOR_LOCK_MS_MAX = 20_000
/** A step that meets a part of the system that is away is tried again this long, with pauses that double. */
const RETRY_MS_MAX = 60_000
/** How often the library takes up a workflow again: one that it gives up would hold up its branch for good. */
const RECOVERIES_MAX = 1_000_000
const RETRY_PAUSE_MS_FIRST = 100
const RETRY_PAUSE_MS_MAX = 5000
const TURN_POLL_MS = 1000
const DRAIN_MS_MAX = 20_000

/** Parts of an operation. A step that ended is never run again; one that was cut off is: it must be idempotent. */
export interface Steps {
  run<Value>(name: string, work: () => Promise<Value>): Promise<Value>
}

export interface OperationHandler {
  run(operation: OperationInput, steps: Steps): Promise<void>
  /** Leaves the catalog in a state people can act on. Idempotent. */
  onFailure(operation: OperationInput, message: string): Promise<void>
}

export interface CancellableHandler extends OperationHandler {
  /** It was called off before it began: leaves the catalog as if nobody had asked. Idempotent. */
  onCancel(operation: OperationInput): Promise<void>
}

export type OperationHandlers = Readonly<
  Record<OperationKind, OperationHandler> & Record<CancellableKind, CancellableHandler>
>

/** What a handler gets: recorded, so the same after a restart. */
export interface OperationInput {
  readonly id: string
  readonly kind: OperationKind
  readonly projectId: string
  readonly branchId: string | null
  readonly endpointId: string | null
  readonly input: Readonly<Record<string, unknown>>
  readonly createdAt: string
}

export interface OperationRunner {
  start(operationId: string): Promise<void>
  /** Lets running operations end their steps, up to a bound; the rest resumes at the next start. */
  stop(): Promise<void>
}

/**
 * Runs operations on the durable-workflow library. One operation is one workflow of the same id. Operations of a project
 * whose scopes overlap run one after the other by `seq`: the first step of each waits for its turn.
 */
export async function startOperationRunner(options: {
  readonly database: Database
  readonly databaseUrl: string
  readonly bus: EventBus
  readonly handlers: OperationHandlers
  readonly failpoints: Failpoints
  readonly log: FastifyBaseLogger
  readonly onLockLost: (error: Error) => void
}): Promise<OperationRunner> {
  const { database, bus, handlers, failpoints, log } = options
  const lock = await takeExecutorLock(options.databaseUrl, options.onLockLost)

  const publish = (operation: { id: string; projectId: string; state: string }) =>
    bus.publish('operation', {
      projectId: operation.projectId,
      operationId: operation.id,
      isFinal: isFinal(operation.state),
    })

  const setState = async (
    operationId: string,
    state: OperationState,
    more: { startedAt?: Date; finishedAt?: Date; error?: string; errorCode?: string } = {},
  ): Promise<void> => publish(await database.operation.update({ where: { id: operationId }, data: { state, ...more } }))

  /** Resolves when every earlier operation it conflicts with has ended; null: it is not to begin. */
  const waitTurn = async (operationId: string): Promise<OperationInput | null> => {
    while (true) {
      const operation = await database.operation.findUnique({ where: { id: operationId } })
      if (operation === null || isFinal(operation.state)) return null
      const { cancelledBy, projectId, scope, seq } = operation
      const input = inputOf(operation)
      if (cancelledBy !== null && isCancellable(input.kind)) {
        await handlers[input.kind].onCancel(input)
        await setState(operationId, 'CANCELLED', { finishedAt: new Date(), error: `cancelled by ${cancelledBy}` })
        return null
      }
      const earlier = await database.operation.findMany({
        where: { projectId, seq: { lt: seq }, state: { in: [...activeStates] } },
        select: { scope: true },
      })
      if (earlier.some((other) => scopesOverlap(other.scope, scope, projectId))) {
        await nextChange(bus, operation)
        continue
      }
      const failed = await failedBefore(database, input)
      if (failed !== null) {
        const message = `the operation before it, ${failed}, did not succeed`
        await handlers[input.kind].onFailure(input, message)
        await setState(operationId, 'CANCELLED', { finishedAt: new Date(), error: message })
        return null
      }
      const { count } = await database.operation.updateMany({
        where: { id: operationId, cancelledBy: null },
        data: { state: 'RUNNING', startedAt: operation.startedAt ?? new Date() },
      })
      if (count === 0) continue
      publish({ id: operationId, projectId, state: 'RUNNING' })
      return input
    }
  }

  const runStep = async <Value>(
    operation: OperationInput,
    name: string,
    position: number,
    work: () => Promise<Value>,
  ): Promise<Value> => {
    const key = { operationId_name: { operationId: operation.id, name } }
    await database.operationStep.upsert({
      where: key,
      create: { operationId: operation.id, name, position, state: 'RUNNING', startedAt: new Date() },
      update: { attempts: { increment: 1 } },
    })
    publish({ id: operation.id, projectId: operation.projectId, state: 'RUNNING' })
    failpoints.reach(operation.kind, name, 'before')
    try {
      const value = await withRetries(work, log)
      failpoints.reach(operation.kind, name, 'after')
      await database.operationStep.update({ where: key, data: { state: 'FINISHED', finishedAt: new Date() } })
      publish({ id: operation.id, projectId: operation.projectId, state: 'RUNNING' })
      return value
    } catch (error) {
      const text = errorText(error)
      await database.operationStep.update({
        where: key,
        data: { state: 'FAILED', finishedAt: new Date(), error: text.slice(0, 2000) },
      })
      throw error
    }
  }

  const runOperation = DBOS.registerWorkflow(
    async (operationId: string): Promise<void> => {
      const operation = await DBOS.runStep(() => untilDone(() => waitTurn(operationId), log), { name: 'wait-turn' })
      if (operation === null) return
      let position = 0
      const steps: Steps = {
        run: (name, work) => {
          const own = position++
          return DBOS.runStep(() => runStep(operation, name, own, work), { name })
        },
      }
      try {
        await handlers[operation.kind].run(operation, steps)
        const end = () => setState(operationId, 'FINISHED', { finishedAt: new Date() })
        await DBOS.runStep(() => untilDone(end, log), { name: 'end' })
      } catch (error) {
        const message = errorText(error).slice(0, 2000)
        const code = isStorageError(error) ? error.code : 'failed'
        log.error({ operationId, kind: operation.kind, error: message }, 'operation failed')
        const endFailed = async () => {
          await handlers[operation.kind].onFailure(operation, message)
          await setState(operationId, 'FAILED', { finishedAt: new Date(), error: message, errorCode: code })
        }
        await DBOS.runStep(() => untilDone(endFailed, log), { name: 'end-failed' })
      }
    },
    { name: 'operation', maxRecoveryAttempts: RECOVERIES_MAX },
  )

  DBOS.setConfig({
    name: 'tributary-control',
    systemDatabaseUrl: options.databaseUrl,
    logLevel: 'error',
    applicationVersion: WORKFLOW_VERSION,
    executorID: EXECUTOR_ID,
    systemDatabasePoolSize: 20,
  })
  await DBOS.launch()

  return {
    async start(operationId) {
      await DBOS.startWorkflow(runOperation, { workflowID: operationId })(operationId)
    },
    async stop() {
      await DBOS.shutdown({ workflowCompletionTimeoutMS: DRAIN_MS_MAX })
      await lock.release()
    },
  }
}

function inputOf(operation: Operation): OperationInput {
  return {
    id: operation.id,
    kind: operation.kind as OperationKind,
    projectId: operation.projectId,
    branchId: operation.branchId,
    endpointId: operation.endpointId,
    input: operation.input as Record<string, unknown>,
    createdAt: operation.createdAt.toISOString(),
  }
}

/** Work of a handler: what is away is waited for, up to a bound. */
function withRetries<Value>(work: () => Promise<Value>, log: FastifyBaseLogger): Promise<Value> {
  const deadlineMs = performance.now() + RETRY_MS_MAX
  return retrying(work, log, (error) => {
    const isRetryable = isStorageError(error) ? error.retryable : isConnectionError(error)
    return isRetryable && performance.now() <= deadlineMs
  })
}

/** The beginning and the end of an operation, which only the catalog can refuse: an operation that never ended would hold up its branch for good. */
function untilDone<Value>(work: () => Promise<Value>, log: FastifyBaseLogger): Promise<Value> {
  return retrying(work, log, () => true)
}

async function retrying<Value>(
  work: () => Promise<Value>,
  log: FastifyBaseLogger,
  mayRetry: (error: unknown) => boolean,
): Promise<Value> {
  let pauseMs = RETRY_PAUSE_MS_FIRST
  while (true) {
    try {
      return await work()
    } catch (error) {
      if (!mayRetry(error)) throw error
      log.warn({ error: errorText(error), pauseMs }, 'step of an operation is tried again')
      await new Promise((resolve) => setTimeout(resolve, pauseMs))
      pauseMs = Math.min(pauseMs * 2, RETRY_PAUSE_MS_MAX)
    }
  }
}

/** Of a Postgres that is away or restarting. */
function isConnectionError(error: unknown): boolean {
  const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : ''
  return /^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|57P0[123]|08\w{3})$/.test(code)
}

/** The kind of the operation that this one was to follow, when that did not succeed. One that was called off holds up none. */
async function failedBefore(database: Database, { input }: OperationInput): Promise<string | null> {
  const { after } = input
  const before = typeof after === 'string' ? await database.operation.findUnique({ where: { id: after } }) : null
  if (before === null || before.state === 'FINISHED' || before.state === 'SKIPPED') return null
  return before.cancelledBy === null ? before.kind : null
}

/** The next end of an operation of the project or a change of this one, or a while: the poll covers what we did not hear of. */
async function nextChange(bus: EventBus, operation: { id: string; projectId: string }): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = () => {
      clearTimeout(timer)
      stop()
      resolve()
    }
    const timer = setTimeout(done, TURN_POLL_MS)
    const stop = bus.listen('operation', (event) => {
      if (event.projectId === operation.projectId && (event.isFinal || event.operationId === operation.id)) done()
    })
  })
}

/**
 * Two live processes with one executor id would run the same steps at once, so an advisory lock on a connection of its own
 * guards the id for the life of the process. A predecessor that is just ending is waited for.
 */
async function takeExecutorLock(
  url: string,
  onLost: (error: Error) => void,
): Promise<{ release: () => Promise<void> }> {
  const client = new pg.Client({
    connectionString: url,
    keepAlive: true,
    application_name: 'tributary-operations-lock',
  })
  let isReleased = false
  client.on('error', (error) => {
    if (!isReleased) onLost(error)
  })
  client.on('end', () => {
    if (!isReleased) onLost(new Error('the connection that holds the lock of operations ended'))
  })
  await client.connect()
  const deadlineMs = performance.now() + EXECUTOR_LOCK_MS_MAX
  while (true) {
    const { rows } = await client.query<{ taken: boolean }>('SELECT pg_try_advisory_lock($1, $2) AS taken', [
      ...EXECUTOR_LOCK,
    ])
    if (rows[0]?.taken) break
    if (performance.now() > deadlineMs) {
      isReleased = true
      await client.end()
      throw new Error('another process runs the operations of this catalog')
    }
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  return {
    async release() {
      isReleased = true
      await client.end()
    },
  }
}
