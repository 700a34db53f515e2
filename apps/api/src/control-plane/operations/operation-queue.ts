import { type Actor, actorName } from '../../auth/permission.ts'
import type { Database, Transaction } from '../../db/database.ts'
import type { Operation, Prisma } from '../../generated/prisma/client.ts'
import type { EventBus } from '../../shared/event-bus.ts'
import { newUuid } from '../../shared/ids.ts'
import { catchFailure, FailureError, failure, type Result } from '../../shared/result.ts'
import { activeStates, isCancellable, isFinal, type OperationKind, scopesOverlap } from './operation-kinds.ts'

/** Waiting and running operations of one project; more are refused. */
const ACTIVE_PER_PROJECT_MAX = 64
/** A cancelled operation ends in milliseconds; the caller gets it ended when it does so within this. */
const CANCEL_WAIT_MS_MAX = 5000

export interface NewOperation {
  readonly kind: OperationKind
  readonly branchId?: string
  readonly endpointId?: string
  readonly scope: readonly string[]
  readonly input?: Prisma.InputJsonObject
}

export interface AuditNote {
  readonly action: string
  readonly subject: string
  readonly detail?: Prisma.InputJsonValue
}

export interface Submission {
  readonly actor: Actor
  readonly projectId: string
  readonly organizationId: string
  readonly requestId?: string | undefined
  /** One after the other; when one fails, the later ones are cancelled. */
  readonly operations: readonly NewOperation[]
  readonly audit: AuditNote
  /** May wait behind others instead of being refused with OPERATION_IN_PROGRESS. */
  readonly mayWait?: boolean
  /** The change of the catalog that goes with it, in the same transaction. A FailureError rolls all back. */
  readonly change?: (tx: Transaction) => Promise<void>
}

/** Starts the durable work of one operation; called at least once for each. */
export type OperationStarter = (operationId: string) => Promise<void>

/**
 * Where operations begin: the catalog's change, the operations and the audit entry are one transaction, in which the row
 * of the project is locked, so that of two conflicting requests the second sees the first.
 */
export class OperationQueue {
  readonly #database: Database
  readonly #bus: EventBus
  #starter: OperationStarter | undefined

  constructor(database: Database, bus: EventBus) {
    this.#database = database
    this.#bus = bus
  }

  setStarter(starter: OperationStarter): void {
    this.#starter = starter
  }

