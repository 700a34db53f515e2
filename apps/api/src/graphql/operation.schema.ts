import { GraphQLError } from 'graphql'
import { canInProject } from '../modules/access.ts'
import { cancelAction, isWaiting } from '../modules/operation/operation-service.ts'
import { builder, orNull } from './builder.ts'
import { actorOf, callOf } from './context.ts'
import {
  BranchRef,
  EndpointRef,
  NodeRef,
  OperationPayloadRef,
  OperationRef,
  OperationStepRef,
  ProjectRef,
  payload,
} from './refs.ts'

const states = ['SCHEDULING', 'RUNNING', 'FINISHED', 'FAILED', 'CANCELLED', 'SKIPPED'] as const
export const OperationStateEnum = builder.enumType('OperationState', { values: states })
type State = (typeof states)[number]

const durationMs = (row: { startedAt: Date | null; finishedAt: Date | null }) =>
  row.startedAt && row.finishedAt ? row.finishedAt.getTime() - row.startedAt.getTime() : null

builder.objectType(OperationRef, {
  description: 'A recorded piece of work: it survives a restart of the API at any step.',
  interfaces: [NodeRef],
  isTypeOf: (value) => typeof value === 'object' && value !== null && 'seq' in value,
  fields: (t) => ({
    id: t.exposeID('id'),
    kind: t.exposeString('kind'),
    state: t.field({ type: OperationStateEnum, resolve: ({ state }) => state as State }),
    project: t.field({
      type: ProjectRef,
      resolve: async ({ projectId }, _args, context) => {
        const project = await context.loaders.project.load(projectId)
        if (!project) throw new GraphQLError('project not found')
        return project
      },
    }),
    branch: t.field({
      type: BranchRef,
      nullable: true,
      resolve: ({ branchId }, _args, context) => (branchId === null ? null : context.loaders.branch.load(branchId)),
    }),
    endpoint: t.field({
      type: EndpointRef,
      nullable: true,
      resolve: ({ endpointId }, _args, context) =>
        endpointId === null ? null : context.loaders.endpoint.load(endpointId),
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime' }),
    startedAt: t.expose('startedAt', { type: 'DateTime', nullable: true }),
    finishedAt: t.expose('finishedAt', { type: 'DateTime', nullable: true }),
    durationMs: t.float({ nullable: true, resolve: durationMs }),
    error: t.exposeString('error', { nullable: true }),
    steps: t.field({
      type: [OperationStepRef],
      resolve: ({ id }, _args, context) => context.loaders.stepsOfOperation.load(id),
    }),
    createdBy: t.exposeString('createdBy', { nullable: true }),
    viewerCanCancel: t.boolean({
      description: 'It waits for its turn and may be called off by the viewer.',
      resolve: async (operation, _args, context) => {
        if (!isWaiting(operation)) return false
        const project = await context.loaders.project.load(operation.projectId)
        return project !== null && canInProject(actorOf(context), cancelAction(operation), project)
      },
    }),
  }),
})

builder.objectType(OperationStepRef, {
  fields: (t) => ({
    name: t.exposeString('name'),
    state: t.field({ type: OperationStateEnum, resolve: ({ state }) => state as State }),
    startedAt: t.expose('startedAt', { type: 'DateTime', nullable: true }),
    finishedAt: t.expose('finishedAt', { type: 'DateTime', nullable: true }),
    durationMs: t.float({ nullable: true, resolve: durationMs }),
    attempts: t.exposeInt('attempts'),
    error: t.exposeString('error', { nullable: true }),
  }),
})

builder.queryField('operation', (t) =>
  t.field({
    type: OperationRef,
    nullable: true,
    args: { id: t.arg.id({ required: true }) },
    resolve: async (_root, { id }, context) => orNull(await context.services.operations.get(actorOf(context), id)),
  }),
)

builder.mutationField('cancelOperation', (t) =>
  t.field({
    type: OperationPayloadRef,
    description: 'Calls off an operation that waits for its turn. One that runs ends by itself: CONFLICT.',
    args: { id: t.arg.id({ required: true }) },
    resolve: async (_root, { id }, context) =>
      payload(await context.services.operations.cancel(actorOf(context), id, callOf(context)), (operation) => ({
        operations: [operation],
      })),
  }),
)
