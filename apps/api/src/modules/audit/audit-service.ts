import type { App, CallOptions } from '../../app.ts'
import { type Actor, actorName } from '../../auth/permission.ts'
import type { Transaction } from '../../db/database.ts'
import type { AuditEntry, Prisma } from '../../generated/prisma/client.ts'
import { decodeCursor, encodeCursor, type Page, type PageRequest, pageOf } from '../../shared/pagination.ts'

/** Notes a change that is not an operation, in the transaction of the change. */
export async function recordAudit(
  tx: Pick<Transaction, 'auditEntry'>,
  actor: Actor,
  note: {
    readonly action: string
    readonly subject: string
    readonly organizationId?: string | null
    readonly projectId?: string | null
    readonly detail?: Prisma.InputJsonValue
  },
  options: CallOptions,
): Promise<void> {
  await tx.auditEntry.create({
    data: {
      actor: actorName(actor),
      actorKind: actor.kind,
      action: note.action,
      subject: note.subject,
      organizationId: note.organizationId ?? null,
      projectId: note.projectId ?? null,
      requestId: options.requestId ?? null,
      ...(note.detail === undefined ? {} : { detail: note.detail }),
    },
  })
}

/** Newest first. The caller has checked that the actor may see it. */
export async function auditPage(
  app: App,
  where: { organizationId: string } | { projectId: string },
  request: PageRequest,
): Promise<Page<AuditEntry>> {
  const after = request.after === null ? undefined : decodeCursor(request.after, 1)[0]
  const [rows, totalCount] = await Promise.all([
    app.database.auditEntry.findMany({
      where: { ...where, ...(after === undefined ? {} : { id: { lt: BigInt(after) } }) },
      orderBy: { id: 'desc' },
      take: request.first + 1,
    }),
    app.database.auditEntry.count({ where }),
  ])
  return pageOf(rows, request, totalCount, (row) => encodeCursor([String(row.id)]))
}
