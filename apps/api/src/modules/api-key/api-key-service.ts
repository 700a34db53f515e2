import type { Actor, App, CallOptions } from '../../app.ts'
import type { Auth } from '../../auth/auth.ts'
import type { Authenticator } from '../../auth/authenticate.ts'
import { can } from '../../auth/permission.ts'
import type { apikey } from '../../generated/prisma/client.ts'
import { catchFailure, FailureError, failure, invalid, notFound, type Result, unwrap } from '../../shared/result.ts'
import { accessProject, notAllowed } from '../access.ts'
import { recordAudit } from '../audit/audit-service.ts'

const NAME_CHARACTERS_MAX = 64
const KEYS_PER_USER_MAX = 200
const DAY_SECONDS = 24 * 3600

export interface CreateApiKeyInput {
  readonly name: string
  readonly organizationId?: string | null | undefined
  readonly projectId?: string | null | undefined
  readonly expiresInDays?: number | null | undefined
  readonly isReadOnly?: boolean | null | undefined
}

export class ApiKeyService {
  readonly #app: App
  readonly #auth: Auth
  readonly #authenticator: Authenticator

  constructor(app: App, auth: Auth, authenticator: Authenticator) {
    this.#app = app
    this.#auth = auth
    this.#authenticator = authenticator
  }

