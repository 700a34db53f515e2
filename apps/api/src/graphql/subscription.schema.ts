import { GraphQLError } from 'graphql'
import type { Actor } from '../app.ts'
import { canInProject } from '../modules/access.ts'
import type { ChangeEvents } from '../shared/event-bus.ts'
import { builder, orThrow } from './builder.ts'
import { actorOf, type GraphContext } from './context.ts'
import { BranchRef, EndpointRef, FaultDrillRef, OperationRef } from './refs.ts'
import { StorageStatusRef } from './storage.schema.ts'

/** How long what a subscriber may see is believed. */
const RECHECK_MS = 2000

/**
 * Events of a subscription for as long as its subscriber may have them: who that is and what it may do is looked at again
 * before an event is handed over. It ends, without another word, when the key is revoked or the member removed.
 */
function whileAllowed<Event>(
  context: GraphContext,
  events: AsyncIterableIterator<Event>,
  isAllowed: (actor: Actor) => boolean,
): AsyncIterableIterator<Event> {
  let checkedMs = performance.now()
  const end = () => events.return?.() ?? Promise.resolve({ done: true as const, value: undefined })
  return {
    async next() {
      const event = await events.next()
      if (event.done || performance.now() - checkedMs < RECHECK_MS) return event
      context.actor = await context.authenticate()
      if (context.actor === null || !isAllowed(context.actor)) return end()
      checkedMs = performance.now()
      return event
    },
    return: end,
    [Symbol.asyncIterator]() {
      return this
    },
  }
}

/** Events of a project that the subscriber may see. */
async function eventsOf<Name extends 'operation' | 'branchTip' | 'endpoint'>(
  context: GraphContext,
  name: Name,
  projectId: string,
): Promise<AsyncIterableIterator<ChangeEvents[Name]>> {
  const project = orThrow(await context.services.projects.get(actorOf(context), projectId))
  const events = context.app.bus.stream(name, (event) => event.projectId === projectId)
  // Also when it has been deleted since: somebody waits for the end of that.
  return whileAllowed(context, events, (actor) => canInProject(actor, 'project.view', project))
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
      const events = context.app.bus.stream('storageStatus', () => true)
      return whileAllowed(context, events, () => true)
    },
    resolve: (_event, _args, context) => context.services.storage.status(actorOf(context)),
  }),
  faultDrillChanged: t.field({
    type: FaultDrillRef,
    args: { id: t.arg.id({ required: true }) },
    subscribe: async (_root, { id }, context) => {
      const { projectId } = orThrow(await context.services.drills.get(actorOf(context), id))
      const project = orThrow(await context.services.projects.get(actorOf(context), projectId))
      const events = context.app.bus.stream('faultDrill', ({ drillId }) => drillId === id)
      return whileAllowed(context, events, (actor) => canInProject(actor, 'project.view', project))
    },
    resolve: async (event, _args, { app }) => {
      const drill = await app.database.faultDrill.findUnique({ where: { id: event.drillId } })
      if (!drill) throw gone('fault drill')
      return drill
    },
  }),
}))
