import { z } from 'zod'
import type { OrganizationRole } from '../../auth/permission.ts'
import type { organization } from '../../generated/prisma/client.ts'
import { type RestCall, type RestRoute, restRoute } from '../../http/rest/rest-route.ts'
import { decodeCursor, encodeCursor } from '../../shared/pagination.ts'
import { FailureError, notFound, unwrap } from '../../shared/result.ts'
import { sizeClasses } from '../endpoint/endpoint-rules.ts'
import { REGION } from '../project/project-view.ts'
import { roleOf } from './organization-service.ts'
import { asUuid } from './uuid-view.ts'

/** No limit is enforced here: the largest number that clients can read exactly stands for "none". */
const NO_LIMIT = Number.MAX_SAFE_INTEGER

function organizationView(found: organization) {
  return {
    id: found.id,
    name: found.name,
    handle: found.slug,
    plan: 'self-hosted',
    created_at: found.createdAt.toISOString(),
    managed_by: 'console',
    updated_at: found.createdAt.toISOString(),
  }
}

const roleNames: Readonly<Record<OrganizationRole, string>> = {
  OWNER: 'admin',
  ADMIN: 'admin',
  MEMBER: 'member',
  VIEWER: 'viewer',
}

type MemberRow = Awaited<ReturnType<RestCall['services']['organizations']['members']>>[number]

const memberView = (member: MemberRow) => ({
  id: asUuid(member.id),
  user_id: asUuid(member.userId),
  org_id: member.organizationId,
  role: roleNames[roleOf(member)],
  joined_at: member.createdAt.toISOString(),
})

async function membersOf(call: RestCall): Promise<MemberRow[]> {
  const found = unwrap(await call.services.organizations.get(call.actor, call.params['org_id']!))
  return call.services.organizations.members(found.id)
}

export const organizationRoutes: readonly RestRoute[] = [
  restRoute({
    method: 'GET',
    path: '/users/me',
    operationId: 'getCurrentUserInfo',
    summary: 'The person the key belongs to',
    returns: [
      'active_seconds_limit',
      'auth_accounts',
      'email',
      'id',
      'image',
      'login',
      'name',
      'last_name',
      'projects_limit',
      'branches_limit',
      'max_autoscaling_limit',
      'plan',
    ],
    async handle({ actor }) {
      const [name = '', ...rest] = actor.name.split(' ')
      return {
        active_seconds_limit: NO_LIMIT,
        auth_accounts: [],
        email: actor.email,
        id: asUuid(actor.userId),
        image: '',
        login: actor.email,
        name,
        last_name: rest.join(' '),
        projects_limit: NO_LIMIT,
        branches_limit: NO_LIMIT,
        max_autoscaling_limit: sizeClasses.at(-1)!.computeUnits,
        plan: 'self-hosted',
      }
    },
  }),
  restRoute({
    method: 'GET',
    path: '/auth',
    operationId: 'getAuthDetails',
    summary: 'What kind of key this is',
    returns: ['account_id', 'auth_method'],
    async handle({ actor }) {
      const isOrganizationKey = actor.kind === 'api-key' && actor.organizationId !== null
      return {
        account_id: isOrganizationKey ? actor.organizationId : asUuid(actor.userId),
        auth_method: actor.kind === 'user' ? 'oauth' : isOrganizationKey ? 'api_key_org' : 'api_key_user',
      }
    },
  }),
  restRoute({
    method: 'GET',
    path: '/users/me/organizations',
    operationId: 'getCurrentUserOrganizations',
    summary: 'Organizations the key reaches',
    returns: ['organizations'],
    handle: async (call) => ({
      organizations: (await call.services.organizations.listOf(call.actor)).map(organizationView),
    }),
  }),
  restRoute({
    method: 'GET',
    path: '/organizations/{org_id}',
    operationId: 'getOrganization',
    summary: 'One organization',
    returns: ['id', 'name', 'handle', 'plan', 'created_at', 'managed_by', 'updated_at'],
    handle: async (call) =>
      organizationView(unwrap(await call.services.organizations.get(call.actor, call.params['org_id']!))),
  }),
  restRoute({
    method: 'GET',
    path: '/organizations/{org_id}/members',
    operationId: 'getOrganizationMembers',
    summary: 'Members of an organization',
    query: z.object({
      sort_by: z.enum(['email', 'role', 'joined_at']).optional(),
      sort_order: z.enum(['asc', 'desc']).optional(),
      limit: z.coerce.number().int().min(1).max(500).optional(),
      cursor: z.string().optional(),
    }),
    returns: ['members', 'pagination'],
    async handle(call) {
      const { sort_by = 'joined_at', sort_order = 'desc', limit, cursor } = call.query
      const keyOf = (member: MemberRow) =>
        sort_by === 'email'
          ? member.user.email
          : sort_by === 'role'
            ? roleNames[roleOf(member)]
            : member.createdAt.toISOString()
      const sign = sort_order === 'asc' ? 1 : -1
      const compare = (a: readonly string[], b: readonly string[]) =>
        sign * (a[0]! < b[0]! ? -1 : a[0]! > b[0]! ? 1 : a[1]! < b[1]! ? -1 : a[1]! > b[1]! ? 1 : 0)
      const sorted = (await membersOf(call))
        .map((member) => ({ member, key: [keyOf(member), member.id] as const }))
        .sort((a, b) => compare(a.key, b.key))
      const after = cursor === undefined ? undefined : decodeCursor(cursor, 2)
      const rest = after === undefined ? sorted : sorted.filter(({ key }) => compare(key, after) > 0)
      const page = rest.slice(0, limit ?? rest.length)
      const last = page.at(-1)
      return {
        members: page.map(({ member }) => ({ member: memberView(member), user: { email: member.user.email } })),
        pagination: {
          ...(last && page.length < rest.length ? { next: encodeCursor(last.key) } : {}),
          sort_by,
          sort_order: sort_order.toUpperCase(),
        },
      }
    },
  }),
  restRoute({
    method: 'GET',
    path: '/organizations/{org_id}/members/{member_id}',
    operationId: 'getOrganizationMember',
    summary: 'One member',
    returns: ['id', 'user_id', 'org_id', 'role', 'joined_at'],
    async handle(call) {
      const wanted = call.params['member_id']
      const member = (await membersOf(call)).find(({ id }) => id === wanted || asUuid(id) === wanted)
      if (!member) throw new FailureError(notFound('member').error)
      return memberView(member)
    },
  }),
  restRoute({
    method: 'GET',
    path: '/regions',
    operationId: 'getActiveRegions',
    summary: 'The one region there is',
    query: z.object({ org_id: z.string().optional() }),
    returns: ['regions'],
    handle: async () => ({
      regions: [{ region_id: REGION, name: 'This system', default: true, geo_lat: '0', geo_long: '0' }],
    }),
  }),
]
