import { GraphQLError } from 'graphql'
import { can } from '../auth/permission.ts'
import type { Project } from '../generated/prisma/client.ts'
import { canInProject } from '../modules/access.ts'
import { auditPage } from '../modules/audit/audit-service.ts'
import { operationCursor } from '../modules/operation/operation-service.ts'
import type { StorageReportView } from '../modules/storage/lake-service.ts'
import type { UsageMetric, UsageSeries } from '../modules/usage/usage-service.ts'
import { encodeCursor, pageRequest } from '../shared/pagination.ts'
import { builder, guarded, orNull } from './builder.ts'
import { actorOf, callOf } from './context.ts'
import {
  AuditConnectionRef,
  BranchConnectionRef,
  BranchRef,
  EndpointRef,
  NodeRef,
  OperationConnectionRef,
  OperationPayloadRef,
  OrganizationRef,
  ProjectPayloadRef,
  ProjectRef,
  payload,
  QueryHistoryEntryRef,
  SavedQueryRef,
  SnapshotRef,
  UsageSummaryRef,
  WakeRecordRef,
} from './refs.ts'

const StorageKindRef = builder.objectRef<StorageReportView['kinds'][number]>('StorageKind').implement({
  fields: (t) => ({
    kind: t.exposeString('kind'),
    objects: t.exposeInt('objects'),
    bytes: t.expose('bytes', { type: 'BigInt' }),
  }),
})

const StorageDuplicateRef = builder.objectRef<StorageReportView['duplicates'][number]>('StorageDuplicate').implement({
  description: 'What is in object storage more than once; bytes are an upper bound.',
  fields: (t) => ({
    branchName: t.exposeString('branchName', {
      nullable: true,
      description: 'Null: history of a snapshot or of a branch that was deleted.',
    }),
    what: t.exposeString('what'),
    objects: t.exposeInt('objects'),
    bytes: t.expose('bytes', { type: 'BigInt' }),
    why: t.exposeString('why'),
  }),
})

const StorageExceptionRef = builder.objectRef<StorageReportView['exceptions'][number]>('StorageException').implement({
  description: 'What of a table is not in its newest columns as it is: counts of pages or values.',
  fields: (t) => ({
    branchName: t.exposeString('branchName', { nullable: true }),
    tableOid: t.string({ resolve: ({ tableOid }) => String(tableOid) }),
    tableName: t.exposeString('tableName', { nullable: true, description: 'Null: not published.' }),
    what: t.exposeString('what'),
    why: t.exposeString('why'),
    count: t.expose('count', { type: 'BigInt' }),
  }),
})

const StorageReportRef = builder.objectRef<StorageReportView>('StorageReport').implement({
  description: 'Every object of the project in object storage, by kind.',
  fields: (t) => ({
    kinds: t.field({ type: [StorageKindRef], resolve: ({ kinds }) => [...kinds] }),
    duplicates: t.field({ type: [StorageDuplicateRef], resolve: ({ duplicates }) => [...duplicates] }),
    exceptions: t.field({ type: [StorageExceptionRef], resolve: ({ exceptions }) => [...exceptions] }),
    generatedAt: t.expose('generatedAt', { type: 'DateTime' }),
  }),
})

const ProjectStorageRef = builder.objectRef<Project>('ProjectStorage').implement({
  fields: (t) => ({
    logicalSizeBytes: t.expose('logicalSizeBytes', {
      type: 'BigInt',
      description: 'Of all branches together, as Postgres counts.',
    }),
    objectSizeBytes: t.expose('objectSizeBytes', {
      type: 'BigInt',
      description: 'What lies in object storage: branches share it.',
    }),
    report: t.field({
      type: StorageReportRef,
      nullable: true,
      description: 'Counts the objects now: a slow field, for one project at a time.',
      resolve: (project, _args, context) => context.services.lake.report(project),
    }),
  }),
})

