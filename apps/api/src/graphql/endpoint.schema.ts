import { GraphQLError } from 'graphql'
import type { Endpoint } from '../generated/prisma/client.ts'
import { PointInput, pointOf } from './branch.schema.ts'
import { builder } from './builder.ts'
import { actorOf, callOf, type GraphContext } from './context.ts'
import {
  BranchRef,
  EndpointPayloadRef,
  EndpointRef,
  FailoverReportRef,
  NodeRef,
  OperationPayloadRef,
  PhaseRef,
  payload,
  StartReportRef,
} from './refs.ts'

const states = ['IDLE', 'STARTING', 'ACTIVE', 'STOPPING', 'FAILED'] as const
const types = ['READ_WRITE', 'READ_ONLY'] as const
const EndpointStateEnum = builder.enumType('EndpointState', { values: states })
export const EndpointTypeEnum = builder.enumType('EndpointType', { values: types })

type Phases = { name: string; ms: number }[]

const ComputeRef = builder.objectRef<Endpoint>('Compute').implement({
  description: 'The Postgres that serves an endpoint now.',
  fields: (t) => ({
    id: t.id({ resolve: ({ computeId }) => computeId ?? '' }),
    state: t.exposeString('state'),
    term: t.exposeInt('term', {
      nullable: true,
      description: 'Its election number on the SafeKeepers; the highest wins.',
    }),
    startLsn: t.expose('startLsn', { type: 'LSN', nullable: true }),
    mode: t.exposeString('mode', { nullable: true }),
    startedAt: t.expose('startedAt', { type: 'DateTime', nullable: true }),
    readyAt: t.expose('readyAt', { type: 'DateTime', nullable: true }),
    phases: t.field({ type: [PhaseRef], resolve: ({ phases }) => phases as Phases }),
  }),
})

builder.objectType(EndpointRef, {
  description: 'A stable address that clients connect to. A connection wakes it.',
  interfaces: [NodeRef],
  isTypeOf: (value) => typeof value === 'object' && value !== null && 'suspendAfterSeconds' in value,
  fields: (t) => ({
    id: t.exposeID('id'),
    branch: t.field({
      type: BranchRef,
      resolve: async ({ branchId }, _args, context) => {
        const branch = await context.loaders.branch.load(branchId)
        if (!branch) throw new GraphQLError('branch not found')
        return branch
      },
    }),
    type: t.field({ type: EndpointTypeEnum, resolve: ({ type }) => type as (typeof types)[number] }),
    state: t.field({ type: EndpointStateEnum, resolve: ({ state }) => state as (typeof states)[number] }),
    desiredState: t.exposeString('desiredState', { description: 'RUNNING or SUSPENDED.' }),
    host: t.string({ resolve: ({ id }, _args, context) => context.services.connections.hostOf(id) }),
    size: t.exposeString('size', { description: 'small, medium, large or xlarge.' }),
    settings: t.field({ type: 'JSON', nullable: true, resolve: ({ settings }) => settings }),
    suspendAfterSeconds: t.exposeInt('suspendAfterSeconds', { nullable: true, description: 'Null: never.' }),
    maxConnections: t.exposeInt('maxConnections'),
    connections: t.exposeInt('connections', { nullable: true }),
    atLsn: t.expose('atLsn', { type: 'LSN', nullable: true }),
    atTime: t.expose('atTime', { type: 'DateTime', nullable: true }),
    createdAt: t.expose('createdAt', { type: 'DateTime' }),
    lastActiveAt: t.expose('lastActiveAt', { type: 'DateTime', nullable: true }),
    startedAt: t.expose('startedAt', { type: 'DateTime', nullable: true }),
    suspendedAt: t.expose('suspendedAt', { type: 'DateTime', nullable: true }),
    keepsAwake: t.exposeString('keepsAwake', { nullable: true }),
    compute: t.field({
      type: ComputeRef,
      nullable: true,
      resolve: (endpoint) => (endpoint.computeId === null ? null : endpoint),
    }),
    lastError: t.exposeString('lastError', { nullable: true }),
    failovers: t.field({
      type: [FailoverReportRef],
      args: { first: t.arg.int({ defaultValue: 10, required: true }) },
      resolve: ({ id }, { first }, context) => context.loaders.failoversOfEndpoint.load({ id, first: bounded(first) }),
    }),
    starts: t.field({
      type: [StartReportRef],
      args: { first: t.arg.int({ defaultValue: 10, required: true }) },
      resolve: ({ id }, { first }, context) => context.loaders.startsOfEndpoint.load({ id, first: bounded(first) }),
    }),
  }),
})

