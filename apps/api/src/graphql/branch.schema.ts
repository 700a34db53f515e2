import { isStorageError } from '@tributary/storage-engine/admin'
import { GraphQLError } from 'graphql'
import { storageIds } from '../control-plane/compute-control.ts'
import type { Branch, Project } from '../generated/prisma/client.ts'
import { canInProject } from '../modules/access.ts'
import type { HistoryWindow } from '../modules/branch/branch-point.ts'
import { deletionRefusal } from '../modules/branch/branch-rules.ts'
import { invalid } from '../shared/result.ts'
import { builder, failureError, orThrow } from './builder.ts'
import { actorOf, callOf, type GraphContext } from './context.ts'
import {
  BranchPayloadRef,
  BranchRef,
  ConnectionInfoRef,
  DatabaseRef,
  EndpointRef,
  NodeRef,
  OperationPayloadRef,
  ProjectRef,
  payload,
  RoleRef,
} from './refs.ts'

const branchStates = ['CREATING', 'READY', 'RESTORING', 'RESETTING', 'DELETING', 'FAILED'] as const
export const BranchStateEnum = builder.enumType('BranchState', { values: branchStates })

const BranchTipRef = builder.objectRef<{ lsn: string; commitTime: Date | null }>('BranchTip').implement({
  description: 'The end of the branch as last observed.',
  fields: (t) => ({
    lsn: t.expose('lsn', { type: 'LSN' }),
    commitTime: t.expose('commitTime', { type: 'DateTime', nullable: true }),
  }),
})

const RestoreWindowRef = builder.objectRef<HistoryWindow>('RestoreWindow').implement({
  description: 'The history that is kept: what can be branched from and restored to.',
  fields: (t) => ({
    fromLsn: t.expose('fromLsn', { type: 'LSN' }),
    fromTime: t.expose('fromTime', { type: 'DateTime', nullable: true }),
    toLsn: t.expose('toLsn', { type: 'LSN' }),
    toTime: t.expose('toTime', { type: 'DateTime', nullable: true }),
  }),
})

const LsnAtTimeRef = builder
  .objectRef<{ lsn: string; kind: string; commitTime: string | null }>('LsnAtTime')
  .implement({
    description: 'The last commit at or before a time. `kind`: exact, future (nothing later yet), past or no-commits.',
    fields: (t) => ({
      lsn: t.expose('lsn', { type: 'LSN' }),
      kind: t.exposeString('kind'),
      commitTime: t.field({
        type: 'DateTime',
        nullable: true,
        resolve: ({ commitTime }) => (commitTime === null ? null : new Date(commitTime)),
      }),
    }),
  })

interface Bucket {
  readonly from: Date
  readonly to: Date
  readonly commits: number
  readonly walBytes: number
  readonly lastLsn: string | null
}

const CommitBucketRef = builder.objectRef<Bucket>('CommitBucket').implement({
  fields: (t) => ({
    from: t.expose('from', { type: 'DateTime' }),
    to: t.expose('to', { type: 'DateTime' }),
    commits: t.exposeInt('commits'),
    walBytes: t.expose('walBytes', { type: 'BigInt' }),
    lastLsn: t.expose('lastLsn', { type: 'LSN', nullable: true }),
  }),
})

builder.objectType(ConnectionInfoRef, {
  description: 'How clients connect. The password is in it only where it was just made.',
  fields: (t) => ({
    host: t.exposeString('host'),
    port: t.exposeInt('port'),
    database: t.exposeString('database'),
    role: t.exposeString('role'),
    uri: t.exposeString('uri'),
    psql: t.exposeString('psql'),
    passwordRevealed: t.exposeBoolean('passwordRevealed'),
  }),
})

export async function projectOf(branch: Branch, context: GraphContext): Promise<Project> {
  const project = await context.loaders.project.load(branch.projectId)
  if (!project) throw new GraphQLError('project not found')
  return project
}

const withProject = async (branch: Branch, context: GraphContext) => ({
  ...branch,
  project: await projectOf(branch, context),
})

