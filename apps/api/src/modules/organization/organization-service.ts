import { randomInt } from 'node:crypto'
import type { Actor, App, CallOptions } from '../../app.ts'
import { can, isOrganizationRole, type OrganizationRole } from '../../auth/permission.ts'
import type { Database, Transaction } from '../../db/database.ts'
import type { invitation, member, organization, user } from '../../generated/prisma/client.ts'
import { newOrganizationId, newUuid } from '../../shared/ids.ts'
import { catchFailure, FailureError, failure, notFound, type Result, success, unwrap } from '../../shared/result.ts'
import { notAllowed } from '../access.ts'
import { recordAudit } from '../audit/audit-service.ts'
import { checkName } from '../project/project-rules.ts'
import { checkEmail, checkRoleChange, checkSlug, slugFrom } from './organization-rules.ts'

const INVITATION_MS = 7 * 24 * 3600 * 1000
const ORGANIZATIONS_PER_USER_MAX = 50

export type Member = member & { user: user }

export class OrganizationService {
  readonly #app: App

  constructor(app: App) {
    this.#app = app
  }

  async bySlug(actor: Actor, slug: string): Promise<Result<organization>> {
    return this.#visible(actor, await this.#app.database.organization.findUnique({ where: { slug } }))
  }

  async get(actor: Actor, id: string): Promise<Result<organization>> {
    return this.#visible(actor, await this.#app.database.organization.findUnique({ where: { id } }))
  }

