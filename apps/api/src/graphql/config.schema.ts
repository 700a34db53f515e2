import { GraphQLError } from 'graphql'
import { PointInput, pointOf } from './branch.schema.ts'
import { builder } from './builder.ts'
import { actorOf, callOf } from './context.ts'
import {
  BranchRef,
  DatabasePayloadRef,
  DatabaseRef,
  DeletePayloadRef,
  NodeRef,
  OperationPayloadRef,
  payload,
  RolePayloadRef,
  RoleRef,
  SnapshotPayloadRef,
  SnapshotRef,
} from './refs.ts'

builder.objectType(RoleRef, {
  description: 'A Postgres role of a branch.',
  fields: (t) => ({
    name: t.exposeString('name'),
    isProtected: t.exposeBoolean('isProtected'),
    createdAt: t.expose('createdAt', { type: 'DateTime' }),
    branchId: t.exposeID('branchId'),
    canRevealPassword: t.boolean({
      description: 'False when the password was set by SQL, or is none.',
      resolve: ({ passwordSealed }) => passwordSealed !== null,
    }),
  }),
})

builder.objectType(DatabaseRef, {
  fields: (t) => ({
    id: t.exposeID('id'),
    name: t.exposeString('name'),
    ownerName: t.exposeString('ownerName'),
    branchId: t.exposeID('branchId'),
    createdAt: t.expose('createdAt', { type: 'DateTime' }),
  }),
})

builder.objectType(SnapshotRef, {
  description: 'A name for a moment of a branch: that moment is kept until the snapshot is deleted.',
  interfaces: [NodeRef],
  isTypeOf: (value) =>
    typeof value === 'object' && value !== null && 'lsn' in value && 'branchId' in value && 'sizeBytes' in value,
  fields: (t) => ({
    id: t.exposeID('id'),
    name: t.exposeString('name'),
    branch: t.field({
      type: BranchRef,
      resolve: async ({ branchId }, _args, context) => {
        const branch = await context.loaders.branch.load(branchId)
        if (!branch) throw new GraphQLError('branch not found')
        return branch
      },
    }),
    lsn: t.expose('lsn', { type: 'LSN' }),
    time: t.expose('time', { type: 'DateTime', nullable: true }),
    createdAt: t.expose('createdAt', { type: 'DateTime' }),
    expiresAt: t.expose('expiresAt', { type: 'DateTime', nullable: true }),
    sizeBytes: t.expose('sizeBytes', { type: 'BigInt', nullable: true }),
  }),
})

const roleArgs = { branchId: { required: true }, name: { required: true } } as const

builder.mutationFields((t) => ({
  createRole: t.field({
    type: RolePayloadRef,
    args: { branchId: t.arg.id(roleArgs.branchId), name: t.arg.string(roleArgs.name) },
    resolve: async (_root, { branchId, name }, context) =>
      payload(
        await context.services.roles.create(actorOf(context), branchId, name, callOf(context)),
        (change) => change,
      ),
  }),
  deleteRole: t.field({
    type: OperationPayloadRef,
    args: { branchId: t.arg.id(roleArgs.branchId), name: t.arg.string(roleArgs.name) },
    resolve: async (_root, { branchId, name }, context) =>
      payload(
        await context.services.roles.delete(actorOf(context), branchId, name, callOf(context)),
        ({ operations }) => ({ operations }),
      ),
  }),
  resetRolePassword: t.field({
    type: RolePayloadRef,
    args: { branchId: t.arg.id(roleArgs.branchId), name: t.arg.string(roleArgs.name) },
    resolve: async (_root, { branchId, name }, context) =>
      payload(
        await context.services.roles.resetPassword(actorOf(context), branchId, name, callOf(context)),
        (change) => change,
      ),
  }),
  revealRolePassword: t.field({
    type: RolePayloadRef,
    description: 'Noted in the audit log.',
    args: { branchId: t.arg.id(roleArgs.branchId), name: t.arg.string(roleArgs.name) },
    resolve: async (_root, { branchId, name }, context) =>
      payload(
        await context.services.roles.reveal(actorOf(context), branchId, name, callOf(context)),
        (change) => change,
      ),
  }),
  createDatabase: t.field({
    type: DatabasePayloadRef,
    args: {
      branchId: t.arg.id({ required: true }),
      name: t.arg.string({ required: true }),
      ownerName: t.arg.string({ required: true }),
    },
    resolve: async (_root, args, context) =>
      payload(await context.services.databases.create(actorOf(context), args, callOf(context)), (change) => change),
  }),
  updateDatabase: t.field({
    type: DatabasePayloadRef,
    args: {
      branchId: t.arg.id({ required: true }),
      name: t.arg.string({ required: true }),
      newName: t.arg.string(),
      ownerName: t.arg.string(),
    },
    resolve: async (_root, args, context) =>
      payload(await context.services.databases.update(actorOf(context), args, callOf(context)), (change) => change),
  }),
  deleteDatabase: t.field({
    type: OperationPayloadRef,
    args: { branchId: t.arg.id({ required: true }), name: t.arg.string({ required: true }) },
    resolve: async (_root, { branchId, name }, context) =>
      payload(
        await context.services.databases.delete(actorOf(context), branchId, name, callOf(context)),
        ({ operations }) => ({ operations }),
      ),
  }),
  createSnapshot: t.field({
    type: SnapshotPayloadRef,
    args: {
      branchId: t.arg.id({ required: true }),
      name: t.arg.string({ required: true }),
      at: t.arg({ type: PointInput }),
      expiresAt: t.arg({ type: 'DateTime' }),
    },
    resolve: async (_root, { at, ...input }, context) =>
      payload(
        await context.services.snapshots.create(actorOf(context), { ...input, at: pointOf(at) }, callOf(context)),
        (snapshot) => ({ snapshot }),
      ),
  }),
  deleteSnapshot: t.field({
    type: DeletePayloadRef,
    args: { id: t.arg.id({ required: true }) },
    resolve: async (_root, { id }, context) =>
      payload(await context.services.snapshots.delete(actorOf(context), id, callOf(context)), () => ({})),
  }),
}))
