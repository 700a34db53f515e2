import type { LayerInfo, StorageStatus } from '@tributary/storage-engine/admin'
import type { StorageView } from '../modules/storage/storage-service.ts'
import { projectOf } from './branch.schema.ts'
import { builder, orNull } from './builder.ts'
import { actorOf, callOf } from './context.ts'
import { OperationStateEnum } from './operation.schema.ts'
import { BranchRef, DeletePayloadRef, FaultDrillPayloadRef, FaultDrillRef, ProjectRef, payload } from './refs.ts'

type Safekeeper = StorageStatus['safekeepers'][number]
type SafekeeperTimeline = Safekeeper['timelines'][number] & { readonly catalogProjectId: string }
type PageserverTimeline = StorageStatus['pageserver']['timelines'][number] & {
  readonly catalogProjectId: string
  readonly branchName: string | null
}

const SafekeeperTimelineRef = builder.objectRef<SafekeeperTimeline>('SafekeeperTimeline').implement({
  fields: (t) => ({
    projectId: t.exposeID('catalogProjectId'),
    timelineId: t.exposeString('timelineId'),
    term: t.expose('term', { type: 'BigInt' }),
    flushLsn: t.expose('flushLsn', { type: 'LSN' }),
    commitLsn: t.expose('commitLsn', { type: 'LSN' }),
    lagBytes: t.expose('lagBytes', { type: 'BigInt' }),
  }),
})

const SafekeeperStatusRef = builder
  .objectRef<Safekeeper & { readonly view: StorageView }>('SafekeeperStatus')
  .implement({
    fields: (t) => ({
      id: t.exposeInt('id'),
      name: t.string({ resolve: ({ id }) => `safekeeper-${id}` }),
      state: t.exposeString('state'),
      address: t.string({
        description: 'Empty for who may not see the processes.',
        resolve: ({ id, view }) => view.processes.find(({ name }) => name === `safekeeper-${id}`)?.url ?? '',
      }),
      timelines: t.field({
        type: [SafekeeperTimelineRef],
        resolve: ({ timelines, view }) =>
          timelines.flatMap((timeline) => {
            const catalogProjectId = view.projects.get(timeline.projectId)
            return catalogProjectId === undefined ? [] : [{ ...timeline, catalogProjectId }]
          }),
      }),
    }),
  })

const PageserverTimelineRef = builder.objectRef<PageserverTimeline>('PageserverTimeline').implement({
  fields: (t) => ({
    projectId: t.exposeID('catalogProjectId'),
    timelineId: t.exposeString('timelineId'),
    branchName: t.exposeString('branchName', { nullable: true }),
    lastRecordLsn: t.expose('lastRecordLsn', { type: 'LSN' }),
    remoteConsistentLsn: t.expose('remoteConsistentLsn', { type: 'LSN' }),
    lagBytes: t.expose('lagBytes', { type: 'BigInt' }),
  }),
})

const PageserverStatusRef = builder
  .objectRef<StorageStatus['pageserver'] & { readonly view: StorageView }>('PageserverStatus')
  .implement({
    fields: (t) => ({
      state: t.exposeString('state'),
      address: t.string({ resolve: ({ view }) => view.processes.find(({ name }) => name === 'pageserver')?.url ?? '' }),
      timelines: t.field({
        type: [PageserverTimelineRef],
        resolve: ({ timelines, view }) =>
          timelines.flatMap((timeline) => {
            const catalogProjectId = view.projects.get(timeline.projectId)
            const branchName = view.branches.get(timeline.timelineId)?.name ?? null
            return catalogProjectId === undefined ? [] : [{ ...timeline, catalogProjectId, branchName }]
          }),
      }),
    }),
  })

const ProcessStatusRef = builder.objectRef<StorageView['processes'][number]>('ProcessStatus').implement({
  fields: (t) => ({
    name: t.exposeString('name'),
    kind: t.exposeString('kind'),
    state: t.exposeString('state'),
    pid: t.exposeInt('pid', { nullable: true }),
    restarts: t.exposeInt('restarts'),
  }),
})

export const StorageStatusRef = builder.objectRef<StorageView>('StorageStatus').implement({
  description:
    'SafeKeepers and PageServer; timelines of projects you may see. Processes are for operators of the system.',
  fields: (t) => ({
    safekeepers: t.field({
      type: [SafekeeperStatusRef],
      resolve: (view) => (view.status?.safekeepers ?? []).map((safekeeper) => ({ ...safekeeper, view })),
    }),
    pageserver: t.field({
      type: PageserverStatusRef,
      nullable: true,
      resolve: (view) => (view.status ? { ...view.status.pageserver, view } : null),
    }),
    quorumHealthy: t.boolean({
      description: 'A majority of the SafeKeepers is ready.',
      resolve: ({ status }) => {
        const all = status?.safekeepers ?? []
        return all.length > 0 && all.filter(({ state }) => state === 'ready').length * 2 > all.length
      },
    }),
    processes: t.field({ type: [ProcessStatusRef], resolve: ({ processes }) => [...processes] }),
    observedAt: t.expose('observedAt', { type: 'DateTime' }),
  }),
})

