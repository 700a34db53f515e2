import { createHash } from 'node:crypto'
import type { Database } from '../db/database.ts'
import { API_KEY_PREFIX, type Auth } from './auth.ts'
import { type Actor, isOrganizationRole, type OrganizationRole } from './permission.ts'

/** A checked key is believed for this long: each check of the library writes to the key's row. */
const KEY_CACHE_MS = 5000
const KEY_CACHE_SIZE_MAX = 10_000

export interface RequestHeaders {
  readonly authorization?: string | undefined
  readonly cookie?: string | undefined
}

/** Who makes a request: from an API key (`Authorization: Bearer trb_…`), a session token, or a session cookie. */
export class Authenticator {
  readonly #auth: Auth
  readonly #database: Database
  readonly #keys = new Map<string, { readonly keyId: string; readonly untilMs: number }>()

  constructor(auth: Auth, database: Database) {
    this.#auth = auth
    this.#database = database
  }

  /** Null: nobody we know. */
  async authenticate(headers: RequestHeaders): Promise<Actor | null> {
    const bearer = /^Bearer\s+(\S+)$/i.exec(headers.authorization ?? '')?.[1]
    if (bearer?.startsWith(API_KEY_PREFIX)) return this.#byKey(bearer)
    if (bearer === undefined && !headers.cookie) return null
    const session = await this.#auth.api.getSession({
      headers: new Headers({
        ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
        ...(headers.cookie ? { cookie: headers.cookie } : {}),
      }),
    })
    if (!session) return null
    const { user } = session
    return {
      kind: 'user',
      userId: user.id,
      name: user.name,
      email: user.email,
      isOperator: user.isOperator === true,
      roles: await this.#rolesOf(user.id),
    }
  }

  /** Called when a key is revoked here. */
  forgetKeys(): void {
    this.#keys.clear()
  }

  async #byKey(secret: string): Promise<Actor | null> {
    const keyId = await this.#checkKey(secret)
    if (keyId === null) return null
    const key = await this.#database.apikey.findUnique({ where: { id: keyId } })
    if (!key || key.enabled === false || (key.expiresAt && key.expiresAt.getTime() <= Date.now())) return null
    const user = await this.#database.user.findUnique({ where: { id: key.referenceId } })
    if (!user) return null
    const roles = await this.#rolesOf(user.id)
    const { organizationId } = key
    return {
      kind: 'api-key',
      keyId: key.id,
      keyName: key.name ?? key.start ?? key.id,
      userId: user.id,
      name: user.name,
      email: user.email,
      isOperator: user.isOperator && organizationId === null && key.projectId === null,
      roles: organizationId === null ? roles : new Map([...roles].filter(([id]) => id === organizationId)),
      organizationId,
      projectId: key.projectId,
      isReadOnly: key.isReadOnly,
    }
  }

  async #checkKey(secret: string): Promise<string | null> {
    const digest = createHash('sha256').update(secret).digest('base64')
    const nowMs = performance.now()
    const cached = this.#keys.get(digest)
    if (cached && cached.untilMs > nowMs) return cached.keyId
    const { valid, key } = await this.#auth.api.verifyApiKey({ body: { key: secret } })
    if (!valid || !key) return null
    if (this.#keys.size >= KEY_CACHE_SIZE_MAX) this.#keys.clear()
    this.#keys.set(digest, { keyId: key.id, untilMs: nowMs + KEY_CACHE_MS })
    return key.id
  }

  async #rolesOf(userId: string): Promise<ReadonlyMap<string, OrganizationRole>> {
    const members = await this.#database.member.findMany({ where: { userId } })
    return new Map(
      members.flatMap(({ organizationId, role }) => {
        // The library allows several roles, separated by commas; we give one.
        const name = role.split(',')[0]?.toUpperCase() ?? ''
        return isOrganizationRole(name) ? [[organizationId, name] as const] : []
      }),
    )
  }
}
