import type {
  AuditEntry,
  apikey,
  Branch,
  Database,
  Endpoint,
  FailoverReport,
  FaultDrill,
  invitation,
  Operation,
  OperationStep,
  organization,
  Project,
  QueryHistoryEntry,
  Role,
  SavedQuery,
  Snapshot,
  StartReport,
  WakeRecord,
} from '../generated/prisma/client.ts'
import type { ConnectionInfo } from '../modules/branch/connection-service.ts'
import type { Member } from '../modules/organization/organization-service.ts'
import type { UsageSummary } from '../modules/usage/usage-service.ts'
import type { Page } from '../shared/pagination.ts'
import type { Failure, Result } from '../shared/result.ts'
import { builder } from './builder.ts'

export interface ViewerShape {
  readonly id: string
  readonly name: string
  readonly email: string
}

/** Names of the types; each is filled in by the file of its noun. */
export const NodeRef = builder.interfaceRef<{ id: string }>('Node')
export const ViewerRef = builder.objectRef<ViewerShape>('Viewer')
export const UserRef = builder.objectRef<{ id: string; name: string; email: string }>('User')
export const OrganizationRef = builder.objectRef<organization>('Organization')
export const MemberRef = builder.objectRef<Member>('Member')
export const InvitationRef = builder.objectRef<invitation>('Invitation')
export const ApiKeyRef = builder.objectRef<apikey>('ApiKey')
export const ProjectRef = builder.objectRef<Project>('Project')
export const UsageSummaryRef = builder.objectRef<UsageSummary>('UsageSummary')
export const BranchRef = builder.objectRef<Branch>('Branch')
export const RoleRef = builder.objectRef<Role>('Role')
export const DatabaseRef = builder.objectRef<Database>('Database')
export const ConnectionInfoRef = builder.objectRef<ConnectionInfo>('ConnectionInfo')
export const EndpointRef = builder.objectRef<Endpoint>('Endpoint')
export const StartReportRef = builder.objectRef<StartReport>('StartReport')
export const FailoverReportRef = builder.objectRef<FailoverReport>('FailoverReport')
export const WakeRecordRef = builder.objectRef<WakeRecord>('WakeRecord')
export const SnapshotRef = builder.objectRef<Snapshot>('Snapshot')
export const OperationRef = builder.objectRef<Operation>('Operation')
export const OperationStepRef = builder.objectRef<OperationStep>('OperationStep')
export const AuditEntryRef = builder.objectRef<AuditEntry>('AuditEntry')
export const SavedQueryRef = builder.objectRef<SavedQuery>('SavedQuery')
export const QueryHistoryEntryRef = builder.objectRef<QueryHistoryEntry>('QueryHistoryEntry')
export const FaultDrillRef = builder.objectRef<FaultDrill>('FaultDrill')
export const PhaseRef = builder.objectRef<{ name: string; ms: number }>('Phase')

builder.interfaceType(NodeRef, {
  description: 'A thing with an id of its own.',
  fields: (t) => ({ id: t.exposeID('id') }),
})

builder.objectType(PhaseRef, {
  description: 'A part of something that took time.',
  fields: (t) => ({ name: t.exposeString('name'), ms: t.exposeFloat('ms') }),
})

export const UserErrorRef = builder.objectRef<Failure>('UserError').implement({
  description: 'A failure that a caller must expect. Codes are stable, messages are for people.',
  fields: (t) => ({
    code: t.exposeString('code'),
    message: t.exposeString('message'),
    field: t.exposeString('field', { nullable: true }),
  }),
})

/** Arguments of a page of a list. */
export const PageInfoRef = builder.objectRef<{ hasNextPage: boolean; endCursor: string | null }>('PageInfo').implement({
  fields: (t) => ({
    hasNextPage: t.exposeBoolean('hasNextPage'),
    endCursor: t.exposeString('endCursor', { nullable: true }),
  }),
})