const LayerRef = builder.objectRef<LayerInfo>('Layer').implement({
  description: 'An object of storage that holds a range of keys over a range of the log.',
  fields: (t) => ({
    name: t.exposeString('name'),
    kind: t.exposeString('kind'),
    keyStart: t.exposeString('keyStart'),
    keyEnd: t.exposeString('keyEnd'),
    lsnStart: t.expose('lsnStart', { type: 'LSN' }),
    lsnEnd: t.expose('lsnEnd', { type: 'LSN' }),
    sizeBytes: t.expose('sizeBytes', { type: 'BigInt' }),
    level: t.exposeInt('level'),
    isLocal: t.exposeBoolean('isLocal'),
  }),
})

builder.objectField(BranchRef, 'layers', (t) =>
  t.field({
    type: [LayerRef],
    args: { limit: t.arg.int({ defaultValue: 2000, required: true }) },
    resolve: async (branch, { limit }, context) =>
      context.services.storage.layers({ ...branch, project: await projectOf(branch, context) }, limit),
  }),
)

builder.queryField('storageStatus', (t) =>
  t.field({
    type: StorageStatusRef,
    resolve: (_root, _args, context) => context.services.storage.status(actorOf(context)),
  }),
)

const ProcessActionEnum = builder.enumType('ProcessAction', { values: ['START', 'STOP', 'KILL'] as const })
const actionOf = { START: 'start', STOP: 'stop', KILL: 'kill' } as const

const drillKinds = ['KILL_COMPUTE', 'STOP_SAFEKEEPER', 'KILL_SAFEKEEPER', 'CUT_COMPUTE_FROM_QUORUM'] as const
const FaultDrillKindEnum = builder.enumType('FaultDrillKind', { values: drillKinds })

builder.objectType(FaultDrillRef, {
  description: 'A fault made on purpose while four writers commit: what was acknowledged must be found afterwards.',
  fields: (t) => ({
    id: t.exposeID('id'),
    kind: t.field({ type: FaultDrillKindEnum, resolve: ({ kind }) => kind as (typeof drillKinds)[number] }),
    projectId: t.exposeID('projectId'),
    branch: t.field({
      type: BranchRef,
      nullable: true,
      description: 'Null: deleted since.',
      resolve: ({ branchId }, _args, context) => context.loaders.branch.load(branchId),
    }),
    safekeeperId: t.exposeInt('safekeeperId', { nullable: true }),
    seconds: t.exposeInt('seconds', { description: 'How long the fault was to last.' }),
    createdBy: t.exposeString('createdBy', { nullable: true }),
    state: t.field({ type: OperationStateEnum, resolve: ({ state }) => state as 'RUNNING' | 'FINISHED' | 'FAILED' }),
    startedAt: t.expose('startedAt', { type: 'DateTime' }),
    finishedAt: t.expose('finishedAt', { type: 'DateTime', nullable: true }),
    acknowledgedBefore: t.exposeInt('acknowledgedBefore', { nullable: true }),
    foundAfter: t.exposeInt('foundAfter', { nullable: true }),
    lost: t.exposeInt('lost', { nullable: true }),
    unavailableMs: t.exposeFloat('unavailableMs', { nullable: true }),
    maxCommitMs: t.exposeFloat('maxCommitMs', { nullable: true }),
    log: t.field({ type: ['String'], resolve: ({ log }) => log }),
  }),
})

builder.queryField('faultDrill', (t) =>
  t.field({
    type: FaultDrillRef,
    nullable: true,
    args: { id: t.arg.id({ required: true }) },
    resolve: async (_root, { id }, context) => orNull(await context.services.drills.get(actorOf(context), id)),
  }),
)

builder.objectField(ProjectRef, 'faultDrills', (t) =>
  t.field({
    type: [FaultDrillRef],
    description: 'Newest first.',
    args: { first: t.arg.int({ defaultValue: 20, required: true }) },
    resolve: ({ id }, { first }, context) => context.services.drills.list(id, first),
  }),
)

const FaultDrillInput = builder.inputType('FaultDrillInput', {
  fields: (t) => ({
    projectId: t.id({ required: true }),
    branchId: t.id({ required: true }),
    kind: t.field({ type: FaultDrillKindEnum, required: true }),
    safekeeperId: t.int(),
    seconds: t.int({ defaultValue: 10 }),
  }),
})

builder.mutationFields((t) => ({
  faultDrill: t.field({
    type: FaultDrillPayloadRef,
    args: { input: t.arg({ type: FaultDrillInput, required: true }) },
    resolve: async (_root, { input }, context) =>
      payload(await context.services.drills.start(actorOf(context), input, callOf(context)), (drill) => ({ drill })),
  }),
  processAction: t.field({
    type: DeletePayloadRef,
    args: { name: t.arg.string({ required: true }), action: t.arg({ type: ProcessActionEnum, required: true }) },
    resolve: async (_root, { name, action }, context) =>
      payload(
        await context.services.storage.processAction(
          actorOf(context),
          { name, action: actionOf[action] },
          callOf(context),
        ),
        () => ({}),
      ),
  }),
}))
