import { can } from '../auth/permission.ts'
import { notFound } from '../shared/result.ts'
import { builder, orNull } from './builder.ts'
import { actorOf, callOf } from './context.ts'
import { DeletePayloadRef, NodeRef, payload } from './refs.ts'

interface ServerInfo {
  readonly demoProjectId: string | null
}

const ServerInfoRef = builder.objectRef<ServerInfo>('ServerInfo').implement({
  description: 'What this system is; also for who is not signed in.',
  fields: (t) => ({
    version: t.string({ resolve: (_info, _args, { app }) => app.version }),
    isLocalStack: t.boolean({
      description: 'All processes run on one machine under one supervisor.',
      resolve: () => true,
    }),
    allowsSignUp: t.boolean({ resolve: (_info, _args, { app }) => app.config.allowSignUp }),
    proxyHost: t.string({ resolve: (_info, _args, { app }) => app.config.proxy.publicHost }),
    proxyPort: t.int({ resolve: (_info, _args, { app }) => app.config.proxy.port }),
    hasPooler: t.boolean({
      description: 'Endpoints can be reached as `<endpoint>-pooler`: many clients share few connections.',
      resolve: (_info, _args, { app }) => app.config.proxy.hasPooler,
    }),
    hasAnalytics: t.boolean({ resolve: (_info, _args, { app }) => app.queries !== null }),
    demoProjectId: t.exposeID('demoProjectId', { nullable: true, description: 'Null when you may not see it.' }),
    demoWorkloadRunning: t.boolean({
      nullable: true,
      resolve: ({ demoProjectId }, _args, { app }) => (demoProjectId === null ? null : app.demo.isRunning()),
    }),
  }),
})

builder.queryField('serverInfo', (t) =>
  t.field({
    type: ServerInfoRef,
    resolve: async (_root, _args, context) => {
      const demo = await context.app.demo.project()
      const isVisible =
        demo !== null &&
        context.actor !== null &&
        can(context.actor, 'project.view', { organizationId: demo.organizationId, projectId: demo.id })
      return { demoProjectId: isVisible ? demo.id : null }
    },
  }),
)

builder.mutationField('setDemoWorkload', (t) =>
  t.field({
    type: DeletePayloadRef,
    description: 'The trickle of transactions on the demo project.',
    args: { running: t.arg.boolean({ required: true }) },
    resolve: async (_root, { running }, context) =>
      payload(await context.app.demo.setRunning(actorOf(context), running, callOf(context)), () => ({})),
  }),
)

builder.queryField('node', (t) =>
  t.field({
    type: NodeRef,
    nullable: true,
    description: 'Any thing by its id.',
    args: { id: t.arg.id({ required: true }) },
    resolve: async (_root, { id }, context) => {
      const actor = actorOf(context)
      const { services } = context
      if (id.startsWith('org-')) return orNull(await services.organizations.get(actor, id))
      if (id.startsWith('br-')) return orNull(await services.branches.get(actor, id))
      if (id.startsWith('ep-')) return orNull(await services.endpoints.get(actor, id))
      if (id.startsWith('snap-')) return orNull(await services.snapshots.get(actor, id))
      const project = await services.projects.get(actor, id)
      if (project.ok) return project.value
      const operation = await services.operations.get(actor, id)
      return orNull(operation.ok ? operation : notFound('node'))
    },
  }),
)
