/** What somebody may do, as one list. Services ask `can`; nothing else decides. */
export type OrganizationRole = 'OWNER' | 'ADMIN' | 'MEMBER' | 'VIEWER'

export type Action =
  | 'organization.view'
  | 'organization.manage-members'
  | 'organization.manage-keys'
  | 'organization.view-audit'
  | 'project.create'
  | 'project.view'
  | 'project.write'
  | 'project.delete'
  | 'project.manage-keys'
  | 'project.reveal-password'
  | 'stack.view'
  | 'stack.operate'

export type Actor =
  | {
      readonly kind: 'user'
      readonly userId: string
      readonly name: string
      readonly email: string
      readonly isOperator: boolean
      readonly roles: ReadonlyMap<string, OrganizationRole>
    }
  | {
      readonly kind: 'api-key'
      readonly keyId: string
      readonly keyName: string
      readonly userId: string
      readonly name: string
      readonly email: string
      readonly isOperator: boolean
      /** Roles of the key's owner, cut down to the key's scope. */
      readonly roles: ReadonlyMap<string, OrganizationRole>
      readonly organizationId: string | null
      readonly projectId: string | null
      readonly isReadOnly: boolean
    }
  /** The control plane itself: reconciler, expiry, wake by the proxy. */
  | { readonly kind: 'system'; readonly name: string }

export interface Resource {
  readonly organizationId?: string
  readonly projectId?: string
}

const allowed: Readonly<Record<OrganizationRole, ReadonlySet<Action>>> = {
  OWNER: new Set<Action>([
    'organization.view',
    'organization.manage-members',
    'organization.manage-keys',
    'organization.view-audit',
    'project.create',
    'project.view',
    'project.write',
    'project.delete',
    'project.manage-keys',
    'project.reveal-password',
  ]),
  ADMIN: new Set<Action>([
    'organization.view',
    'organization.manage-members',
    'organization.manage-keys',
    'organization.view-audit',
    'project.create',
    'project.view',
    'project.write',
    'project.delete',
    'project.manage-keys',
    'project.reveal-password',
  ]),
  MEMBER: new Set<Action>([
    'organization.view',
    'project.create',
    'project.view',
    'project.write',
    'project.manage-keys',
    'project.reveal-password',
  ]),
  VIEWER: new Set<Action>(['organization.view', 'project.view']),
}

/** What a key that may only look may do. */
const readActions: ReadonlySet<Action> = new Set<Action>([
  'organization.view',
  'organization.view-audit',
  'project.view',
  'stack.view',
])

export function can(actor: Actor, action: Action, resource: Resource = {}): boolean {
  if (actor.kind === 'system') return true
  if (actor.kind === 'api-key') {
    if (actor.isReadOnly && !readActions.has(action)) return false
    if (actor.organizationId !== null && resource.organizationId !== actor.organizationId) return false
    if (actor.projectId !== null && (resource.projectId !== actor.projectId || !action.startsWith('project.')))
      return false
  }
  if (action === 'stack.view' || action === 'stack.operate') return actor.isOperator
  if (resource.organizationId === undefined) return false
  const role = actor.roles.get(resource.organizationId)
  return role !== undefined && allowed[role].has(action)
}

export function isOrganizationRole(text: string): text is OrganizationRole {
  return text in allowed
}

/** For audit entries, `createdBy` and logs. */
export function actorName(actor: Actor): string {
  switch (actor.kind) {
    case 'user':
      return actor.email
    case 'api-key':
      return `${actor.email} (key ${actor.keyName})`
    case 'system':
      return actor.name
    default:
      return actor satisfies never
  }
}

export const systemActor = (name: string): Actor => ({ kind: 'system', name })
