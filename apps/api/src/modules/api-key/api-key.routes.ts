import { z } from 'zod'
import { can } from '../../auth/permission.ts'
import type { apikey } from '../../generated/prisma/client.ts'
import { type RestCall, type RestRoute, restRoute } from '../../http/rest/rest-route.ts'
import { FailureError, notFound, unwrap } from '../../shared/result.ts'
import { notAllowed } from '../access.ts'
import { asUuid } from '../organization/uuid-view.ts'

const createBody = z.strictObject({ key_name: z.string().min(1).max(64) })
const orgCreateBody = createBody.extend({ project_id: z.string().optional() })

function common(key: apikey) {
  return {
    id: Number(key.number),
    name: key.name ?? key.start ?? key.id,
    created_at: key.createdAt.toISOString(),
    last_used_at: key.lastRequest?.toISOString() ?? null,
    // Not recorded.
    last_used_from_addr: '',
  }
}

async function listItems(call: RestCall, keys: readonly apikey[]) {
  const ids = [...new Set(keys.map(({ referenceId }) => referenceId))]
  const users = await call.app.database.user.findMany({ where: { id: { in: ids } } })
  return keys.map((key) => ({
    ...common(key),
    ...(key.projectId === null ? {} : { project_id: key.projectId }),
    created_by: {
      id: asUuid(key.referenceId),
      name: users.find(({ id }) => id === key.referenceId)?.name ?? '',
      image: '',
    },
  }))
}

const made = ({ key, secret }: { key: apikey; secret: string }) => ({
  id: Number(key.number),
  key: secret,
  name: key.name ?? '',
  created_at: key.createdAt.toISOString(),
  created_by: asUuid(key.referenceId),
  ...(key.projectId === null ? {} : { project_id: key.projectId }),
})

async function revoke(call: RestCall) {
  const number = call.params['key_id']!
  if (!/^\d{1,18}$/.test(number)) throw new FailureError(notFound('API key').error)
  const key = unwrap(await call.services.apiKeys.revokeByNumber(call.actor, BigInt(number), call.options))
  return { ...common(key), created_by: asUuid(key.referenceId), revoked: true }
}

/** Throws NOT_FOUND for an organization the caller may not see, NOT_ALLOWED for one whose keys are not theirs. */
async function managedOrganization(call: RestCall): Promise<string> {
  const organization = unwrap(await call.services.organizations.get(call.actor, call.params['org_id']!))
  if (!can(call.actor, 'organization.manage-keys', { organizationId: organization.id }))
    throw new FailureError(notAllowed(call.actor, 'organization.manage-keys').error)
  return organization.id
}

export const apiKeyRoutes: readonly RestRoute[] = [
  restRoute({
    method: 'GET',
    path: '/api_keys',
    operationId: 'listApiKeys',
    summary: 'Keys of the person the key belongs to',
    returns: 'list',
    handle: async (call) => listItems(call, await call.services.apiKeys.listOwn(call.actor)),
  }),
  restRoute({
    method: 'POST',
    path: '/api_keys',
    operationId: 'createApiKey',
    summary: 'Makes a key; its secret is in this answer alone',
    body: createBody,
    returns: ['id', 'key', 'name', 'created_at', 'created_by'],
    handle: async (call) =>
      made(unwrap(await call.services.apiKeys.create(call.actor, { name: call.body.key_name }, call.options))),
  }),
  restRoute({
    method: 'DELETE',
    path: '/api_keys/{key_id}',
    operationId: 'revokeApiKey',
    summary: 'Revokes a key',
    returns: ['id', 'name', 'created_at', 'created_by', 'last_used_at', 'last_used_from_addr', 'revoked'],
    handle: revoke,
  }),
  restRoute({
    method: 'GET',
    path: '/organizations/{org_id}/api_keys',
    operationId: 'listOrgApiKeys',
    summary: 'Keys of an organization',
    returns: 'list',
    handle: async (call) => listItems(call, await call.services.apiKeys.listOf(await managedOrganization(call))),
  }),
  restRoute({
    method: 'POST',
    path: '/organizations/{org_id}/api_keys',
    operationId: 'createOrgApiKey',
    summary: 'Makes a key for an organization, or for one of its projects',
    body: orgCreateBody,
    returns: ['id', 'key', 'name', 'created_at', 'created_by', 'project_id'],
    async handle(call) {
      const organizationId = await managedOrganization(call)
      const input = { name: call.body.key_name, organizationId, projectId: call.body.project_id }
      return made(unwrap(await call.services.apiKeys.create(call.actor, input, call.options)))
    },
  }),
  restRoute({
    method: 'DELETE',
    path: '/organizations/{org_id}/api_keys/{key_id}',
    operationId: 'revokeOrgApiKey',
    summary: 'Revokes a key of an organization',
    returns: ['id', 'name', 'created_at', 'created_by', 'last_used_at', 'last_used_from_addr', 'revoked'],
    async handle(call) {
      const organizationId = await managedOrganization(call)
      const keys = await call.services.apiKeys.listOf(organizationId)
      if (!keys.some(({ number }) => String(number) === call.params['key_id']))
        throw new FailureError(notFound('API key').error)
      return revoke(call)
    },
  }),
]