const QuotasRef = builder.objectRef<Project>('Quotas').implement({
  description: 'Null: no limit. Compute seconds and written bytes are counted a calendar month.',
  fields: (t) => ({
    branches: t.exposeInt('quotaBranches', { nullable: true }),
    storageBytes: t.expose('quotaStorageBytes', { type: 'BigInt', nullable: true }),
    computeSeconds: t.int({
      nullable: true,
      resolve: ({ quotaComputeSeconds }) => (quotaComputeSeconds === null ? null : Number(quotaComputeSeconds)),
    }),
    writtenBytes: t.expose('quotaWrittenBytes', { type: 'BigInt', nullable: true }),
  }),
})

builder.objectType(UsageSummaryRef, {
  fields: (t) => ({
    branches: t.exposeInt('branches'),
    storageBytes: t.expose('storageBytes', { type: 'BigInt' }),
    computeSeconds: t.exposeFloat('computeSeconds'),
    writtenBytes: t.expose('writtenBytes', { type: 'BigInt' }),
    from: t.expose('from', { type: 'DateTime' }),
    to: t.expose('to', { type: 'DateTime' }),
  }),
})

const metricNames = [
  'TPS',
  'COMMIT_LATENCY_P50_MS',
  'COMMIT_LATENCY_P99_MS',
  'CACHE_HIT_RATIO',
  'PAGE_READS',
  'LSN_LAG_BYTES',
  'CONNECTIONS',
  'COMPUTE_SECONDS',
  'STORAGE_BYTES',
  'OBJECT_BYTES',
  'WRITTEN_BYTES',
] as const satisfies readonly UsageMetric[]

const UsageMetricEnum = builder.enumType('UsageMetric', { values: metricNames })
const UsagePointRef = builder.objectRef<{ time: Date; value: number | null }>('UsagePoint').implement({
  fields: (t) => ({
    time: t.expose('time', { type: 'DateTime' }),
    value: t.exposeFloat('value', { nullable: true }),
  }),
})
const TimeSpanRef = builder.objectRef<{ from: Date; to: Date }>('TimeSpan').implement({
  fields: (t) => ({ from: t.expose('from', { type: 'DateTime' }), to: t.expose('to', { type: 'DateTime' }) }),
})
const UsageSeriesRef = builder.objectRef<UsageSeries>('UsageSeries').implement({
  fields: (t) => ({
    metric: t.field({ type: UsageMetricEnum, resolve: ({ metric }) => metric as (typeof metricNames)[number] }),
    unit: t.exposeString('unit'),
    points: t.field({ type: [UsagePointRef], resolve: ({ points }) => points }),
    idle: t.field({ type: [TimeSpanRef], description: 'No compute ran.', resolve: ({ idle }) => idle }),
  }),
})

const connectionArgs = { first: { defaultValue: 50, required: true } } as const