type NodeType = typeof ProjectRef | typeof BranchRef | typeof OperationRef | typeof AuditEntryRef

/** The connection and edge types of a node type. */
function connectionOf<Node extends object>(name: string, node: NodeType) {
  const Edge = builder.objectRef<{ cursor: string; node: Node }>(`${name}Edge`).implement({
    fields: (t) => ({
      cursor: t.exposeString('cursor'),
      node: t.field({ type: node, resolve: (edge) => edge.node as never }),
    }),
  })
  return builder.objectRef<Page<Node>>(`${name}Connection`).implement({
    fields: (t) => ({
      edges: t.field({
        type: [Edge],
        resolve: (page) => page.nodes.map((item) => ({ cursor: page.cursorOf(item), node: item })),
      }),
      nodes: t.field({ type: [node], resolve: (page) => page.nodes as never }),
      pageInfo: t.field({
        type: PageInfoRef,
        resolve: (page) => {
          const last = page.nodes.at(-1)
          return { hasNextPage: page.hasNextPage, endCursor: last === undefined ? null : page.cursorOf(last) }
        },
      }),
      totalCount: t.exposeInt('totalCount'),
    }),
  })
}

export const ProjectConnectionRef = connectionOf<Project>('Project', ProjectRef)
export const BranchConnectionRef = connectionOf<Branch>('Branch', BranchRef)
export const OperationConnectionRef = connectionOf<Operation>('Operation', OperationRef)
export const AuditConnectionRef = connectionOf<AuditEntry>('Audit', AuditEntryRef)

interface WithError {
  readonly error?: Failure
}

export interface WithOperations extends WithError {
  readonly operations?: readonly Operation[]
}

/** Payloads. `…Payload` of a thing has the thing, its operations where there are any, and `error`. */
export const BranchPayloadRef = builder.objectRef<WithOperations & { branch?: Branch }>('BranchPayload').implement({
  fields: (t) => ({
    branch: t.field({ type: BranchRef, nullable: true, resolve: (p) => p.branch ?? null }),
    operations: t.field({ type: [OperationRef], resolve: (p) => [...(p.operations ?? [])] }),
    error: t.field({ type: UserErrorRef, nullable: true, resolve: (p) => p.error ?? null }),
  }),
})

export const ProjectPayloadRef = builder
  .objectRef<WithOperations & { project?: Project; connection?: ConnectionInfo }>('ProjectPayload')
  .implement({
    fields: (t) => ({
      project: t.field({ type: ProjectRef, nullable: true, resolve: (p) => p.project ?? null }),
      operations: t.field({ type: [OperationRef], resolve: (p) => [...(p.operations ?? [])] }),
      connection: t.field({ type: ConnectionInfoRef, nullable: true, resolve: (p) => p.connection ?? null }),
      error: t.field({ type: UserErrorRef, nullable: true, resolve: (p) => p.error ?? null }),
    }),
  })

export const EndpointPayloadRef = builder
  .objectRef<WithOperations & { endpoint?: Endpoint }>('EndpointPayload')
  .implement({
    fields: (t) => ({
      endpoint: t.field({ type: EndpointRef, nullable: true, resolve: (p) => p.endpoint ?? null }),
      operations: t.field({ type: [OperationRef], resolve: (p) => [...(p.operations ?? [])] }),
      error: t.field({ type: UserErrorRef, nullable: true, resolve: (p) => p.error ?? null }),
    }),
  })

export const OperationPayloadRef = builder.objectRef<WithOperations>('OperationPayload').implement({
  fields: (t) => ({
    operations: t.field({ type: [OperationRef], resolve: (p) => [...(p.operations ?? [])] }),
    error: t.field({ type: UserErrorRef, nullable: true, resolve: (p) => p.error ?? null }),
  }),
})