const bounded = (first: number) => Math.min(Math.max(first, 0), 100)

builder.objectType(StartReportRef, {
  fields: (t) => ({
    at: t.expose('at', { type: 'DateTime' }),
    cause: t.exposeString('cause'),
    totalMs: t.exposeFloat('totalMs'),
    phases: t.field({ type: [PhaseRef], resolve: ({ phases }) => phases as Phases }),
  }),
})

builder.objectType(FailoverReportRef, {
  description:
    'A change of compute under an endpoint. Milliseconds count from the request, or from the death of the old compute.',
  fields: (t) => ({
    id: t.exposeID('id'),
    requestedAt: t.expose('requestedAt', { type: 'DateTime' }),
    detectedMs: t.exposeFloat('detectedMs', { nullable: true }),
    electedMs: t.exposeFloat('electedMs', { nullable: true }),
    startedMs: t.exposeFloat('startedMs', { nullable: true }),
    firstCommitMs: t.exposeFloat('firstCommitMs', { nullable: true }),
    rtoMs: t.exposeFloat('rtoMs'),
    rpoTransactions: t.exposeInt('rpoTransactions', {
      description: 'Of the commits acknowledged right before on the old compute, those that the new one does not have.',
    }),
    oldTerm: t.exposeInt('oldTerm', { nullable: true }),
    newTerm: t.exposeInt('newTerm', { nullable: true }),
    cause: t.exposeString('cause'),
  }),
})

const CreateEndpointInput = builder.inputType('CreateEndpointInput', {
  fields: (t) => ({
    branchId: t.id({ required: true }),
    type: t.field({ type: EndpointTypeEnum, defaultValue: 'READ_WRITE', required: true }),
    at: t.field({ type: PointInput, description: 'What a read-only endpoint shows.' }),
    size: t.string(),
    suspendAfterSeconds: t.int({ description: '0: the default, 300; -1: never.' }),
  }),
})
const UpdateEndpointInput = builder.inputType('UpdateEndpointInput', {
  fields: (t) => ({
    size: t.string(),
    suspendAfterSeconds: t.int({ description: '0: the default, 300; -1: never.' }),
    settings: t.field({ type: 'JSON' }),
    maxConnections: t.int(),
  }),
})

const commands = {
  startEndpoint: 'start',
  suspendEndpoint: 'suspend',
  restartEndpoint: 'restart',
  failoverEndpoint: 'failover',
} as const

builder.mutationFields((t) => {
  const command = (name: keyof typeof commands) =>
    t.field({
      type: EndpointPayloadRef,
      args: { id: t.arg.id({ required: true }) },
      resolve: async (_root, { id }, context: GraphContext) =>
        payload(
          await context.services.endpoints[commands[name]](actorOf(context), id, callOf(context)),
          ({ endpoint, operations }) => ({ endpoint, operations }),
        ),
    })
  return {
    createEndpoint: t.field({
      type: EndpointPayloadRef,
      args: { input: t.arg({ type: CreateEndpointInput, required: true }) },
      resolve: async (_root, { input }, context) =>
        payload(
          await context.services.endpoints.create(
            actorOf(context),
            { ...input, at: pointOf(input.at) },
            callOf(context),
          ),
          ({ endpoint, operations }) => ({ endpoint, operations }),
        ),
    }),
    updateEndpoint: t.field({
      type: EndpointPayloadRef,
      args: { id: t.arg.id({ required: true }), input: t.arg({ type: UpdateEndpointInput, required: true }) },
      resolve: async (_root, { id, input }, context) =>
        payload(
          await context.services.endpoints.update(actorOf(context), id, input, callOf(context)),
          ({ endpoint, operations }) => ({ endpoint, operations }),
        ),
    }),
    deleteEndpoint: t.field({
      type: OperationPayloadRef,
      args: { id: t.arg.id({ required: true }) },
      resolve: async (_root, { id }, context) =>
        payload(await context.services.endpoints.delete(actorOf(context), id, callOf(context)), ({ operations }) => ({
          operations,
        })),
    }),
    startEndpoint: command('startEndpoint'),
    suspendEndpoint: command('suspendEndpoint'),
    restartEndpoint: command('restartEndpoint'),
    failoverEndpoint: command('failoverEndpoint'),
  }
})