  /** The secret is in the answer and nowhere else. A key never gets more than whoever makes it may do. */
  async create(
    actor: Actor,
    input: CreateApiKeyInput,
    options: CallOptions = {},
  ): Promise<Result<{ key: apikey; secret: string }>> {
    const { database } = this.#app
    return catchFailure(async () => {
      if (actor.kind === 'system') throw new FailureError(failure('NOT_ALLOWED', 'the system has no keys').error)
      const name = input.name.trim()
      if (name === '' || [...name].length > NAME_CHARACTERS_MAX)
        throw new FailureError(invalid('name', `must have 1 to ${NAME_CHARACTERS_MAX} characters`).error)
      const days = input.expiresInDays ?? null
      if (days !== null && !(Number.isInteger(days) && days >= 1 && days <= 3650))
        throw new FailureError(invalid('expiresInDays', 'must be between 1 and 3650').error)
      const scope = await this.#scope(actor, input)
      await this.#refuseOutliving(actor, days)
      if ((await database.apikey.count({ where: { referenceId: actor.userId, enabled: true } })) >= KEYS_PER_USER_MAX)
        throw new FailureError(failure('QUOTA_EXCEEDED', `a person may have ${KEYS_PER_USER_MAX} keys`).error)
      const made = await this.#auth.api.createApiKey({
        body: {
          name,
          userId: actor.userId,
          rateLimitEnabled: false,
          ...(days === null ? {} : { expiresIn: days * DAY_SECONDS }),
        },
      })
      // Until this is done the key is not limited, and nobody has seen its secret.
      const key = await database.$transaction(async (tx) => {
        const updated = await tx.apikey.update({ where: { id: made.id }, data: scope })
        await recordAudit(
          tx,
          actor,
          {
            action: 'api-key.create',
            subject: name,
            organizationId: scope.organizationId,
            projectId: scope.projectId,
            detail: { keyId: made.id, isReadOnly: scope.isReadOnly },
          },
          options,
        )
        return updated
      })
      return { key, secret: made.key }
    })
  }

  async #scope(actor: Exclude<Actor, { kind: 'system' }>, input: CreateApiKeyInput) {
    const isReadOnly = input.isReadOnly === true
    if (actor.kind === 'api-key') {
      if (actor.isReadOnly) throw new FailureError(notAllowed(actor, 'project.manage-keys').error)
      if (actor.projectId !== null && input.projectId !== actor.projectId)
        throw new FailureError(failure('NOT_ALLOWED', 'this key may make keys for its own project only').error)
      if (actor.organizationId !== null && !input.projectId && input.organizationId !== actor.organizationId)
        throw new FailureError(failure('NOT_ALLOWED', 'this key may make keys for its own organization only').error)
    }
    if (input.projectId) {
      const project = unwrap(await accessProject(this.#app, actor, input.projectId, 'project.manage-keys'))
      if (input.organizationId && input.organizationId !== project.organizationId)
        throw new FailureError(invalid('projectId', 'is not of that organization').error)
      return { organizationId: project.organizationId, projectId: project.id, isReadOnly }
    }
    if (input.organizationId) {
      const { organizationId } = input
      if (!can(actor, 'organization.view', { organizationId })) throw new FailureError(notFound('organization').error)
      if (!can(actor, 'organization.manage-keys', { organizationId }))
        throw new FailureError(notAllowed(actor, 'organization.manage-keys').error)
      return { organizationId, projectId: null, isReadOnly }
    }
    return { organizationId: null, projectId: null, isReadOnly }
  }

  /** Whoever got hold of a key that expires has no other one afterwards. */
  async #refuseOutliving(actor: Exclude<Actor, { kind: 'system' }>, days: number | null): Promise<void> {
    if (actor.kind !== 'api-key') return
    const own = await this.#app.database.apikey.findUnique({ where: { id: actor.keyId }, select: { expiresAt: true } })
    const expiresAt = own?.expiresAt ?? null
    if (expiresAt === null || (days !== null && Date.now() + days * DAY_SECONDS * 1000 <= expiresAt.getTime())) return
    throw new FailureError(
      invalid(
        'expiresInDays',
        `a key that expires makes none that is good for longer: until ${expiresAt.toISOString()}`,
      ).error,
    )
  }

  /** Keys of the actor's person, whatever their scope. */
  async listOwn(actor: Actor): Promise<apikey[]> {
    if (actor.kind === 'system') return []
    if (actor.kind === 'api-key' && (actor.organizationId !== null || actor.projectId !== null)) return []
    return this.#app.database.apikey.findMany({
      where: { referenceId: actor.userId, enabled: true },
      orderBy: { createdAt: 'asc' },
    })
  }

  /** The caller has checked `organization.manage-keys`. */
  async listOf(organizationId: string): Promise<apikey[]> {
    return this.#app.database.apikey.findMany({
      where: { organizationId, enabled: true },
      orderBy: { createdAt: 'asc' },
    })
  }

  async revoke(actor: Actor, id: string, options: CallOptions = {}): Promise<Result<apikey>> {
    return this.#revoke(actor, await this.#app.database.apikey.findUnique({ where: { id } }), options)
  }

  /** By the number the REST interface shows. */
  async revokeByNumber(actor: Actor, number: bigint, options: CallOptions = {}): Promise<Result<apikey>> {
    return this.#revoke(actor, await this.#app.database.apikey.findUnique({ where: { number } }), options)
  }

  async #revoke(actor: Actor, key: apikey | null, options: CallOptions): Promise<Result<apikey>> {
    return catchFailure(async () => {
      if (!key || key.enabled === false || !this.#mayRevoke(actor, key))
        throw new FailureError(notFound('API key').error)
      const revoked = await this.#app.database.$transaction(async (tx) => {
        await recordAudit(
          tx,
          actor,
          {
            action: 'api-key.revoke',
            subject: key.name ?? key.id,
            organizationId: key.organizationId,
            projectId: key.projectId,
            detail: { keyId: key.id },
          },
          options,
        )
        return tx.apikey.update({ where: { id: key.id }, data: { enabled: false } })
      })
      this.#authenticator.forgetKeys()
      return revoked
    })
  }

  #mayRevoke(actor: Actor, key: apikey): boolean {
    if (actor.kind === 'system') return true
    if (actor.kind === 'api-key' && actor.isReadOnly) return false
    const isOwn =
      key.referenceId === actor.userId &&
      (actor.kind === 'user' || (actor.organizationId === null && actor.projectId === null) || key.id === actor.keyId)
    if (isOwn) return true
    const { organizationId } = key
    return organizationId !== null && can(actor, 'organization.manage-keys', { organizationId })
  }
}
