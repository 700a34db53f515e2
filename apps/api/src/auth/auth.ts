import { apiKey } from '@better-auth/api-key'
import { betterAuth } from 'better-auth'
import { prismaAdapter } from 'better-auth/adapters/prisma'
import { bearer, organization } from 'better-auth/plugins'
import { createAccessControl } from 'better-auth/plugins/access'
import { defaultStatements } from 'better-auth/plugins/organization/access'
import type { Database } from '../db/database.ts'
import { newOrganizationId, newUuid } from '../shared/ids.ts'

export const API_KEY_PREFIX = 'trb_'
export const AUTH_PATH = '/api/auth'
export const PASSWORD_CHARACTERS_MIN = 10

/**
 * The log-in library over our catalog: accounts, sessions, organizations, keys. What a member may do with projects is
 * decided in permission.ts; the roles given here are for the library's own calls.
 */
export function openAuth(options: {
  readonly database: Database
  readonly secret: string
  readonly baseUrl: string
  readonly trustedOrigins: readonly string[]
  readonly allowSignUp: boolean
  readonly onUserCreated: (user: { id: string; name: string; email: string }) => Promise<void>
}) {
  const access = createAccessControl(defaultStatements)
  const manage = {
    organization: ['update'],
    member: ['create', 'update', 'delete'],
    invitation: ['create', 'cancel'],
  } as const
  return betterAuth({
    secret: options.secret,
    baseURL: options.baseUrl,
    basePath: AUTH_PATH,
    database: prismaAdapter(options.database, { provider: 'postgresql' }),
    emailAndPassword: {
      enabled: true,
      disableSignUp: !options.allowSignUp,
      minPasswordLength: PASSWORD_CHARACTERS_MIN,
    },
    session: { expiresIn: 30 * 24 * 3600, updateAge: 24 * 3600 },
    telemetry: { enabled: false },
    logger: { level: 'error' },
    trustedOrigins: [...options.trustedOrigins],
    rateLimit: {
      enabled: true,
      window: 60,
      max: 300,
      customRules: { '/sign-in/email': { window: 60, max: 20 }, '/sign-up/email': { window: 60, max: 20 } },
    },
    user: { additionalFields: { isOperator: { type: 'boolean', input: false, defaultValue: false } } },
    advanced: {
      cookiePrefix: 'tributary',
      database: { generateId: ({ model }) => (model === 'organization' ? newOrganizationId() : newUuid()) },
    },
    databaseHooks: { user: { create: { after: (user) => options.onUserCreated(user) } } },
    plugins: [
      organization({
        ac: access,
        // No mail is sent. The id of an invitation is random, and known to who was given its link alone.
        requireEmailVerificationOnInvitation: false,
        roles: {
          owner: access.newRole({ ...manage, organization: ['update', 'delete'] }),
          admin: access.newRole(manage),
          member: access.newRole({}),
          viewer: access.newRole({}),
        },
      }),
      bearer(),
      apiKey({
        defaultPrefix: API_KEY_PREFIX,
        enableMetadata: false,
        maximumNameLength: 64,
        rateLimit: { enabled: false },
        // Times are days; the longest is what a person may ask for.
        keyExpiration: { defaultExpiresIn: null, minExpiresIn: 1, maxExpiresIn: 3650 },
      }),
    ],
  })
}

export type Auth = ReturnType<typeof openAuth>
