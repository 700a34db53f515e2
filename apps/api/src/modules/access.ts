import type { App } from '../app.ts'
import { type Action, type Actor, can } from '../auth/permission.ts'
import type { Branch, Endpoint, Project } from '../generated/prisma/client.ts'
import { failure, notFound, type Result, success } from '../shared/result.ts'

/**
 * How services get at a thing: loaded and allowed in one call. Not there, and there but not to be known of, are the same
 * answer; NOT_ALLOWED is for those who may see the thing.
 */
export async function accessProject(
  app: App,
  actor: Actor,
  projectId: string,
  action: Action,
): Promise<Result<Project>> {
  const project = await app.database.project.findUnique({ where: { id: projectId } })
  if (!project || project.deletedAt) return notFound('project')
  return allow(actor, action, project, project, 'project')
}

export async function accessBranch(
  app: App,
  actor: Actor,
  branchId: string,
  action: Action,
): Promise<Result<Branch & { project: Project }>> {
  const branch = await app.database.branch.findUnique({ where: { id: branchId }, include: { project: true } })
  if (!branch || branch.project.deletedAt) return notFound('branch')
  return allow(actor, action, branch, branch.project, 'branch')
}

export async function accessEndpoint(
  app: App,
  actor: Actor,
  endpointId: string,
  action: Action,
): Promise<Result<Endpoint & { branch: Branch; project: Project }>> {
  const endpoint = await app.database.endpoint.findUnique({
    where: { id: endpointId },
    include: { branch: true, project: true },
  })
  if (!endpoint || endpoint.project.deletedAt) return notFound('endpoint')
  return allow(actor, action, endpoint, endpoint.project, 'endpoint')
}

export function projectResource(project: { id: string; organizationId: string }) {
  return { organizationId: project.organizationId, projectId: project.id }
}

/** What somebody may read without a load: for fields of things already loaded. */
export function canInProject(actor: Actor, action: Action, project: { id: string; organizationId: string }): boolean {
  return can(actor, action, projectResource(project))
}

function allow<Thing>(
  actor: Actor,
  action: Action,
  thing: Thing,
  project: { id: string; organizationId: string },
  what: string,
): Result<Thing> {
  const resource = projectResource(project)
  if (!can(actor, 'project.view', resource)) return notFound(what)
  if (!can(actor, action, resource)) return notAllowed(actor, action)
  return success(thing)
}

export function notAllowed(actor: Actor, action: Action) {
  if (actor.kind === 'api-key' && actor.isReadOnly)
    return failure('READ_ONLY_KEY', `this key may only read; ${action} needs another key`)
  return failure('NOT_ALLOWED', `your role does not allow ${action}`)
}
