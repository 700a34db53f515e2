import type { Actor } from '../app.ts'
import { can } from '../auth/permission.ts'
import type { apikey } from '../generated/prisma/client.ts'
import { auditPage } from '../modules/audit/audit-service.ts'
import { roleOf } from '../modules/organization/organization-service.ts'
import { pageRequest } from '../shared/pagination.ts'
import { builder, guarded, orNull } from './builder.ts'
import { actorOf, callOf, type GraphContext } from './context.ts'
import {
  ApiKeyPayloadRef,
  ApiKeyRef,
  AuditConnectionRef,
  AuditEntryRef,
  DeletePayloadRef,
  InvitationPayloadRef,
  InvitationRef,
  MemberPayloadRef,
  MemberRef,
  NodeRef,
  OrganizationPayloadRef,
  OrganizationRef,
  ProjectConnectionRef,
  payload,
  UsageSummaryRef,
  UserRef,
  ViewerRef,
} from './refs.ts'

export const OrganizationRoleEnum = builder.enumType('OrganizationRole', {
  values: ['OWNER', 'ADMIN', 'MEMBER', 'VIEWER'] as const,
})

const personOf = (actor: Actor) =>
  actor.kind === 'system'
    ? { id: 'system', name: actor.name, email: '' }
    : { id: actor.userId, name: actor.name, email: actor.email }

builder.objectType(UserRef, {
  fields: (t) => ({ id: t.exposeID('id'), name: t.exposeString('name'), email: t.exposeString('email') }),
})

builder.objectType(ViewerRef, {
  description: 'Whoever makes the request.',
  interfaces: [NodeRef],
  isTypeOf: (value) => typeof value === 'object' && value !== null && 'isViewer' in value,
  fields: (t) => ({
    id: t.exposeID('id'),
    user: t.field({ type: UserRef, resolve: (viewer) => viewer }),
    organizations: t.field({
      type: [OrganizationRef],
      resolve: (_viewer, _args, context) => context.services.organizations.listOf(actorOf(context)),
    }),
    apiKeys: t.field({
      type: [ApiKeyRef],
      description: 'Keys of this person.',
      resolve: (_viewer, _args, context) => context.services.apiKeys.listOwn(actorOf(context)),
    }),
  }),
})

const roleIn = (context: GraphContext, organizationId: string) => {
  const actor = actorOf(context)
  return actor.kind === 'system' ? 'OWNER' : (actor.roles.get(organizationId) ?? 'VIEWER')
}

builder.objectType(OrganizationRef, {
  description: 'A tenant of people: owns projects.',
  interfaces: [NodeRef],
  isTypeOf: (value) => typeof value === 'object' && value !== null && 'slug' in value,
  fields: (t) => ({
    id: t.exposeID('id'),
    slug: t.exposeString('slug'),
    name: t.exposeString('name'),
    createdAt: t.expose('createdAt', { type: 'DateTime' }),
    viewerRole: t.field({ type: OrganizationRoleEnum, resolve: ({ id }, _args, context) => roleIn(context, id) }),
    projects: t.field({
      type: ProjectConnectionRef,
      args: { first: t.arg.int({ defaultValue: 50, required: true }), after: t.arg.string(), search: t.arg.string() },
      resolve: ({ id }, args, context) =>
        guarded(() =>
          context.services.projects.list(
            actorOf(context),
            { organizationId: id, search: args.search ?? null },
            pageRequest(args.first, args.after, 50),
          ),
        ),
    }),
    members: t.field({
      type: [MemberRef],
      resolve: ({ id }, _args, context) => context.services.organizations.members(id),
    }),
    invitations: t.field({
      type: [InvitationRef],
      description: 'Pending ones. The id of an invitation is the secret of its link: only for who manages members.',
      resolve: ({ id }, _args, context) =>
        can(actorOf(context), 'organization.manage-members', { organizationId: id })
          ? context.services.organizations.invitations(id)
          : [],
    }),
    apiKeys: t.field({
      type: [ApiKeyRef],
      resolve: ({ id }, _args, context) =>
        can(actorOf(context), 'organization.manage-keys', { organizationId: id })
          ? context.services.apiKeys.listOf(id)
          : [],
    }),
    usage: t.field({
      type: UsageSummaryRef,
      args: { from: t.arg({ type: 'DateTime' }), to: t.arg({ type: 'DateTime' }) },
      resolve: ({ id }, { from, to }, context) => context.services.usage.ofOrganization(id, from ?? null, to ?? null),
    }),
    auditLog: t.field({
      type: AuditConnectionRef,
      args: { first: t.arg.int({ defaultValue: 50, required: true }), after: t.arg.string() },
      resolve: ({ id }, args, context) =>
        guarded(async () => {
          const request = pageRequest(args.first, args.after, 50)
          if (!can(actorOf(context), 'organization.view-audit', { organizationId: id }))
            return { nodes: [], cursorOf: () => '', hasNextPage: false, totalCount: 0 }
          return auditPage(context.app, { organizationId: id }, request)
        }),
    }),
    viewerCanManageMembers: t.boolean({
      resolve: ({ id }, _args, context) => can(actorOf(context), 'organization.manage-members', { organizationId: id }),
    }),
    viewerCanCreateProject: t.boolean({
      resolve: ({ id }, _args, context) => can(actorOf(context), 'project.create', { organizationId: id }),
    }),
  }),
})

builder.objectType(MemberRef, {
  fields: (t) => ({
    id: t.exposeID('id'),
    user: t.field({ type: UserRef, resolve: ({ user }) => user }),
    role: t.field({ type: OrganizationRoleEnum, resolve: roleOf }),
    joinedAt: t.expose('createdAt', { type: 'DateTime' }),
  }),
})