builder.objectType(BranchRef, {
  description: 'A branch of a project: a full database of its own, that shares all it has in common with its parent.',
  interfaces: [NodeRef],
  isTypeOf: (value) => typeof value === 'object' && value !== null && 'isProtected' in value && 'timelineId' in value,
  fields: (t) => ({
    id: t.exposeID('id'),
    name: t.exposeString('name'),
    project: t.field({ type: ProjectRef, resolve: (branch, _args, context) => projectOf(branch, context) }),
    state: t.field({ type: BranchStateEnum, resolve: ({ state }) => state as (typeof branchStates)[number] }),
    timelineId: t.exposeString('timelineId', { description: 'Its identity in storage; a restore changes it.' }),
    parent: t.field({
      type: BranchRef,
      nullable: true,
      resolve: ({ parentId }, _args, context) => (parentId === null ? null : context.loaders.branch.load(parentId)),
    }),
    parentLsn: t.expose('parentLsn', { type: 'LSN', nullable: true }),
    parentTime: t.expose('parentTime', { type: 'DateTime', nullable: true }),
    isDefault: t.boolean({
      resolve: async (branch, _args, context) => (await projectOf(branch, context)).defaultBranchId === branch.id,
    }),
    isProtected: t.exposeBoolean('isProtected'),
    expiresAt: t.expose('expiresAt', { type: 'DateTime', nullable: true }),
    createdAt: t.expose('createdAt', { type: 'DateTime' }),
    createdBy: t.exposeString('createdBy', { nullable: true }),
    tip: t.field({
      type: BranchTipRef,
      resolve: ({ tipLsn, parentLsn, tipCommitTime }) => ({
        lsn: tipLsn ?? parentLsn ?? '0/0',
        commitTime: tipCommitTime,
      }),
    }),
    logicalSizeBytes: t.expose('logicalSizeBytes', { type: 'BigInt', nullable: true }),
    children: t.field({
      type: [BranchRef],
      resolve: ({ id }, _args, context) => context.loaders.childrenOfBranch.load(id),
    }),
    endpoints: t.field({
      type: [EndpointRef],
      resolve: ({ id }, _args, context) => context.loaders.endpointsOfBranch.load(id),
    }),
    primaryEndpoint: t.field({
      type: EndpointRef,
      nullable: true,
      description: 'The one that writes.',
      resolve: async ({ id }, _args, context) =>
        (await context.loaders.endpointsOfBranch.load(id)).find(({ type }) => type === 'READ_WRITE') ?? null,
    }),
    roles: t.field({ type: [RoleRef], resolve: ({ id }, _args, context) => context.loaders.rolesOfBranch.load(id) }),
    databases: t.field({
      type: [DatabaseRef],
      resolve: ({ id }, _args, context) => context.loaders.databasesOfBranch.load(id),
    }),
    connectionInfo: t.field({
      type: ConnectionInfoRef,
      nullable: true,
      args: {
        role: t.arg.string(),
        database: t.arg.string(),
        pooled: t.arg.boolean({
          defaultValue: false,
          required: true,
          description: 'Through the pool of the endpoint: needs `serverInfo.hasPooler`.',
        }),
      },
      resolve: async (branch, { role, database, pooled }, context) => {
        if (pooled && !context.app.config.proxy.hasPooler)
          orThrow(
            invalid(
              'pooled',
              'pooled connections are not available: there is no PgBouncer on the machine of the proxy',
            ),
          )
        const [endpoints, roles, databases] = await Promise.all([
          context.loaders.endpointsOfBranch.load(branch.id),
          context.loaders.rolesOfBranch.load(branch.id),
          context.loaders.databasesOfBranch.load(branch.id),
        ])
        return context.services.connections.infoFor(
          { endpoints, roles, databases },
          { role, database, isPooled: pooled },
        )
      },
    }),
    lsnAtTime: t.field({
      type: LsnAtTimeRef,
      args: { time: t.arg({ type: 'DateTime', required: true }) },
      resolve: async (branch, { time }, context) =>
        orThrow(await context.services.branches.lsnAtTime(await withProject(branch, context), time)),
    }),
    timeAtLsn: t.field({
      type: 'DateTime',
      nullable: true,
      args: { lsn: t.arg({ type: 'LSN', required: true }) },
      resolve: async (branch, { lsn }, context) =>
        orThrow(await context.services.branches.timeAtLsn(await withProject(branch, context), lsn)),
    }),
    restoreWindow: t.field({
      type: RestoreWindowRef,
      resolve: async (branch, _args, context) => context.services.branches.window(await withProject(branch, context)),
    }),
    commitHistogram: t.field({
      type: [CommitBucketRef],
      args: {
        buckets: t.arg.int({ defaultValue: 200, required: true }),
        from: t.arg({ type: 'DateTime' }),
        to: t.arg({ type: 'DateTime' }),
      },
      resolve: async (branch, { buckets, from, to }, context) => {
        const ids = storageIds(await projectOf(branch, context), branch)
        const count = Math.min(Math.max(buckets, 1), 1000)
        try {
          const histogram = await context.app.storage.commitHistogram({
            ...ids,
            buckets: count,
            ...(from ? { from: from.toISOString() } : {}),
            ...(to ? { to: to.toISOString() } : {}),
          })
          return histogram.buckets.map((bucket, index) => ({
            from: new Date(bucket.time),
            to: new Date(histogram.buckets[index + 1]?.time ?? histogram.to ?? bucket.time),
            commits: bucket.commits,
            walBytes: bucket.walBytes,
            lastLsn: bucket.lsn,
          }))
        } catch (error) {
          if (!isStorageError(error, 'invalid-input')) throw error
          throw failureError({ code: 'INVALID_INPUT', message: error.message, field: null })
        }
      },
    }),
    viewerCanWrite: t.boolean({
      resolve: async (branch, _args, context) =>
        canInProject(actorOf(context), 'project.write', await projectOf(branch, context)),
    }),
    viewerCanDelete: t.boolean({
      description: 'Allowed, and nothing stands against it: see `deletionRefusedBecause`.',
      resolve: async (branch, _args, context) =>
        canInProject(actorOf(context), 'project.write', await projectOf(branch, context)) &&
        (await refusalOf(branch, context)) === null,
    }),
    viewerCanRestore: t.boolean({
      resolve: async (branch, _args, context) =>
        branch.state === 'READY' && canInProject(actorOf(context), 'project.write', await projectOf(branch, context)),
    }),
    deletionRefusedBecause: t.string({
      nullable: true,
      resolve: (branch, _args, context) => refusalOf(branch, context),
    }),
  }),
})