  #visible(actor: Actor, found: organization | null): Result<organization> {
    if (!found || !can(actor, 'organization.view', { organizationId: found.id })) return notFound('organization')
    return success(found)
  }

  /** A key limited to a project sees the project, not who owns it. */
  async listOf(actor: Actor): Promise<organization[]> {
    if (actor.kind === 'system') return []
    const ids = [...actor.roles.keys()].filter((organizationId) => can(actor, 'organization.view', { organizationId }))
    return this.#app.database.organization.findMany({ where: { id: { in: ids } }, orderBy: { createdAt: 'asc' } })
  }

  async create(
    actor: Actor,
    input: { name: string; slug: string },
    options: CallOptions = {},
  ): Promise<Result<organization>> {
    return catchFailure(async () => {
      if (
        actor.kind !== 'user' &&
        !(actor.kind === 'api-key' && actor.organizationId === null && actor.projectId === null && !actor.isReadOnly)
      )
        throw new FailureError(failure('NOT_ALLOWED', 'this key may not create organizations').error)
      if (actor.roles.size >= ORGANIZATIONS_PER_USER_MAX)
        throw new FailureError(
          failure('QUOTA_EXCEEDED', `a person may be in ${ORGANIZATIONS_PER_USER_MAX} organizations`).error,
        )
      const name = unwrap(checkName('name', input.name))
      const slug = unwrap(checkSlug(input.slug))
      return this.#app.database.$transaction(async (tx) => {
        if (await tx.organization.findUnique({ where: { slug } }))
          throw new FailureError(failure('NAME_TAKEN', `slug: ${slug} is taken`, 'slug').error)
        const made = await makeOrganization(tx, { name, slug, ownerId: actor.userId })
        await recordAudit(tx, actor, { action: 'organization.create', subject: name, organizationId: made.id }, options)
        return made
      })
    })
  }

  async members(organizationId: string): Promise<Member[]> {
    return this.#app.database.member.findMany({
      where: { organizationId },
      include: { user: true },
      orderBy: { createdAt: 'asc' },
    })
  }

  async invitations(organizationId: string): Promise<invitation[]> {
    return this.#app.database.invitation.findMany({
      where: { organizationId, status: 'pending', expiresAt: { gt: new Date() } },
      orderBy: { createdAt: 'asc' },
    })
  }

  /** The invited person signs in with that mail address and opens the link with the invitation's id. */
  async invite(
    actor: Actor,
    input: { organizationId: string; email: string; role: OrganizationRole },
    options: CallOptions = {},
  ): Promise<Result<invitation>> {
    return catchFailure(async () => {
      const { organizationId } = input
      const found = unwrap(await this.#manageable(actor, organizationId))
      if (actor.kind === 'system') throw new FailureError(notFound('organization').error)
      const email = unwrap(checkEmail(input.email))
      const actorRole = actor.roles.get(organizationId) ?? 'VIEWER'
      unwrap(checkRoleChange({ actorRole, from: 'VIEWER', to: input.role, ownerCount: 1 }))
      return this.#app.database.$transaction(async (tx) => {
        if (await tx.member.findFirst({ where: { organizationId, user: { email } } }))
          throw new FailureError(failure('CONFLICT', `email: ${email} is a member already`, 'email').error)
        await tx.invitation.updateMany({
          where: { organizationId, email, status: 'pending' },
          data: { status: 'canceled' },
        })
        const made = await tx.invitation.create({
          data: {
            id: newUuid(),
            organizationId,
            email,
            role: input.role.toLowerCase(),
            status: 'pending',
            expiresAt: new Date(Date.now() + INVITATION_MS),
            inviterId: actor.userId,
          },
        })
        await recordAudit(
          tx,
          actor,
          {
            action: 'member.invite',
            subject: email,
            organizationId,
            detail: { organization: found.slug, role: input.role },
          },
          options,
        )
        return made
      })
    })
  }

  async changeRole(
    actor: Actor,
    input: { organizationId: string; memberId: string; role: OrganizationRole },
    options: CallOptions = {},
  ): Promise<Result<Member>> {
    return catchFailure(async () => {
      const { organizationId, memberId, role } = input
      unwrap(await this.#manageable(actor, organizationId))
      return this.#app.database.$transaction(async (tx) => {
        const found = await this.#checkChange(tx, actor, organizationId, memberId, role)
        const changed = await tx.member.update({
          where: { id: memberId },
          data: { role: role.toLowerCase() },
          include: { user: true },
        })
        await recordAudit(
          tx,
          actor,
          { action: 'member.change-role', subject: found.user.email, organizationId, detail: { role } },
          options,
        )
        return changed
      })
    })
  }

  /** Everybody may leave; others are removed by who manages members. */
  async removeMember(
    actor: Actor,
    input: { organizationId: string; memberId: string },
    options: CallOptions = {},
  ): Promise<Result<null>> {
    return catchFailure(async () => {
      const { organizationId, memberId } = input
      const found = unwrap(await this.get(actor, organizationId))
      const isSelf =
        actor.kind === 'user' &&
        (await this.#app.database.member.findFirst({
          where: { id: memberId, organizationId, userId: actor.userId },
        })) !== null
      if (!isSelf) unwrap(await this.#manageable(actor, found.id))
      return this.#app.database.$transaction(async (tx) => {
        const removed = await this.#checkChange(tx, actor, organizationId, memberId, null)
        await tx.member.delete({ where: { id: memberId } })
        await recordAudit(tx, actor, { action: 'member.remove', subject: removed.user.email, organizationId }, options)
        return null
      })
    })
  }

  async #checkChange(
    tx: Transaction,
    actor: Actor,
    organizationId: string,
    memberId: string,
    to: OrganizationRole | null,
  ): Promise<Member> {
    // Two owners who unmake each other at once must not both succeed.
    await tx.$queryRaw`SELECT 1 FROM organization WHERE id = ${organizationId} FOR UPDATE`
    const found = await tx.member.findFirst({ where: { id: memberId, organizationId }, include: { user: true } })
    if (!found) throw new FailureError(notFound('member').error)
    const ownerCount = await tx.member.count({ where: { organizationId, role: 'owner' } })
    const actorRole = actor.kind === 'system' ? 'SYSTEM' : (actor.roles.get(organizationId) ?? 'VIEWER')
    const isSelfLeaving = to === null && actor.kind === 'user' && found.userId === actor.userId
    unwrap(checkRoleChange({ actorRole: isSelfLeaving ? 'OWNER' : actorRole, from: roleOf(found), to, ownerCount }))
    return found
  }

  async #manageable(actor: Actor, organizationId: string): Promise<Result<organization>> {
    const found = await this.get(actor, organizationId)
    if (found.ok && !can(actor, 'organization.manage-members', { organizationId }))
      return notAllowed(actor, 'organization.manage-members')
    return found
  }
}

export function roleOf(row: { role: string | null }): OrganizationRole {
  const name = (row.role ?? '').split(',')[0]?.toUpperCase() ?? ''
  return isOrganizationRole(name) ? name : 'VIEWER'
}

export async function makeOrganization(
  tx: Transaction | Database,
  input: { name: string; slug: string; ownerId: string },
): Promise<organization> {
  const id = newOrganizationId()
  const now = new Date()
  return tx.organization.create({
    data: {
      id,
      name: input.name,
      slug: input.slug,
      createdAt: now,
      members: { create: { id: newUuid(), userId: input.ownerId, role: 'owner', createdAt: now } },
    },
  })
}

/** Who signs up gets an organization of their own, so that there is somewhere to create a project. */
export async function makePersonalOrganization(
  database: Database,
  person: { id: string; name: string; email: string },
): Promise<organization> {
  const base = slugFrom(person.name) || slugFrom(person.email.split('@')[0] ?? '') || 'personal'
  for (let attempt = 0; ; attempt++) {
    const slug = attempt === 0 ? base : `${base}-${randomInt(1000, 1_000_000)}`
    if (await database.organization.findUnique({ where: { slug } })) continue
    return makeOrganization(database, { name: person.name || slug, slug, ownerId: person.id })
  }
}