builder.objectType(InvitationRef, {
  fields: (t) => ({
    id: t.exposeID('id'),
    email: t.exposeString('email'),
    role: t.field({ type: OrganizationRoleEnum, resolve: roleOf }),
    status: t.exposeString('status'),
    expiresAt: t.expose('expiresAt', { type: 'DateTime' }),
  }),
})

const scopeOf = (key: apikey): string => {
  const kind = key.projectId !== null ? 'project' : key.organizationId !== null ? 'organization' : 'personal'
  return key.isReadOnly ? `${kind}, read-only` : kind
}

builder.objectType(ApiKeyRef, {
  description: 'A key for automation. Its secret is shown once, when it is made.',
  fields: (t) => ({
    id: t.exposeID('id'),
    name: t.string({ resolve: (key) => key.name ?? '' }),
    start: t.string({ description: 'How the secret begins.', resolve: (key) => key.start ?? '' }),
    scope: t.string({ resolve: scopeOf }),
    projectId: t.exposeID('projectId', { nullable: true }),
    createdAt: t.expose('createdAt', { type: 'DateTime' }),
    expiresAt: t.expose('expiresAt', { type: 'DateTime', nullable: true }),
    lastUsedAt: t.expose('lastRequest', { type: 'DateTime', nullable: true }),
  }),
})

builder.objectType(AuditEntryRef, {
  description: 'One change and who made it.',
  fields: (t) => ({
    id: t.id({ resolve: ({ id }) => String(id) }),
    at: t.expose('at', { type: 'DateTime' }),
    actor: t.exposeString('actor'),
    actorKind: t.exposeString('actorKind'),
    action: t.exposeString('action'),
    subject: t.exposeString('subject'),
    projectId: t.exposeID('projectId', { nullable: true }),
    requestId: t.exposeString('requestId', { nullable: true }),
    detail: t.field({ type: 'JSON', nullable: true, resolve: ({ detail }) => detail }),
  }),
})

builder.queryFields((t) => ({
  viewer: t.field({
    type: ViewerRef,
    nullable: true,
    description: 'Null when nobody is signed in.',
    resolve: (_root, _args, context) =>
      context.actor === null ? null : { ...personOf(context.actor), isViewer: true },
  }),
  organization: t.field({
    type: OrganizationRef,
    nullable: true,
    args: { slug: t.arg.string({ required: true }) },
    resolve: async (_root, { slug }, context) =>
      orNull(await context.services.organizations.bySlug(actorOf(context), slug)),
  }),
}))

const CreateOrganizationInput = builder.inputType('CreateOrganizationInput', {
  fields: (t) => ({ name: t.string({ required: true }), slug: t.string({ required: true }) }),
})
const InviteMemberInput = builder.inputType('InviteMemberInput', {
  fields: (t) => ({
    organizationId: t.id({ required: true }),
    email: t.string({ required: true }),
    role: t.field({ type: OrganizationRoleEnum, required: true }),
  }),
})
const CreateApiKeyInput = builder.inputType('CreateApiKeyInput', {
  fields: (t) => ({
    name: t.string({ required: true }),
    organizationId: t.id(),
    projectId: t.id(),
    expiresInDays: t.int(),
    readOnly: t.boolean({ defaultValue: false }),
  }),
})

builder.mutationFields((t) => ({
  createOrganization: t.field({
    type: OrganizationPayloadRef,
    args: { input: t.arg({ type: CreateOrganizationInput, required: true }) },
    resolve: async (_root, { input }, context) =>
      payload(
        await context.services.organizations.create(actorOf(context), input, callOf(context)),
        (organization) => ({
          organization,
        }),
      ),
  }),
  inviteMember: t.field({
    type: InvitationPayloadRef,
    args: { input: t.arg({ type: InviteMemberInput, required: true }) },
    resolve: async (_root, { input }, context) =>
      payload(await context.services.organizations.invite(actorOf(context), input, callOf(context)), (invitation) => ({
        invitation,
      })),
  }),
  changeMemberRole: t.field({
    type: MemberPayloadRef,
    args: {
      organizationId: t.arg.id({ required: true }),
      memberId: t.arg.id({ required: true }),
      role: t.arg({ type: OrganizationRoleEnum, required: true }),
    },
    resolve: async (_root, args, context) =>
      payload(await context.services.organizations.changeRole(actorOf(context), args, callOf(context)), (member) => ({
        member,
      })),
  }),
  removeMember: t.field({
    type: DeletePayloadRef,
    args: { organizationId: t.arg.id({ required: true }), memberId: t.arg.id({ required: true }) },
    resolve: async (_root, args, context) =>
      payload(await context.services.organizations.removeMember(actorOf(context), args, callOf(context)), () => ({})),
  }),
  createApiKey: t.field({
    type: ApiKeyPayloadRef,
    args: { input: t.arg({ type: CreateApiKeyInput, required: true }) },
    resolve: async (_root, { input }, context) =>
      payload(
        await context.services.apiKeys.create(
          actorOf(context),
          { ...input, isReadOnly: input.readOnly },
          callOf(context),
        ),
        ({ key, secret }) => ({ apiKey: key, secret }),
      ),
  }),
  revokeApiKey: t.field({
    type: DeletePayloadRef,
    args: { id: t.arg.id({ required: true }) },
    resolve: async (_root, { id }, context) =>
      payload(await context.services.apiKeys.revoke(actorOf(context), id, callOf(context)), () => ({})),
  }),
}))