async function refusalOf(branch: Branch, context: GraphContext): Promise<string | null> {
  const [project, children] = await Promise.all([
    projectOf(branch, context),
    context.loaders.childrenOfBranch.load(branch.id),
  ])
  const { id, name, isProtected } = branch
  const view = { id, name, isProtected, isDefault: project.defaultBranchId === id, childCount: children.length }
  const refusal = deletionRefusal(view, false)
  return refusal.ok ? null : refusal.error.message
}

export const PointInput = builder.inputType('PointInput', {
  description: 'A point of a branch: one of these; nothing = its tip.',
  fields: (t) => ({ lsn: t.field({ type: 'LSN' }), time: t.field({ type: 'DateTime' }), snapshotId: t.id() }),
})

/** As services take it. */
export function pointOf(
  input:
    | { lsn?: string | null | undefined; time?: Date | null | undefined; snapshotId?: string | null | undefined }
    | null
    | undefined,
) {
  return input ? { lsn: input.lsn, time: input.time?.toISOString(), snapshotId: input.snapshotId } : null
}

const CreateBranchInput = builder.inputType('CreateBranchInput', {
  fields: (t) => ({
    projectId: t.id({ required: true }),
    parentId: t.id({ description: 'Default: the default branch.' }),
    name: t.string(),
    at: t.field({ type: PointInput }),
    expiresAt: t.field({ type: 'DateTime' }),
    withEndpoint: t.boolean({ defaultValue: true }),
  }),
})
const UpdateBranchInput = builder.inputType('UpdateBranchInput', {
  fields: (t) => ({
    name: t.string(),
    isProtected: t.boolean(),
    isDefault: t.boolean(),
    expiresAt: t.field({ type: 'DateTime' }),
    clearExpiry: t.boolean(),
  }),
})

builder.mutationFields((t) => ({
  createBranch: t.field({
    type: BranchPayloadRef,
    args: { input: t.arg({ type: CreateBranchInput, required: true }) },
    resolve: async (_root, { input }, context) =>
      payload(
        await context.services.branches.create(actorOf(context), { ...input, at: pointOf(input.at) }, callOf(context)),
        ({ branch, operations }) => ({ branch, operations }),
      ),
  }),
  updateBranch: t.field({
    type: BranchPayloadRef,
    args: { id: t.arg.id({ required: true }), input: t.arg({ type: UpdateBranchInput, required: true }) },
    resolve: async (_root, { id, input }, context) =>
      payload(
        await context.services.branches.update(
          actorOf(context),
          id,
          { ...input, expiresAt: input.clearExpiry ? null : (input.expiresAt ?? undefined) },
          callOf(context),
        ),
        ({ branch }) => ({ branch }),
      ),
  }),
  deleteBranch: t.field({
    type: OperationPayloadRef,
    args: {
      id: t.arg.id({ required: true }),
      reparentChildren: t.arg.boolean({
        defaultValue: false,
        description:
          'Children become children of the parent; their history stays in storage for as long as they need it.',
      }),
    },
    resolve: async (_root, { id, reparentChildren }, context) =>
      payload(
        await context.services.branches.delete(
          actorOf(context),
          id,
          { reparentChildren: reparentChildren === true },
          callOf(context),
        ),
        ({ operations }) => ({ operations }),
      ),
  }),
  restoreBranch: t.field({
    type: BranchPayloadRef,
    description:
      'The branch continues from another point, under its own name and endpoints; the old state is kept as a branch.',
    args: {
      id: t.arg.id({ required: true }),
      to: t.arg({ type: PointInput, required: true }),
      sourceBranchId: t.arg.id({ description: 'Default: the branch itself.' }),
      keepAs: t.arg.string({ description: 'Name of the branch that keeps the old state.' }),
    },
    resolve: async (_root, { id, to, sourceBranchId, keepAs }, context) =>
      payload(
        await context.services.restores.restore(
          actorOf(context),
          id,
          { to: pointOf(to) ?? {}, sourceBranchId, keepAs, keepByDefault: true },
          callOf(context),
        ),
        ({ branch, operations }) => ({ branch, operations }),
      ),
  }),
  resetBranchFromParent: t.field({
    type: BranchPayloadRef,
    args: { id: t.arg.id({ required: true }), keepAs: t.arg.string() },
    resolve: async (_root, { id, keepAs }, context) =>
      payload(
        await context.services.restores.resetFromParent(actorOf(context), id, { keepAs }, callOf(context)),
        ({ branch, operations }) => ({ branch, operations }),
      ),
  }),
}))
