import type { Actor, App, CallOptions } from '../../app.ts'
import type { Action } from '../../auth/permission.ts'
import { isCancellable } from '../../control-plane/operations/operation-kinds.ts'
import type { Operation, Project } from '../../generated/prisma/client.ts'
import { decodeCursor, encodeCursor, type Page, type PageRequest, pageOf } from '../../shared/pagination.ts'
import { notFound, type Result, success } from '../../shared/result.ts'
import { canInProject, notAllowed } from '../access.ts'

export class OperationService {
  readonly #app: App

  constructor(app: App) {
    this.#app = app
  }

  /** Also of a project that has been deleted since: somebody waits for the end of that. */
  async get(actor: Actor, operationId: string): Promise<Result<Operation & { project: Project }>> {
    if (!/^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/.test(operationId)) return notFound('operation')
    const operation = await this.#app.database.operation.findUnique({
      where: { id: operationId },
      include: { project: true },
    })
    if (!operation || !canInProject(actor, 'project.view', operation.project)) return notFound('operation')
    return success(operation)
  }

  /** Calls an operation off that waits for its turn. CONFLICT when it has begun. */
  async cancel(actor: Actor, operationId: string, options: CallOptions = {}): Promise<Result<Operation>> {
    const found = await this.get(actor, operationId)
    if (!found.ok) return found
    const action = cancelAction(found.value)
    if (!canInProject(actor, action, found.value.project)) return notAllowed(actor, action)
    const { organizationId } = found.value.project
    return this.#app.operations.cancel(found.value, { actor, organizationId, requestId: options.requestId })
  }

  /** Newest first. The caller has checked the project. */
  async page(projectId: string, request: PageRequest): Promise<Page<Operation>> {
    const after = request.after === null ? undefined : decodeCursor(request.after, 1)[0]
    const [rows, totalCount] = await Promise.all([
      this.#app.database.operation.findMany({
        where: { projectId, ...(after === undefined ? {} : { seq: { lt: BigInt(after) } }) },
        orderBy: { seq: 'desc' },
        take: request.first + 1,
      }),
      this.#app.database.operation.count({ where: { projectId } }),
    ])
    return pageOf(rows, request, totalCount, operationCursor)
  }
}

/** What one must be allowed to call it off. */
export function cancelAction(operation: Operation): Action {
  return operation.kind === 'delete_project' ? 'project.delete' : 'project.write'
}

/** It waits for its turn and can be called off. */
export function isWaiting(operation: Operation): boolean {
  return operation.state === 'SCHEDULING' && operation.cancelledBy === null && isCancellable(operation.kind)
}

export function operationCursor(operation: Operation): string {
  return encodeCursor([String(operation.seq)])
}
