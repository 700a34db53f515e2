import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import * as fs from 'node:fs'
import * as path from 'node:path'
import type { App } from '../../app.ts'
import type { Auth } from '../../auth/auth.ts'
import { newPassword } from '../../shared/ids.ts'
import { makeOrganization } from '../organization/organization-service.ts'

const SETTING = 'first-run'
const OWNER_EMAIL = 'owner@localhost.local'
const TOKEN_MS = 24 * 3600 * 1000
export const FIRST_RUN_PATH = '/api/first-run'

interface FirstRunState {
  readonly userId: string
  readonly organizationId: string
  readonly passwordSealed: string
  /** SHA-256 of the token of the sign-in link; null when it has been used. */
  readonly tokenDigest: string | null
  readonly tokenExpiresAt: string | null
}

export interface DemoReport {
  readonly state: 'making' | 'ready' | 'failed' | 'off'
  readonly postgresUri: string | null
  readonly error?: string
}

/**
 * The first start: a local owner with an organization and a key in a file for automation. Every start: a link that signs the owner
 * in once. Each start writes run/first-run.json, from which the supervisor tells people where to go.
 */
export class FirstRun {
  readonly #app: App
  readonly #auth: Auth
  #state: FirstRunState | undefined
  #signInUrl: string | null = null

  constructor(app: App, auth: Auth) {
    this.#app = app
    this.#auth = auth
  }

  get ownerApiKeyFile(): string {
    return path.join(this.#app.config.secretsFolder, 'owner-api-key')
  }

  get organizationId(): string {
    if (!this.#state) throw new Error('the first start is not done')
    return this.#state.organizationId
  }

  /** Idempotent: a start that was cut off goes on where it was. */
  async prepare(): Promise<void> {
    const { database } = this.#app
    const row = await database.setting.findUnique({ where: { key: SETTING } })
    this.#state = row ? (row.value as unknown as FirstRunState) : await this.#makeOwner()
    if (!fs.existsSync(this.ownerApiKeyFile)) await this.#makeKey(this.#state.userId)
    // Nobody knows the owner's password: without a link of this start, an owner whose session has ended could never come back.
    await this.#makeLink(this.#state)
  }

  async #makeOwner(): Promise<FirstRunState> {
    const { database, secrets } = this.#app
    const existing = await database.user.findUnique({ where: { email: OWNER_EMAIL } })
    const password = newPassword()
    // Half made by a start that was cut off: nobody knows its password, so it is made again.
    if (existing) await database.user.delete({ where: { id: existing.id } })
    const context = await this.#auth.$context
    const user = await context.internalAdapter.createUser(
      { name: 'Local owner', email: OWNER_EMAIL, emailVerified: true },
      { method: 'admin' },
    )
    await context.internalAdapter.linkAccount({
      userId: user.id,
      providerId: 'credential',
      accountId: user.id,
      password: await context.password.hash(password),
    })
    await database.user.update({ where: { id: user.id }, data: { isOperator: true } })
    const own = await database.member.findFirst({ where: { userId: user.id } })
    const organizationId =
      own?.organizationId ?? (await makeOrganization(database, { name: 'Local', slug: 'local', ownerId: user.id })).id
    await database.organization.update({ where: { id: organizationId }, data: { name: 'Local', slug: 'local' } })
    const state: FirstRunState = {
      userId: user.id,
      organizationId,
      passwordSealed: secrets.seal(password, 'first-run:password'),
      tokenDigest: 'unset',
      tokenExpiresAt: null,
    }
    await this.#save(state)
    return state
  }

  async #makeKey(userId: string): Promise<void> {
    const made = await this.#auth.api.createApiKey({ body: { name: 'local owner', userId, rateLimitEnabled: false } })
    const unfinished = `${this.ownerApiKeyFile}.${process.pid}`
    fs.writeFileSync(unfinished, `${made.key}\n`, { mode: 0o600 })
    fs.renameSync(unfinished, this.ownerApiKeyFile)
  }

  async #makeLink(state: FirstRunState): Promise<void> {
    const token = randomBytes(24).toString('base64url')
    await this.#save({
      ...state,
      tokenDigest: digestOf(token).toString('hex'),
      tokenExpiresAt: new Date(Date.now() + TOKEN_MS).toISOString(),
    })
    this.#signInUrl = `${this.#app.config.webOrigin}${FIRST_RUN_PATH}/${token}`
  }

  /** The response of a log-in, whose cookies are the session; null when the token is not the one of the link. */
  async signIn(token: string): Promise<Response | null> {
    const state = this.#state
    if (!state || state.tokenDigest === null || state.tokenDigest === 'unset' || state.tokenExpiresAt === null)
      return null
    const expected = Buffer.from(state.tokenDigest, 'hex')
    if (!timingSafeEqual(expected, digestOf(token)) || Date.parse(state.tokenExpiresAt) < Date.now()) return null
    const response = await this.#auth.api.signInEmail({
      body: { email: OWNER_EMAIL, password: this.#app.secrets.open(state.passwordSealed, 'first-run:password') },
      asResponse: true,
    })
    if (!response.ok) return null
    await this.#save({ ...state, tokenDigest: null, tokenExpiresAt: null })
    this.#signInUrl = null
    return response
  }

  /** run/first-run.json, for the supervisor. */
  report(demo: DemoReport): void {
    const folder = path.join(this.#app.config.home, 'run')
    fs.mkdirSync(folder, { recursive: true })
    const file = path.join(folder, 'first-run.json')
    const report = { ownerApiKeyFile: this.ownerApiKeyFile, signInUrl: this.#signInUrl, demo }
    fs.writeFileSync(`${file}.${process.pid}`, `${JSON.stringify(report, null, 2)}\n`, { mode: 0o600 })
    fs.renameSync(`${file}.${process.pid}`, file)
  }

  async #save(state: FirstRunState): Promise<void> {
    this.#state = state
    const value = JSON.parse(JSON.stringify(state))
    await this.#app.database.setting.upsert({
      where: { key: SETTING },
      create: { key: SETTING, value },
      update: { value },
    })
  }
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}