export const RolePayloadRef = builder
  .objectRef<WithOperations & { role?: Role; password?: string | null }>('RolePayload')
  .implement({
    fields: (t) => ({
      role: t.field({ type: RoleRef, nullable: true, resolve: (p) => p.role ?? null }),
      password: t.string({ nullable: true, resolve: (p) => p.password ?? null }),
      operations: t.field({ type: [OperationRef], resolve: (p) => [...(p.operations ?? [])] }),
      error: t.field({ type: UserErrorRef, nullable: true, resolve: (p) => p.error ?? null }),
    }),
  })

export const DatabasePayloadRef = builder
  .objectRef<WithOperations & { database?: Database }>('DatabasePayload')
  .implement({
    fields: (t) => ({
      database: t.field({ type: DatabaseRef, nullable: true, resolve: (p) => p.database ?? null }),
      operations: t.field({ type: [OperationRef], resolve: (p) => [...(p.operations ?? [])] }),
      error: t.field({ type: UserErrorRef, nullable: true, resolve: (p) => p.error ?? null }),
    }),
  })

export const SnapshotPayloadRef = builder.objectRef<WithError & { snapshot?: Snapshot }>('SnapshotPayload').implement({
  fields: (t) => ({
    snapshot: t.field({ type: SnapshotRef, nullable: true, resolve: (p) => p.snapshot ?? null }),
    error: t.field({ type: UserErrorRef, nullable: true, resolve: (p) => p.error ?? null }),
  }),
})

export const ApiKeyPayloadRef = builder
  .objectRef<WithError & { apiKey?: apikey; secret?: string }>('ApiKeyPayload')
  .implement({
    fields: (t) => ({
      apiKey: t.field({ type: ApiKeyRef, nullable: true, resolve: (p) => p.apiKey ?? null }),
      secret: t.string({ nullable: true, resolve: (p) => p.secret ?? null }),
      error: t.field({ type: UserErrorRef, nullable: true, resolve: (p) => p.error ?? null }),
    }),
  })

export const OrganizationPayloadRef = builder
  .objectRef<WithError & { organization?: organization }>('OrganizationPayload')
  .implement({
    fields: (t) => ({
      organization: t.field({ type: OrganizationRef, nullable: true, resolve: (p) => p.organization ?? null }),
      error: t.field({ type: UserErrorRef, nullable: true, resolve: (p) => p.error ?? null }),
    }),
  })

export const MemberPayloadRef = builder.objectRef<WithError & { member?: Member }>('MemberPayload').implement({
  fields: (t) => ({
    member: t.field({ type: MemberRef, nullable: true, resolve: (p) => p.member ?? null }),
    error: t.field({ type: UserErrorRef, nullable: true, resolve: (p) => p.error ?? null }),
  }),
})

export const InvitationPayloadRef = builder
  .objectRef<WithError & { invitation?: invitation }>('InvitationPayload')
  .implement({
    fields: (t) => ({
      invitation: t.field({ type: InvitationRef, nullable: true, resolve: (p) => p.invitation ?? null }),
      error: t.field({ type: UserErrorRef, nullable: true, resolve: (p) => p.error ?? null }),
    }),
  })

export const DeletePayloadRef = builder.objectRef<WithError>('DeletePayload').implement({
  fields: (t) => ({
    ok: t.boolean({ resolve: (p) => p.error === undefined }),
    error: t.field({ type: UserErrorRef, nullable: true, resolve: (p) => p.error ?? null }),
  }),
})

export const FaultDrillPayloadRef = builder
  .objectRef<WithError & { drill?: FaultDrill }>('FaultDrillPayload')
  .implement({
    fields: (t) => ({
      drill: t.field({ type: FaultDrillRef, nullable: true, resolve: (p) => p.drill ?? null }),
      error: t.field({ type: UserErrorRef, nullable: true, resolve: (p) => p.error ?? null }),
    }),
  })

/** The payload of a result: what `of` makes of the value, or the error. */
export function payload<Value, Payload extends object>(
  result: Result<Value>,
  of: (value: Value) => Payload,
): Payload | { error: Failure } {
  return result.ok ? of(result.value) : { error: result.error }
}
