import { GraphQLError } from 'graphql'
import type { ChangeEvents } from '../shared/event-bus.ts'
import { builder, orThrow } from './builder.ts'
import { actorOf, type GraphContext } from './context.ts'
import { BranchRef, EndpointRef, FaultDrillRef, OperationRef } from './refs.ts'
import { StorageStatusRef } from './storage.schema.ts'

/** Events of a project, after the one check that the subscriber may see it; a project that is no longer visible ends it. */
async function eventsOf<Name extends 'operation' | 'branchTip' | 'endpoint'>(
  context: GraphContext,
  name: Name,
  projectId: string,
): Promise<AsyncIterableIterator<ChangeEvents[Name]>> {
  orThrow(await context.services.projects.get(actorOf(context), projectId))
  return context.app.bus.stream(name, (event) => event.projectId === projectId)
}

const gone = (what: string) => new GraphQLError(`${what} is gone`, { extensions: { code: 'NOT_FOUND' } })

builder.subscriptionFields((t) => ({
  operationChanged: t.field({
    type: OperationRef,
    args: { projectId: t.arg.id({ required: true }) },
    subscribe: (_root, { projectId }, context) => eventsOf(context, 'operation', projectId),
    resolve: async (event, _args, { app, loaders }) => {
      loaders.stepsOfOperation.clear(event.operationId)
      const operation = await app.database.operation.findUnique({ where: { id: event.operationId } })
      if (!operation) throw gone('operation')
      return operation
    },
  }),
  branchTipMoved: t.field({
    type: BranchRef,
    args: { projectId: t.arg.id({ required: true }) },
    subscribe: (_root, { projectId }, context) => eventsOf(context, 'branchTip', projectId),
    resolve: async (event, _args, { app }) => {
      const branch = await app.database.branch.findUnique({ where: { id: event.branchId } })
      if (!branch) throw gone('branch')
      return branch
    },
  }),
  endpointChanged: t.field({
    type: EndpointRef,
    args: { projectId: t.arg.id({ required: true }) },
    subscribe: (_root, { projectId }, context) => eventsOf(context, 'endpoint', projectId),
    resolve: async (event, _args, { app }) => {
      const endpoint = await app.database.endpoint.findUnique({ where: { id: event.endpointId } })
      if (!endpoint) throw gone('endpoint')
      return endpoint
    },
  }),
  storageStatusChanged: t.field({
    type: StorageStatusRef,
    subscribe: (_root, _args, context) => {
      actorOf(context)
      return context.app.bus.stream('storageStatus', () => true)
    },
    resolve: (_event, _args, context) => context.services.storage.status(actorOf(context)),
  }),
  faultDrillChanged: t.field({
    type: FaultDrillRef,
    args: { id: t.arg.id({ required: true }) },
    subscribe: async (_root, { id }, context) => {
      orThrow(await context.services.drills.get(actorOf(context), id))
      return context.app.bus.stream('faultDrill', ({ drillId }) => drillId === id)
    },
    resolve: async (event, _args, { app }) => {
      const drill = await app.database.faultDrill.findUnique({ where: { id: event.drillId } })
      if (!drill) throw gone('fault drill')
      return drill
    },
  }),
}))
