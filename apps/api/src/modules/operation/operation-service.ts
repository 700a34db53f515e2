import type { Actor, App } from '../../app.ts'
import type { Operation } from '../../generated/prisma/client.ts'
import { decodeCursor, encodeCursor, type Page, type PageRequest, pageOf } from '../../shared/pagination.ts'
import { notFound, type Result, success } from '../../shared/result.ts'
import { canInProject } from '../access.ts'

export class OperationService {
  readonly #app: App

  constructor(app: App) {
    this.#app = app
  }

  /** Also of a project that has been deleted since: somebody waits for the end of that. */
  async get(actor: Actor, operationId: string): Promise<Result<Operation>> {
    if (!/^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/.test(operationId)) return notFound('operation')
    const operation = await this.#app.database.operation.findUnique({
      where: { id: operationId },
      include: { project: true },
    })
    if (!operation || !canInProject(actor, 'project.view', operation.project)) return notFound('operation')
    return success(operation)
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

export function operationCursor(operation: Operation): string {
  return encodeCursor([String(operation.seq)])
}