builder.objectType(ProjectRef, {
  description: 'A tenant of data: one history of write-ahead log, branched at will.',
  interfaces: [NodeRef],
  isTypeOf: (value) => typeof value === 'object' && value !== null && 'pitrWindowSeconds' in value,
  fields: (t) => ({
    id: t.exposeID('id'),
    name: t.exposeString('name'),
    createdAt: t.expose('createdAt', { type: 'DateTime' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime' }),
    organization: t.field({
      type: OrganizationRef,
      resolve: async ({ organizationId }, _args, context) => {
        const found = await context.loaders.organization.load(organizationId)
        if (!found) throw new GraphQLError('organization not found')
        return found
      },
    }),
    pitrWindowSeconds: t.exposeInt('pitrWindowSeconds', { description: 'How far back history is kept.' }),
    defaultBranch: t.field({
      type: BranchRef,
      resolve: async ({ defaultBranchId }, _args, context) => {
        const branch = await context.loaders.branch.load(defaultBranchId ?? '')
        if (!branch) throw new GraphQLError('the project is being deleted')
        return branch
      },
    }),
    branches: t.field({
      type: BranchConnectionRef,
      args: {
        first: t.arg.int({ ...connectionArgs.first, defaultValue: 100 }),
        after: t.arg.string(),
        search: t.arg.string(),
      },
      resolve: ({ id }, args, context) =>
        guarded(async () => {
          const request = pageRequest(args.first, args.after, 100)
          if (request.after !== null || args.search) return context.services.branches.page(id, args.search, request)
          const { nodes, totalCount } = await context.loaders.branchesOfProject.load({
            projectId: id,
            first: request.first,
          })
          return {
            nodes,
            totalCount,
            hasNextPage: totalCount > nodes.length,
            cursorOf: (branch) => encodeCursor([branch.createdAt.toISOString(), branch.id]),
          }
        }),
    }),
    branch: t.field({
      type: BranchRef,
      nullable: true,
      args: { id: t.arg.id(), name: t.arg.string() },
      resolve: async (project, { id, name }, context) => {
        if (id) {
          const branch = await context.loaders.branch.load(id)
          return branch?.projectId === project.id ? branch : null
        }
        if (!name) return null
        return context.app.database.branch.findUnique({
          where: { projectId_name: { projectId: project.id, name } },
        })
      },
    }),
    endpoints: t.field({
      type: [EndpointRef],
      resolve: ({ id }, _args, context) => context.loaders.endpointsOfProject.load(id),
    }),
    snapshots: t.field({
      type: [SnapshotRef],
      resolve: ({ id }, _args, context) => context.loaders.snapshotsOfProject.load(id),
    }),
    operations: t.field({
      type: OperationConnectionRef,
      args: { first: t.arg.int({ defaultValue: 25, required: true }), after: t.arg.string() },
      resolve: ({ id }, args, context) =>
        guarded(async () => {
          const request = pageRequest(args.first, args.after, 25)
          if (request.after !== null) return context.services.operations.page(id, request)
          const { nodes, totalCount } = await context.loaders.operationsOfProject.load({
            projectId: id,
            first: request.first,
          })
          return { nodes, totalCount, hasNextPage: totalCount > nodes.length, cursorOf: operationCursor }
        }),
    }),
    storage: t.field({ type: ProjectStorageRef, resolve: (project) => project }),
    quotas: t.field({ type: QuotasRef, resolve: (project) => project }),
    usage: t.field({
      type: UsageSummaryRef,
      description: 'Of this calendar month.',
      resolve: (project, _args, context) => context.loaders.usageOfProject.load(project),
    }),
    usageSeries: t.field({
      type: UsageSeriesRef,
      args: {
        metric: t.arg({ type: UsageMetricEnum, required: true }),
        from: t.arg({ type: 'DateTime' }),
        to: t.arg({ type: 'DateTime' }),
        points: t.arg.int({ defaultValue: 120, required: true }),
      },
      resolve: ({ id }, { metric, from, to, points }, context) =>
        context.services.usage.series(id, metric, { from: from ?? null, to: to ?? null, points }),
    }),
    auditLog: t.field({
      type: AuditConnectionRef,
      args: { first: t.arg.int({ defaultValue: 50, required: true }), after: t.arg.string() },
      resolve: ({ id }, args, context) =>
        guarded(() => auditPage(context.app, { projectId: id }, pageRequest(args.first, args.after, 50))),
    }),
    wakeLedger: t.field({
      type: [WakeRecordRef],
      description: 'What woke the endpoints, newest first.',
      args: { first: t.arg.int({ defaultValue: 50, required: true }) },
      resolve: ({ id }, { first }, context) =>
        context.app.database.wakeRecord.findMany({
          where: { projectId: id },
          orderBy: { id: 'desc' },
          take: Math.min(Math.max(first, 0), 500),
        }),
    }),
    savedQueries: t.field({
      type: [SavedQueryRef],
      resolve: ({ id }, _args, context) => context.services.savedQueries.list(id),
    }),
    queryHistory: t.field({
      type: [QueryHistoryEntryRef],
      args: { first: t.arg.int({ defaultValue: 50, required: true }) },
      resolve: ({ id }, { first }, context) => context.services.savedQueries.history(id, first),
    }),
    viewerCanWrite: t.boolean({
      resolve: (project, _args, context) => canInProject(actorOf(context), 'project.write', project),
    }),
    viewerCanOperate: t.boolean({
      description: 'Fault drills and actions on processes: for operators of the system who may write to the project.',
      resolve: (project, _args, context) =>
        can(actorOf(context), 'stack.operate') && canInProject(actorOf(context), 'project.write', project),
    }),
    viewerCanDelete: t.boolean({
      resolve: (project, _args, context) => canInProject(actorOf(context), 'project.delete', project),
    }),
  }),
})

builder.objectType(WakeRecordRef, {
  fields: (t) => ({
    at: t.expose('at', { type: 'DateTime' }),
    endpointId: t.exposeID('endpointId'),
    cause: t.exposeString('cause'),
    clientAddress: t.exposeString('clientAddress', { nullable: true }),
    role: t.exposeString('role', { nullable: true }),
    database: t.exposeString('database', { nullable: true }),
    waitMs: t.exposeFloat('waitMs', { nullable: true }),
  }),
})

builder.queryField('project', (t) =>
  t.field({
    type: ProjectRef,
    nullable: true,
    args: { id: t.arg.id({ required: true }) },
    resolve: async (_root, { id }, context) => orNull(await context.services.projects.get(actorOf(context), id)),
  }),
)

const QuotasInput = builder.inputType('QuotasInput', {
  description: 'A field that is left out stays; null lifts the limit.',
  fields: (t) => ({
    branches: t.int(),
    storageBytes: t.field({ type: 'BigInt' }),
    computeSeconds: t.int(),
    writtenBytes: t.field({ type: 'BigInt' }),
  }),
})
const CreateProjectInput = builder.inputType('CreateProjectInput', {
  fields: (t) => ({
    organizationId: t.id(),
    name: t.string({ required: true }),
    databaseName: t.string(),
    roleName: t.string(),
    pitrWindowSeconds: t.int(),
  }),
})
const UpdateProjectInput = builder.inputType('UpdateProjectInput', {
  fields: (t) => ({ name: t.string(), pitrWindowSeconds: t.int(), quotas: t.field({ type: QuotasInput }) }),
})

builder.mutationFields((t) => ({
  createProject: t.field({
    type: ProjectPayloadRef,
    args: { input: t.arg({ type: CreateProjectInput, required: true }) },
    resolve: async (_root, { input }, context) =>
      payload(await context.services.projects.create(actorOf(context), input, callOf(context)), (made) => ({
        project: made.project,
        operations: made.operations,
        connection: context.services.connections.forEndpoint(made.endpoint.id, {
          role: made.roleName,
          database: made.databaseName,
          password: made.password,
        }),
      })),
  }),
  updateProject: t.field({
    type: ProjectPayloadRef,
    args: { id: t.arg.id({ required: true }), input: t.arg({ type: UpdateProjectInput, required: true }) },
    resolve: async (_root, { id, input }, context) =>
      payload(
        await context.services.projects.update(
          actorOf(context),
          id,
          {
            ...input,
            quotas: input.quotas
              ? {
                  ...input.quotas,
                  storageBytes: asBigInt(input.quotas.storageBytes),
                  writtenBytes: asBigInt(input.quotas.writtenBytes),
                }
              : undefined,
          },
          callOf(context),
        ),
        (project) => ({ project }),
      ),
  }),
  deleteProject: t.field({
    type: OperationPayloadRef,
    args: { id: t.arg.id({ required: true }) },
    resolve: async (_root, { id }, context) =>
      payload(await context.services.projects.delete(actorOf(context), id, callOf(context)), ({ operations }) => ({
        operations,
      })),
  }),
}))

const asBigInt = (value: bigint | number | null | undefined): bigint | null | undefined =>
  typeof value === 'number' ? BigInt(value) : value