  async submit(submission: Submission): Promise<Result<Operation[]>> {
    const made = await catchFailure(() =>
      this.#database.$transaction(
        async (tx) => {
          await lockProject(tx, submission.projectId)
          await this.#refuseConflicts(tx, submission)
          await submission.change?.(tx)
          const operations = await insertOperations(tx, submission)
          await insertAudit(tx, submission)
          return operations
        },
        { maxWait: 10_000, timeout: 20_000 },
      ),
    )
    if (!made.ok) return made
    for (const operation of made.value) {
      this.#bus.publish('operation', { projectId: operation.projectId, operationId: operation.id, isFinal: false })
      await this.#starter?.(operation.id)
    }
    return made
  }

  /** Starts what a crash left between the transaction and the start. */
  async startForgotten(): Promise<void> {
    const waiting = await this.#database.operation.findMany({
      where: { state: { in: [...activeStates] } },
      orderBy: { seq: 'asc' },
      select: { id: true },
    })
    for (const { id } of waiting) await this.#starter?.(id)
  }

  /**
   * Calls an operation off that waits for its turn: it ends as CANCELLED, and those after it go on. CONFLICT when it runs or
   * has ended. Of a cancel and a begin at the same time one wins, by the row.
   */
  async cancel(
    operation: Pick<Operation, 'id' | 'projectId' | 'kind'>,
    by: { readonly actor: Actor; readonly organizationId: string; readonly requestId?: string | undefined },
  ): Promise<Result<Operation>> {
    const { id, projectId, kind } = operation
    const cancelled = await catchFailure(() =>
      this.#database.$transaction(async (tx) => {
        const { count } = isCancellable(kind)
          ? await tx.operation.updateMany({
              where: { id, state: 'SCHEDULING', cancelledBy: null },
              data: { cancelledBy: actorName(by.actor) },
            })
          : { count: 0 }
        if (count === 0) {
          const { state, cancelledBy } = await tx.operation.findUniqueOrThrow({ where: { id } })
          throw new FailureError(failure('CONFLICT', whyNotCancelled(kind, state, cancelledBy)).error)
        }
        await insertAudit(tx, {
          ...by,
          projectId,
          audit: { action: 'operation.cancel', subject: kind, detail: { id } },
        })
      }),
    )
    if (!cancelled.ok) return cancelled
    this.#bus.publish('operation', { projectId, operationId: id, isFinal: false })
    await this.#starter?.(id)
    const ended = this.waitForEnd(id, AbortSignal.timeout(CANCEL_WAIT_MS_MAX))
    const now = await ended.catch(() => this.#database.operation.findUniqueOrThrow({ where: { id } }))
    return { ok: true, value: now }
  }

  /** Resolves with the operation when it has ended; rejects when the signal fires. */
  async waitForEnd(operationId: string, signal: AbortSignal): Promise<Operation> {
    const events = this.#bus.stream('operation', (event) => event.operationId === operationId)
    const onAbort = () => void events.return?.()
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      while (!signal.aborted) {
        const operation = await this.#database.operation.findUniqueOrThrow({ where: { id: operationId } })
        if (isFinal(operation.state)) return operation
        await events.next()
      }
      throw signal.reason instanceof Error ? signal.reason : new Error('aborted')
    } finally {
      signal.removeEventListener('abort', onAbort)
      await events.return?.()
    }
  }

  async #refuseConflicts(tx: Transaction, submission: Submission): Promise<void> {
    const active = await tx.operation.findMany({
      where: { projectId: submission.projectId, state: { in: [...activeStates] } },
      select: { id: true, kind: true, scope: true, endpointId: true },
    })
    if (active.length + submission.operations.length > ACTIVE_PER_PROJECT_MAX)
      throw new FailureError(failure('OPERATION_IN_PROGRESS', 'too many operations of this project are waiting').error)
    if (submission.mayWait) return
    const conflicts = active.filter((operation) =>
      submission.operations.some((added) => scopesOverlap(operation.scope, added.scope, submission.projectId)),
    )
    for (const conflict of conflicts) {
      if (await hasServed(tx, conflict)) continue
      throw new FailureError(
        failure('OPERATION_IN_PROGRESS', `another operation is in progress: ${conflict.kind} ${conflict.id}`).error,
      )
    }
  }
}

/** Of two who change a project's branches the second waits here, and then sees what the first did. */
export async function lockProject(tx: Transaction, projectId: string): Promise<void> {
  await tx.$queryRaw`SELECT 1 FROM "Project" WHERE id = ${projectId} FOR UPDATE`
}

/** A start whose compute serves clients has only records to write: who is connected already is not refused, but waits. */
async function hasServed(tx: Transaction, { kind, endpointId }: { kind: string; endpointId: string | null }) {
  if (kind !== 'start_compute' || endpointId === null) return false
  return (await tx.endpoint.findUnique({ where: { id: endpointId } }))?.state === 'ACTIVE'
}

async function insertOperations(tx: Transaction, submission: Submission): Promise<Operation[]> {
  const operations: Operation[] = []
  for (const { kind, branchId, endpointId, scope, input } of submission.operations) {
    const after = operations.at(-1)
    operations.push(
      await tx.operation.create({
        data: {
          id: newUuid(),
          projectId: submission.projectId,
          branchId: branchId ?? null,
          endpointId: endpointId ?? null,
          kind,
          scope: [...scope],
          input: { ...input, ...(after ? { after: after.id } : {}) },
          createdBy: actorName(submission.actor),
          requestId: submission.requestId ?? null,
        },
      }),
    )
  }
  return operations
}

function whyNotCancelled(kind: string, state: string, cancelledBy: string | null): string {
  if (isFinal(state)) return `the operation has ended: it is ${state}`
  if (cancelledBy !== null) return `the operation was cancelled already, by ${cancelledBy}`
  if (state === 'RUNNING') return 'the operation runs already and cannot be cancelled; it ends by itself'
  return `an operation of kind ${kind} cannot be cancelled; it ends by itself`
}

async function insertAudit(
  tx: Transaction,
  submission: Pick<Submission, 'actor' | 'audit' | 'organizationId' | 'projectId' | 'requestId'>,
): Promise<void> {
  const { actor, audit } = submission
  await tx.auditEntry.create({
    data: {
      actor: actorName(actor),
      actorKind: actor.kind,
      action: audit.action,
      subject: audit.subject,
      organizationId: submission.organizationId,
      projectId: submission.projectId,
      requestId: submission.requestId ?? null,
      ...(audit.detail === undefined ? {} : { detail: audit.detail }),
    },
  })
}
