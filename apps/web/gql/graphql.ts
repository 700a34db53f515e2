/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core';
export type BranchState =
  | 'CREATING'
  | 'DELETING'
  | 'FAILED'
  | 'READY'
  | 'RESETTING'
  | 'RESTORING';

export type CreateApiKeyInput = {
  expiresInDays?: number | null | undefined;
  name: string;
  organizationId?: string | null | undefined;
  projectId?: string | null | undefined;
  readOnly?: boolean | null | undefined;
};

export type CreateBranchInput = {
  at?: PointInput | null | undefined;
  expiresAt?: string | null | undefined;
  name?: string | null | undefined;
  /** Default: the default branch. */
  parentId?: string | null | undefined;
  projectId: string;
  withEndpoint?: boolean | null | undefined;
};

export type CreateEndpointInput = {
  /** What a read-only endpoint shows. */
  at?: PointInput | null | undefined;
  branchId: string;
  size?: string | null | undefined;
  /** 0: the default, 300; -1: never. */
  suspendAfterSeconds?: number | null | undefined;
  type?: EndpointType;
};

export type CreateOrganizationInput = {
  name: string;
  slug: string;
};

export type CreateProjectInput = {
  databaseName?: string | null | undefined;
  name: string;
  organizationId?: string | null | undefined;
  pitrWindowSeconds?: number | null | undefined;
  roleName?: string | null | undefined;
};

export type EndpointState =
  | 'ACTIVE'
  | 'FAILED'
  | 'IDLE'
  | 'STARTING'
  | 'STOPPING';

export type EndpointType =
  | 'READ_ONLY'
  | 'READ_WRITE';

export type FaultDrillInput = {
  branchId: string;
  kind: FaultDrillKind;
  projectId: string;
  safekeeperId?: number | null | undefined;
  seconds?: number | null | undefined;
};

export type FaultDrillKind =
  | 'CUT_COMPUTE_FROM_QUORUM'
  | 'KILL_COMPUTE'
  | 'KILL_SAFEKEEPER'
  | 'STOP_SAFEKEEPER';

export type InviteMemberInput = {
  email: string;
  organizationId: string;
  role: OrganizationRole;
};

export type OperationState =
  | 'CANCELLED'
  | 'FAILED'
  | 'FINISHED'
  | 'RUNNING'
  | 'SCHEDULING'
  | 'SKIPPED';

export type OrganizationRole =
  | 'ADMIN'
  | 'MEMBER'
  | 'OWNER'
  | 'VIEWER';

/** A point of a branch: one of these; nothing = its tip. */
export type PointInput = {
  lsn?: string | null | undefined;
  snapshotId?: string | null | undefined;
  time?: string | null | undefined;
};

export type ProcessAction =
  | 'KILL'
  | 'START'
  | 'STOP';

export type QueryEngine =
  | 'ANALYTICS'
  | 'POSTGRES';

/** A field that is left out stays; null lifts the limit. */
export type QuotasInput = {
  branches?: number | null | undefined;
  computeSeconds?: number | null | undefined;
  storageBytes?: string | null | undefined;
  writtenBytes?: string | null | undefined;
};

export type RunSqlInput = {
  /** Read-only, as of then. */
  at?: PointInput | null | undefined;
  branchId: string;
  database: string;
  engine?: QueryEngine;
  explain?: boolean | null | undefined;
  /** False: an analytic query that does not appear in the history. What Postgres runs is always recorded. */
  isRecorded?: boolean | null | undefined;
  /** To cancel it by; one is made when absent. */
  queryId?: string | null | undefined;
  /** Default: the owner of the database. */
  role?: string | null | undefined;
  rowLimit?: number | null | undefined;
  sql: string;
};

export type TimelineEventKind =
  | 'BRANCH_POINT'
  | 'CHECKPOINT'
  | 'COMPUTE_START'
  | 'DDL'
  | 'FAILOVER'
  | 'LARGE_TRANSACTION'
  | 'RESTORE'
  | 'SNAPSHOT';

export type UpdateBranchInput = {
  clearExpiry?: boolean | null | undefined;
  expiresAt?: string | null | undefined;
  isDefault?: boolean | null | undefined;
  isProtected?: boolean | null | undefined;
  name?: string | null | undefined;
};

export type UpdateEndpointInput = {
  maxConnections?: number | null | undefined;
  settings?: unknown;
  size?: string | null | undefined;
  /** 0: the default, 300; -1: never. */
  suspendAfterSeconds?: number | null | undefined;
};

export type UpdateProjectInput = {
  name?: string | null | undefined;
  pitrWindowSeconds?: number | null | undefined;
  quotas?: QuotasInput | null | undefined;
};

export type UsageMetric =
  | 'CACHE_HIT_RATIO'
  | 'COMMIT_LATENCY_P50_MS'
  | 'COMMIT_LATENCY_P99_MS'
  | 'COMPUTE_SECONDS'
  | 'CONNECTIONS'
  | 'LSN_LAG_BYTES'
  | 'OBJECT_BYTES'
  | 'PAGE_READS'
  | 'STORAGE_BYTES'
  | 'TPS'
  | 'WRITTEN_BYTES';

export type ApiKeyDetailsFragment = { id: string, name: string, start: string, scope: string, projectId: string | null, createdAt: string, expiresAt: string | null, lastUsedAt: string | null };

export type CreateApiKeyMutationVariables = Exact<{
  input: CreateApiKeyInput;
}>;


export type CreateApiKeyMutation = { createApiKey: { secret: string | null, apiKey: { id: string, name: string, start: string, scope: string, projectId: string | null, createdAt: string, expiresAt: string | null, lastUsedAt: string | null } | null, error: { code: string, message: string, field: string | null } | null } };

export type RevokeApiKeyMutationVariables = Exact<{
  id: string;
}>;


export type RevokeApiKeyMutation = { revokeApiKey: { ok: boolean, error: { code: string, message: string, field: string | null } | null } };

export type AuditEntryDetailsFragment = { id: string, at: string, actor: string, actorKind: string, action: string, subject: string, projectId: string | null, requestId: string | null, detail: unknown };

export type OrganizationAuditQueryVariables = Exact<{
  slug: string;
  first?: number | null | undefined;
  after?: string | null | undefined;
}>;


export type OrganizationAuditQuery = { organization: { id: string, auditLog: { pageInfo: { hasNextPage: boolean, endCursor: string | null }, nodes: Array<{ id: string, at: string, actor: string, actorKind: string, action: string, subject: string, projectId: string | null, requestId: string | null, detail: unknown }> } } | null };

export type ProjectAuditQueryVariables = Exact<{
  id: string;
  first?: number | null | undefined;
  after?: string | null | undefined;
}>;


export type ProjectAuditQuery = { project: { id: string, auditLog: { pageInfo: { hasNextPage: boolean, endCursor: string | null }, nodes: Array<{ id: string, at: string, actor: string, actorKind: string, action: string, subject: string, projectId: string | null, requestId: string | null, detail: unknown }> } } | null };

export type BranchCatalogQueryVariables = Exact<{
  projectId: string;
  branchId: string;
  database: string;
  at?: PointInput | null | undefined;
}>;


export type BranchCatalogQuery = { project: { id: string, branch: { id: string, catalog: { lsn: string, schemas: Array<{ name: string, tables: Array<{ oid: string, name: string, kind: string, rowEstimate: string | null, sizeBytes: string | null, columns: Array<{ name: string, type: string, notNull: boolean, isPrimaryKey: boolean, default: string | null, generated: boolean }>, indexes: Array<{ name: string, definition: string | null, isUnique: boolean, isPrimary: boolean }> }> }> } } | null } | null };

export type CatalogTableDetailsFragment = { oid: string, name: string, kind: string, rowEstimate: string | null, sizeBytes: string | null, columns: Array<{ name: string, type: string, notNull: boolean, isPrimaryKey: boolean, default: string | null, generated: boolean }>, indexes: Array<{ name: string, definition: string | null, isUnique: boolean, isPrimary: boolean }> };

export type ReadRowsMutationVariables = Exact<{
  input: RunSqlInput;
}>;


export type ReadRowsMutation = { runSql: { queryId: string, durationMs: number, statements: Array<{ rows: Array<Array<string | null>>, truncated: boolean, columns: Array<{ name: string, type: string }> }>, receipt: { lsn: string, commitTime: string | null, rowsFromColumns: string, rowsFresh: string } | null, error: { message: string, sqlState: string | null, hint: string | null, detail: string | null } | null } };

export type UserErrorDetailsFragment = { code: string, message: string, field: string | null };

export type BranchSummaryFragment = { id: string, name: string, state: BranchState, isDefault: boolean, isProtected: boolean, expiresAt: string | null, createdAt: string, createdBy: string | null, parentLsn: string | null, parentTime: string | null, logicalSizeBytes: string | null, parent: { id: string, name: string } | null, tip: { lsn: string, commitTime: string | null }, primaryEndpoint: { id: string, state: EndpointState } | null };

export type EndpointSummaryFragment = { id: string, type: EndpointType, state: EndpointState, desiredState: string, host: string, size: string, suspendAfterSeconds: number | null, maxConnections: number, connections: number | null, atLsn: string | null, atTime: string | null, createdAt: string, lastActiveAt: string | null, startedAt: string | null, suspendedAt: string | null, keepsAwake: string | null, lastError: string | null, branch: { id: string, name: string, isDefault: boolean }, compute: { id: string, state: string, term: number | null, startLsn: string | null, mode: string | null, startedAt: string | null, readyAt: string | null, phases: Array<{ name: string, ms: number }> } | null };

export type OperationDetailsFragment = { id: string, kind: string, state: OperationState, viewerCanCancel: boolean, createdAt: string, startedAt: string | null, finishedAt: string | null, durationMs: number | null, error: string | null, createdBy: string | null, branch: { id: string, name: string } | null, endpoint: { id: string } | null, steps: Array<{ name: string, state: OperationState, startedAt: string | null, finishedAt: string | null, durationMs: number | null, attempts: number, error: string | null }> };

export type ConnectionDetailsFragment = { host: string, port: number, database: string, role: string, uri: string, psql: string, passwordRevealed: boolean };

export type OperationQueryVariables = Exact<{
  id: string;
}>;


export type OperationQuery = { operation: { id: string, kind: string, state: OperationState, viewerCanCancel: boolean, createdAt: string, startedAt: string | null, finishedAt: string | null, durationMs: number | null, error: string | null, createdBy: string | null, branch: { id: string, name: string } | null, endpoint: { id: string } | null, steps: Array<{ name: string, state: OperationState, startedAt: string | null, finishedAt: string | null, durationMs: number | null, attempts: number, error: string | null }> } | null };

export type CancelOperationMutationVariables = Exact<{
  id: string;
}>;


export type CancelOperationMutation = { cancelOperation: { operations: Array<{ id: string, kind: string, state: OperationState, viewerCanCancel: boolean, createdAt: string, startedAt: string | null, finishedAt: string | null, durationMs: number | null, error: string | null, createdBy: string | null, branch: { id: string, name: string } | null, endpoint: { id: string } | null, steps: Array<{ name: string, state: OperationState, startedAt: string | null, finishedAt: string | null, durationMs: number | null, attempts: number, error: string | null }> }>, error: { code: string, message: string, field: string | null } | null } };

export type BranchConnectionQueryVariables = Exact<{
  projectId: string;
  branchId: string;
  role?: string | null | undefined;
  database?: string | null | undefined;
  pooled: boolean;
}>;


export type BranchConnectionQuery = { serverInfo: { hasPooler: boolean }, project: { id: string, branch: { id: string, name: string, roles: Array<{ name: string, canRevealPassword: boolean, isProtected: boolean }>, databases: Array<{ id: string, name: string, ownerName: string }>, connectionInfo: { host: string, port: number, database: string, role: string, uri: string, psql: string, passwordRevealed: boolean } | null } | null } | null };

export type RevealRolePasswordMutationVariables = Exact<{
  branchId: string;
  name: string;
}>;


export type RevealRolePasswordMutation = { revealRolePassword: { password: string | null, error: { code: string, message: string, field: string | null } | null } };

export type ResetRolePasswordMutationVariables = Exact<{
  branchId: string;
  name: string;
}>;


export type ResetRolePasswordMutation = { resetRolePassword: { password: string | null, operations: Array<{ id: string }>, error: { code: string, message: string, field: string | null } | null } };

export type BranchLsnAtTimeQueryVariables = Exact<{
  projectId: string;
  branchId: string;
  time: string;
}>;


export type BranchLsnAtTimeQuery = { project: { id: string, branch: { id: string, lsnAtTime: { lsn: string, kind: string, commitTime: string | null } } | null } | null };

export type BranchTimeAtLsnQueryVariables = Exact<{
  projectId: string;
  branchId: string;
  lsn: string;
}>;


export type BranchTimeAtLsnQuery = { project: { id: string, branch: { id: string, timeAtLsn: string | null } | null } | null };

export type BranchWindowQueryVariables = Exact<{
  projectId: string;
  branchId: string;
}>;


export type BranchWindowQuery = { project: { id: string, branch: { id: string, name: string, viewerCanRestore: boolean, restoreWindow: { fromLsn: string, fromTime: string | null, toLsn: string, toTime: string | null } } | null } | null };

export type OrganizationMembersQueryVariables = Exact<{
  slug: string;
}>;


export type OrganizationMembersQuery = { organization: { id: string, name: string, viewerRole: OrganizationRole, viewerCanManageMembers: boolean, members: Array<{ id: string, role: OrganizationRole, joinedAt: string, user: { id: string, name: string, email: string } }>, invitations: Array<{ id: string, email: string, role: OrganizationRole, status: string, expiresAt: string }> } | null };

export type InviteMemberMutationVariables = Exact<{
  input: InviteMemberInput;
}>;


export type InviteMemberMutation = { inviteMember: { invitation: { id: string, email: string } | null, error: { code: string, message: string, field: string | null } | null } };

export type ChangeMemberRoleMutationVariables = Exact<{
  organizationId: string;
  memberId: string;
  role: OrganizationRole;
}>;


export type ChangeMemberRoleMutation = { changeMemberRole: { member: { id: string, role: OrganizationRole } | null, error: { code: string, message: string, field: string | null } | null } };

export type RemoveMemberMutationVariables = Exact<{
  organizationId: string;
  memberId: string;
}>;


export type RemoveMemberMutation = { removeMember: { ok: boolean, error: { code: string, message: string, field: string | null } | null } };

export type BranchSchemaDiffQueryVariables = Exact<{
  projectId: string;
  branchId: string;
  database: string;
  with: PointInput;
  withBranchId?: string | null | undefined;
}>;


export type BranchSchemaDiffQuery = { project: { id: string, branch: { id: string, name: string, schemaDiff: { left: string, right: string, unified: string, isEmpty: boolean } } | null } | null };

export type ProjectBranchesQueryVariables = Exact<{
  id: string;
  first?: number | null | undefined;
  after?: string | null | undefined;
  search?: string | null | undefined;
}>;


export type ProjectBranchesQuery = { project: { id: string, viewerCanWrite: boolean, branches: { totalCount: number, pageInfo: { hasNextPage: boolean, endCursor: string | null }, nodes: Array<{ id: string, name: string, state: BranchState, isDefault: boolean, isProtected: boolean, expiresAt: string | null, createdAt: string, createdBy: string | null, parentLsn: string | null, parentTime: string | null, logicalSizeBytes: string | null, parent: { id: string, name: string } | null, tip: { lsn: string, commitTime: string | null }, primaryEndpoint: { id: string, state: EndpointState } | null }> } } | null };

export type BranchQueryVariables = Exact<{
  projectId: string;
  branchId: string;
}>;


export type BranchQuery = { project: { id: string, name: string, branch: { timelineId: string, viewerCanWrite: boolean, viewerCanDelete: boolean, viewerCanRestore: boolean, deletionRefusedBecause: string | null, id: string, name: string, state: BranchState, isDefault: boolean, isProtected: boolean, expiresAt: string | null, createdAt: string, createdBy: string | null, parentLsn: string | null, parentTime: string | null, logicalSizeBytes: string | null, children: Array<{ id: string, name: string, state: BranchState, isDefault: boolean, isProtected: boolean, expiresAt: string | null, createdAt: string, createdBy: string | null, parentLsn: string | null, parentTime: string | null, logicalSizeBytes: string | null, parent: { id: string, name: string } | null, tip: { lsn: string, commitTime: string | null }, primaryEndpoint: { id: string, state: EndpointState } | null }>, endpoints: Array<{ id: string, type: EndpointType, state: EndpointState, desiredState: string, host: string, size: string, suspendAfterSeconds: number | null, maxConnections: number, connections: number | null, atLsn: string | null, atTime: string | null, createdAt: string, lastActiveAt: string | null, startedAt: string | null, suspendedAt: string | null, keepsAwake: string | null, lastError: string | null, branch: { id: string, name: string, isDefault: boolean }, compute: { id: string, state: string, term: number | null, startLsn: string | null, mode: string | null, startedAt: string | null, readyAt: string | null, phases: Array<{ name: string, ms: number }> } | null }>, restoreWindow: { fromLsn: string, fromTime: string | null, toLsn: string, toTime: string | null }, parent: { id: string, name: string } | null, tip: { lsn: string, commitTime: string | null }, primaryEndpoint: { id: string, state: EndpointState } | null } | null, snapshots: Array<{ id: string, name: string, lsn: string, time: string | null, createdAt: string, expiresAt: string | null, sizeBytes: string | null, branch: { id: string, name: string } }> } | null };

export type CreateBranchMutationVariables = Exact<{
  input: CreateBranchInput;
}>;


export type CreateBranchMutation = { createBranch: { branch: { id: string, name: string } | null, operations: Array<{ id: string }>, error: { code: string, message: string, field: string | null } | null } };

export type UpdateBranchMutationVariables = Exact<{
  id: string;
  input: UpdateBranchInput;
}>;


export type UpdateBranchMutation = { updateBranch: { branch: { id: string, name: string, state: BranchState, isDefault: boolean, isProtected: boolean, expiresAt: string | null, createdAt: string, createdBy: string | null, parentLsn: string | null, parentTime: string | null, logicalSizeBytes: string | null, parent: { id: string, name: string } | null, tip: { lsn: string, commitTime: string | null }, primaryEndpoint: { id: string, state: EndpointState } | null } | null, error: { code: string, message: string, field: string | null } | null } };

export type DeleteBranchMutationVariables = Exact<{
  id: string;
  reparentChildren?: boolean | null | undefined;
}>;


export type DeleteBranchMutation = { deleteBranch: { operations: Array<{ id: string }>, error: { code: string, message: string, field: string | null } | null } };

export type ResetBranchMutationVariables = Exact<{
  id: string;
  keepAs?: string | null | undefined;
}>;


export type ResetBranchMutation = { resetBranchFromParent: { branch: { id: string } | null, operations: Array<{ id: string }>, error: { code: string, message: string, field: string | null } | null } };

export type CreateSnapshotMutationVariables = Exact<{
  branchId: string;
  name: string;
  at?: PointInput | null | undefined;
  expiresAt?: string | null | undefined;
}>;


export type CreateSnapshotMutation = { createSnapshot: { snapshot: { id: string, name: string } | null, error: { code: string, message: string, field: string | null } | null } };

export type DeleteSnapshotMutationVariables = Exact<{
  id: string;
}>;


export type DeleteSnapshotMutation = { deleteSnapshot: { ok: boolean, error: { code: string, message: string, field: string | null } | null } };

export type ProjectComputesQueryVariables = Exact<{
  id: string;
}>;


export type ProjectComputesQuery = { project: { id: string, viewerCanWrite: boolean, endpoints: Array<{ id: string, type: EndpointType, state: EndpointState, desiredState: string, host: string, size: string, suspendAfterSeconds: number | null, maxConnections: number, connections: number | null, atLsn: string | null, atTime: string | null, createdAt: string, lastActiveAt: string | null, startedAt: string | null, suspendedAt: string | null, keepsAwake: string | null, lastError: string | null, branch: { id: string, name: string, isDefault: boolean }, compute: { id: string, state: string, term: number | null, startLsn: string | null, mode: string | null, startedAt: string | null, readyAt: string | null, phases: Array<{ name: string, ms: number }> } | null }>, wakeLedger: Array<{ at: string, endpointId: string, cause: string, clientAddress: string | null, role: string | null, database: string | null, waitMs: number | null }> } | null };

export type ProjectEndpointQueryVariables = Exact<{
  id: string;
}>;


export type ProjectEndpointQuery = { project: { id: string, viewerCanWrite: boolean, endpoints: Array<{ settings: unknown, id: string, type: EndpointType, state: EndpointState, desiredState: string, host: string, size: string, suspendAfterSeconds: number | null, maxConnections: number, connections: number | null, atLsn: string | null, atTime: string | null, createdAt: string, lastActiveAt: string | null, startedAt: string | null, suspendedAt: string | null, keepsAwake: string | null, lastError: string | null, failovers: Array<{ id: string, requestedAt: string, detectedMs: number | null, electedMs: number | null, startedMs: number | null, firstCommitMs: number | null, rtoMs: number, rpoTransactions: number, oldTerm: number | null, newTerm: number | null, cause: string }>, starts: Array<{ at: string, cause: string, totalMs: number, phases: Array<{ name: string, ms: number }> }>, branch: { id: string, name: string, isDefault: boolean }, compute: { id: string, state: string, term: number | null, startLsn: string | null, mode: string | null, startedAt: string | null, readyAt: string | null, phases: Array<{ name: string, ms: number }> } | null }>, wakeLedger: Array<{ at: string, endpointId: string, cause: string, clientAddress: string | null, role: string | null, database: string | null, waitMs: number | null }> } | null };

export type FailoverDetailsFragment = { id: string, requestedAt: string, detectedMs: number | null, electedMs: number | null, startedMs: number | null, firstCommitMs: number | null, rtoMs: number, rpoTransactions: number, oldTerm: number | null, newTerm: number | null, cause: string };

export type CreateEndpointMutationVariables = Exact<{
  input: CreateEndpointInput;
}>;


export type CreateEndpointMutation = { createEndpoint: { endpoint: { id: string } | null, operations: Array<{ id: string }>, error: { code: string, message: string, field: string | null } | null } };

export type UpdateEndpointMutationVariables = Exact<{
  id: string;
  input: UpdateEndpointInput;
}>;


export type UpdateEndpointMutation = { updateEndpoint: { endpoint: { id: string } | null, operations: Array<{ id: string }>, error: { code: string, message: string, field: string | null } | null } };

export type DeleteEndpointMutationVariables = Exact<{
  id: string;
}>;


export type DeleteEndpointMutation = { deleteEndpoint: { operations: Array<{ id: string }>, error: { code: string, message: string, field: string | null } | null } };

export type StartEndpointMutationVariables = Exact<{
  id: string;
}>;


export type StartEndpointMutation = { result: { endpoint: { id: string, state: EndpointState } | null, operations: Array<{ id: string }>, error: { code: string, message: string, field: string | null } | null } };

export type SuspendEndpointMutationVariables = Exact<{
  id: string;
}>;


export type SuspendEndpointMutation = { result: { endpoint: { id: string, state: EndpointState } | null, operations: Array<{ id: string }>, error: { code: string, message: string, field: string | null } | null } };

export type RestartEndpointMutationVariables = Exact<{
  id: string;
}>;


export type RestartEndpointMutation = { result: { endpoint: { id: string, state: EndpointState } | null, operations: Array<{ id: string }>, error: { code: string, message: string, field: string | null } | null } };

export type FailoverEndpointMutationVariables = Exact<{
  id: string;
}>;


export type FailoverEndpointMutation = { result: { endpoint: { id: string, state: EndpointState } | null, operations: Array<{ id: string }>, error: { code: string, message: string, field: string | null } | null } };

export type ProjectMonitoringQueryVariables = Exact<{
  id: string;
  from: string;
  to: string;
  points: number;
}>;


export type ProjectMonitoringQuery = { project: { id: string, tps: { metric: UsageMetric, unit: string, points: Array<{ time: string, value: number | null }>, idle: Array<{ from: string, to: string }> }, commitP50: { metric: UsageMetric, unit: string, points: Array<{ time: string, value: number | null }>, idle: Array<{ from: string, to: string }> }, commitP99: { metric: UsageMetric, unit: string, points: Array<{ time: string, value: number | null }>, idle: Array<{ from: string, to: string }> }, cacheHit: { metric: UsageMetric, unit: string, points: Array<{ time: string, value: number | null }>, idle: Array<{ from: string, to: string }> }, pageReads: { metric: UsageMetric, unit: string, points: Array<{ time: string, value: number | null }>, idle: Array<{ from: string, to: string }> }, lsnLag: { metric: UsageMetric, unit: string, points: Array<{ time: string, value: number | null }>, idle: Array<{ from: string, to: string }> }, connections: { metric: UsageMetric, unit: string, points: Array<{ time: string, value: number | null }>, idle: Array<{ from: string, to: string }> }, computeSeconds: { metric: UsageMetric, unit: string, points: Array<{ time: string, value: number | null }>, idle: Array<{ from: string, to: string }> }, storageBytes: { metric: UsageMetric, unit: string, points: Array<{ time: string, value: number | null }>, idle: Array<{ from: string, to: string }> }, objectBytes: { metric: UsageMetric, unit: string, points: Array<{ time: string, value: number | null }>, idle: Array<{ from: string, to: string }> }, writtenBytes: { metric: UsageMetric, unit: string, points: Array<{ time: string, value: number | null }>, idle: Array<{ from: string, to: string }> } } | null };

export type SeriesPointsFragment = { metric: UsageMetric, unit: string, points: Array<{ time: string, value: number | null }>, idle: Array<{ from: string, to: string }> };

export type ProjectWakeLedgerQueryVariables = Exact<{
  id: string;
}>;


export type ProjectWakeLedgerQuery = { project: { id: string, endpoints: Array<{ id: string, host: string }>, wakeLedger: Array<{ at: string, endpointId: string, cause: string, clientAddress: string | null, role: string | null, database: string | null, waitMs: number | null }> } | null };

export type ProjectOperationListQueryVariables = Exact<{
  id: string;
  first?: number | null | undefined;
  after?: string | null | undefined;
}>;


export type ProjectOperationListQuery = { project: { id: string, operations: { pageInfo: { hasNextPage: boolean, endCursor: string | null }, nodes: Array<{ id: string, kind: string, state: OperationState, viewerCanCancel: boolean, createdAt: string, startedAt: string | null, finishedAt: string | null, durationMs: number | null, error: string | null, createdBy: string | null, branch: { id: string, name: string } | null, endpoint: { id: string } | null, steps: Array<{ name: string, state: OperationState, startedAt: string | null, finishedAt: string | null, durationMs: number | null, attempts: number, error: string | null }> }> } } | null };

export type CreateOrganizationMutationVariables = Exact<{
  input: CreateOrganizationInput;
}>;


export type CreateOrganizationMutation = { createOrganization: { organization: { id: string, slug: string } | null, error: { code: string, message: string, field: string | null } | null } };

export type OrganizationUsageQueryVariables = Exact<{
  slug: string;
}>;


export type OrganizationUsageQuery = { organization: { id: string, usage: { branches: number, storageBytes: string, computeSeconds: number, writtenBytes: string, from: string, to: string }, projects: { nodes: Array<{ id: string, name: string, usage: { branches: number, storageBytes: string, computeSeconds: number, writtenBytes: string } }> } } | null };

export type OrganizationApiKeysQueryVariables = Exact<{
  slug: string;
}>;


export type OrganizationApiKeysQuery = { organization: { id: string, name: string, viewerRole: OrganizationRole, apiKeys: Array<{ id: string, name: string, start: string, scope: string, projectId: string | null, createdAt: string, expiresAt: string | null, lastUsedAt: string | null }> } | null };

export type ViewerApiKeysQueryVariables = Exact<{ [key: string]: never; }>;


export type ViewerApiKeysQuery = { viewer: { id: string, user: { id: string, name: string, email: string }, apiKeys: Array<{ id: string, name: string, start: string, scope: string, projectId: string | null, createdAt: string, expiresAt: string | null, lastUsedAt: string | null }> } | null };

export type SetDemoWorkloadMutationVariables = Exact<{
  running: boolean;
}>;


export type SetDemoWorkloadMutation = { setDemoWorkload: { ok: boolean, error: { code: string, message: string, field: string | null } | null } };

export type ProjectOverviewQueryVariables = Exact<{
  id: string;
}>;


export type ProjectOverviewQuery = { project: { id: string, name: string, createdAt: string, pitrWindowSeconds: number, viewerCanWrite: boolean, defaultBranch: { id: string, name: string, state: BranchState, isDefault: boolean, isProtected: boolean, expiresAt: string | null, createdAt: string, createdBy: string | null, parentLsn: string | null, parentTime: string | null, logicalSizeBytes: string | null, parent: { id: string, name: string } | null, tip: { lsn: string, commitTime: string | null }, primaryEndpoint: { id: string, state: EndpointState } | null }, branches: { totalCount: number, nodes: Array<{ id: string, name: string, state: BranchState, isDefault: boolean, isProtected: boolean, expiresAt: string | null, createdAt: string, createdBy: string | null, parentLsn: string | null, parentTime: string | null, logicalSizeBytes: string | null, parent: { id: string, name: string } | null, tip: { lsn: string, commitTime: string | null }, primaryEndpoint: { id: string, state: EndpointState } | null }> }, endpoints: Array<{ id: string, type: EndpointType, state: EndpointState, desiredState: string, host: string, size: string, suspendAfterSeconds: number | null, maxConnections: number, connections: number | null, atLsn: string | null, atTime: string | null, createdAt: string, lastActiveAt: string | null, startedAt: string | null, suspendedAt: string | null, keepsAwake: string | null, lastError: string | null, branch: { id: string, name: string, isDefault: boolean }, compute: { id: string, state: string, term: number | null, startLsn: string | null, mode: string | null, startedAt: string | null, readyAt: string | null, phases: Array<{ name: string, ms: number }> } | null }>, snapshots: Array<{ id: string, name: string, lsn: string, time: string | null, branch: { id: string, name: string } }>, storage: { logicalSizeBytes: string, objectSizeBytes: string }, quotas: { branches: number | null, storageBytes: string | null, computeSeconds: number | null, writtenBytes: string | null }, usage: { branches: number, storageBytes: string, computeSeconds: number, writtenBytes: string, from: string, to: string }, operations: { nodes: Array<{ id: string, kind: string, state: OperationState, viewerCanCancel: boolean, createdAt: string, startedAt: string | null, finishedAt: string | null, durationMs: number | null, error: string | null, createdBy: string | null, branch: { id: string, name: string } | null, endpoint: { id: string } | null, steps: Array<{ name: string, state: OperationState, startedAt: string | null, finishedAt: string | null, durationMs: number | null, attempts: number, error: string | null }> }> } } | null };

export type OrganizationProjectsQueryVariables = Exact<{
  slug: string;
  first?: number | null | undefined;
  after?: string | null | undefined;
  search?: string | null | undefined;
}>;


export type OrganizationProjectsQuery = { organization: { id: string, name: string, viewerCanCreateProject: boolean, projects: { totalCount: number, pageInfo: { hasNextPage: boolean, endCursor: string | null }, nodes: Array<{ id: string, name: string, createdAt: string, updatedAt: string, storage: { logicalSizeBytes: string, objectSizeBytes: string }, usage: { branches: number, computeSeconds: number }, endpoints: Array<{ id: string, state: EndpointState }> }> } } | null };

export type CreateProjectMutationVariables = Exact<{
  input: CreateProjectInput;
}>;


export type CreateProjectMutation = { createProject: { project: { id: string, name: string, defaultBranch: { id: string, name: string } } | null, operations: Array<{ id: string }>, connection: { host: string, port: number, database: string, role: string, uri: string, psql: string, passwordRevealed: boolean } | null, error: { code: string, message: string, field: string | null } | null } };

export type RestoreBranchQueryVariables = Exact<{
  projectId: string;
  branchId: string;
}>;


export type RestoreBranchQuery = { project: { id: string, branch: { id: string, name: string, isProtected: boolean, viewerCanRestore: boolean, tip: { lsn: string, commitTime: string | null }, endpoints: Array<{ id: string, connections: number | null }>, databases: Array<{ id: string, name: string }>, restoreWindow: { fromLsn: string, fromTime: string | null, toLsn: string, toTime: string | null } } | null, snapshots: Array<{ id: string, name: string, lsn: string, time: string | null, branch: { id: string } }> } | null };

export type CommitHistogramQueryVariables = Exact<{
  projectId: string;
  branchId: string;
  buckets: number;
}>;


export type CommitHistogramQuery = { project: { id: string, branch: { id: string, commitHistogram: Array<{ from: string, to: string, commits: number, walBytes: string, lastLsn: string | null }> } | null } | null };

export type RestoreBranchToMutationVariables = Exact<{
  id: string;
  to: PointInput;
  keepAs?: string | null | undefined;
}>;


export type RestoreBranchToMutation = { restoreBranch: { branch: { id: string } | null, operations: Array<{ id: string }>, error: { code: string, message: string, field: string | null } | null } };

export type ProjectSettingsQueryVariables = Exact<{
  id: string;
}>;


export type ProjectSettingsQuery = { project: { id: string, name: string, pitrWindowSeconds: number, createdAt: string, viewerCanWrite: boolean, viewerCanDelete: boolean, organization: { id: string, slug: string, name: string }, quotas: { branches: number | null, storageBytes: string | null, computeSeconds: number | null, writtenBytes: string | null }, usage: { branches: number, storageBytes: string, computeSeconds: number, writtenBytes: string, from: string }, branches: { totalCount: number }, endpoints: Array<{ id: string }> } | null };

export type BranchRolesAndDatabasesQueryVariables = Exact<{
  projectId: string;
  branchId: string;
}>;


export type BranchRolesAndDatabasesQuery = { project: { id: string, branch: { id: string, name: string, viewerCanWrite: boolean, roles: Array<{ name: string, isProtected: boolean, createdAt: string, canRevealPassword: boolean }>, databases: Array<{ id: string, name: string, ownerName: string, createdAt: string }> } | null } | null };

export type ProjectApiKeysQueryVariables = Exact<{
  slug: string;
}>;


export type ProjectApiKeysQuery = { viewer: { id: string, apiKeys: Array<{ id: string, name: string, start: string, scope: string, projectId: string | null, createdAt: string, expiresAt: string | null, lastUsedAt: string | null }> } | null, organization: { id: string, viewerRole: OrganizationRole, apiKeys: Array<{ id: string, name: string, start: string, scope: string, projectId: string | null, createdAt: string, expiresAt: string | null, lastUsedAt: string | null }> } | null };

export type UpdateProjectMutationVariables = Exact<{
  id: string;
  input: UpdateProjectInput;
}>;


export type UpdateProjectMutation = { updateProject: { project: { id: string, name: string } | null, error: { code: string, message: string, field: string | null } | null } };

export type DeleteProjectMutationVariables = Exact<{
  id: string;
}>;


export type DeleteProjectMutation = { deleteProject: { operations: Array<{ id: string }>, error: { code: string, message: string, field: string | null } | null } };

export type CreateRoleMutationVariables = Exact<{
  branchId: string;
  name: string;
}>;


export type CreateRoleMutation = { createRole: { password: string | null, role: { name: string } | null, operations: Array<{ id: string }>, error: { code: string, message: string, field: string | null } | null } };

export type DeleteRoleMutationVariables = Exact<{
  branchId: string;
  name: string;
}>;


export type DeleteRoleMutation = { deleteRole: { operations: Array<{ id: string }>, error: { code: string, message: string, field: string | null } | null } };

export type CreateDatabaseMutationVariables = Exact<{
  branchId: string;
  name: string;
  ownerName: string;
}>;


export type CreateDatabaseMutation = { createDatabase: { database: { id: string } | null, operations: Array<{ id: string }>, error: { code: string, message: string, field: string | null } | null } };

export type DeleteDatabaseMutationVariables = Exact<{
  branchId: string;
  name: string;
}>;


export type DeleteDatabaseMutation = { deleteDatabase: { operations: Array<{ id: string }>, error: { code: string, message: string, field: string | null } | null } };

export type RunSqlMutationVariables = Exact<{
  input: RunSqlInput;
}>;


export type RunSqlMutation = { runSql: { queryId: string, engine: QueryEngine, durationMs: number, statements: Array<{ command: string, rowCount: number | null, rows: Array<Array<string | null>>, truncated: boolean, durationMs: number, notices: Array<string>, plan: unknown, columns: Array<{ name: string, type: string }> }>, receipt: { branchId: string, lsn: string, commitTime: string | null, lagBytes: string | null, layersRead: number, rowsFromColumns: string, rowsFresh: string, dirtyBlocks: string | null, steps: Array<{ name: string, ms: number }> } | null, error: { message: string, sqlState: string | null, position: number | null, hint: string | null, detail: string | null } | null } };

export type CancelSqlMutationVariables = Exact<{
  queryId: string;
}>;


export type CancelSqlMutation = { cancelSql: { ok: boolean, error: { code: string, message: string, field: string | null } | null } };

export type SqlSideQueryVariables = Exact<{
  projectId: string;
}>;


export type SqlSideQuery = { project: { id: string, savedQueries: Array<{ id: string, name: string, sql: string, engine: QueryEngine, updatedAt: string }>, queryHistory: Array<{ id: string, sql: string, engine: QueryEngine, branchName: string, at: string, durationMs: number, rowCount: number | null, error: string | null }> } | null };

export type SqlPlaceQueryVariables = Exact<{
  projectId: string;
  branchId: string;
}>;


export type SqlPlaceQuery = { project: { id: string, viewerCanWrite: boolean, branch: { id: string, name: string, databases: Array<{ id: string, name: string, ownerName: string }>, roles: Array<{ name: string }>, primaryEndpoint: { id: string, state: EndpointState } | null } | null } | null };

export type SaveQueryMutationVariables = Exact<{
  projectId: string;
  id?: string | null | undefined;
  name: string;
  sql: string;
  engine: QueryEngine;
}>;


export type SaveQueryMutation = { saveQuery: { id: string, name: string } };

export type DeleteSavedQueryMutationVariables = Exact<{
  id: string;
}>;


export type DeleteSavedQueryMutation = { deleteSavedQuery: { ok: boolean, error: { code: string, message: string, field: string | null } | null } };

export type StorageOfProjectQueryVariables = Exact<{
  id: string;
  branchId: string;
}>;


export type StorageOfProjectQuery = { project: { id: string, viewerCanOperate: boolean, storage: { logicalSizeBytes: string, objectSizeBytes: string }, branch: { id: string, name: string, timelineId: string } | null } | null };

export type BranchLayersQueryVariables = Exact<{
  id: string;
  branchId: string;
  limit: number;
}>;


export type BranchLayersQuery = { project: { id: string, branch: { id: string, layers: Array<{ name: string, kind: string, keyStart: string, keyEnd: string, lsnStart: string, lsnEnd: string, sizeBytes: string, level: number, isLocal: boolean }> } | null } | null };

export type StorageDetailsFragment = { quorumHealthy: boolean, observedAt: string, safekeepers: Array<{ id: number, name: string, state: string, address: string, timelines: Array<{ projectId: string, timelineId: string, term: string, flushLsn: string, commitLsn: string, lagBytes: string }> }>, pageserver: { state: string, address: string, timelines: Array<{ projectId: string, timelineId: string, branchName: string | null, lastRecordLsn: string, remoteConsistentLsn: string, lagBytes: string }> } | null, processes: Array<{ name: string, kind: string, state: string, pid: number | null, restarts: number }> };

export type StorageStateQueryVariables = Exact<{ [key: string]: never; }>;


export type StorageStateQuery = { storageStatus: { quorumHealthy: boolean, observedAt: string, safekeepers: Array<{ id: number, name: string, state: string, address: string, timelines: Array<{ projectId: string, timelineId: string, term: string, flushLsn: string, commitLsn: string, lagBytes: string }> }>, pageserver: { state: string, address: string, timelines: Array<{ projectId: string, timelineId: string, branchName: string | null, lastRecordLsn: string, remoteConsistentLsn: string, lagBytes: string }> } | null, processes: Array<{ name: string, kind: string, state: string, pid: number | null, restarts: number }> } };

export type StorageStateChangedSubscriptionVariables = Exact<{ [key: string]: never; }>;


export type StorageStateChangedSubscription = { storageStatusChanged: { quorumHealthy: boolean, observedAt: string, safekeepers: Array<{ id: number, name: string, state: string, address: string, timelines: Array<{ projectId: string, timelineId: string, term: string, flushLsn: string, commitLsn: string, lagBytes: string }> }>, pageserver: { state: string, address: string, timelines: Array<{ projectId: string, timelineId: string, branchName: string | null, lastRecordLsn: string, remoteConsistentLsn: string, lagBytes: string }> } | null, processes: Array<{ name: string, kind: string, state: string, pid: number | null, restarts: number }> } };

export type ProcessActionMutationVariables = Exact<{
  name: string;
  action: ProcessAction;
}>;


export type ProcessActionMutation = { processAction: { error: { code: string, message: string, field: string | null } | null } };

export type StorageReportQueryVariables = Exact<{
  id: string;
}>;


export type StorageReportQuery = { project: { id: string, storage: { report: { generatedAt: string, kinds: Array<{ kind: string, objects: number, bytes: string }>, duplicates: Array<{ branchName: string | null, what: string, why: string, objects: number, bytes: string }>, exceptions: Array<{ branchName: string | null, tableName: string | null, tableOid: string, what: string, why: string, count: string }> } | null } } | null };

export type FaultDrillsQueryVariables = Exact<{
  id: string;
}>;


export type FaultDrillsQuery = { project: { id: string, faultDrills: Array<{ id: string, createdBy: string | null, safekeeperId: number | null, seconds: number, kind: FaultDrillKind, state: OperationState, startedAt: string, finishedAt: string | null, log: Array<string>, acknowledgedBefore: number | null, foundAfter: number | null, lost: number | null, unavailableMs: number | null, maxCommitMs: number | null, branch: { id: string, name: string } | null }> } | null };

export type FaultDrillDetailsFragment = { id: string, createdBy: string | null, safekeeperId: number | null, seconds: number, kind: FaultDrillKind, state: OperationState, startedAt: string, finishedAt: string | null, log: Array<string>, acknowledgedBefore: number | null, foundAfter: number | null, lost: number | null, unavailableMs: number | null, maxCommitMs: number | null, branch: { id: string, name: string } | null };

export type StartFaultDrillMutationVariables = Exact<{
  input: FaultDrillInput;
}>;


export type StartFaultDrillMutation = { faultDrill: { drill: { id: string, createdBy: string | null, safekeeperId: number | null, seconds: number, kind: FaultDrillKind, state: OperationState, startedAt: string, finishedAt: string | null, log: Array<string>, acknowledgedBefore: number | null, foundAfter: number | null, lost: number | null, unavailableMs: number | null, maxCommitMs: number | null, branch: { id: string, name: string } | null } | null, error: { code: string, message: string, field: string | null } | null } };

export type FaultDrillProgressSubscriptionVariables = Exact<{
  id: string;
}>;


export type FaultDrillProgressSubscription = { faultDrillChanged: { id: string, createdBy: string | null, safekeeperId: number | null, seconds: number, kind: FaultDrillKind, state: OperationState, startedAt: string, finishedAt: string | null, log: Array<string>, acknowledgedBefore: number | null, foundAfter: number | null, lost: number | null, unavailableMs: number | null, maxCommitMs: number | null, branch: { id: string, name: string } | null } };

export type TableLakeQueryVariables = Exact<{
  projectId: string;
  branchId: string;
  database: string;
}>;


export type TableLakeQuery = { project: { id: string, viewerCanWrite: boolean, branch: { id: string, catalog: { schemas: Array<{ name: string, tables: Array<{ oid: string, name: string, lake: { deltaVersion: number | null, layerLsn: string | null, files: number, bytes: string, rows: string, path: string, uri: string | null } | null }> }> } } | null } | null };

export type PublishTableMutationVariables = Exact<{
  branchId: string;
  database: string;
  table?: string | null | undefined;
}>;


export type PublishTableMutation = { publishLake: { operations: Array<{ id: string }>, error: { code: string, message: string, field: string | null } | null } };

export type ProjectTimelineQueryVariables = Exact<{
  id: string;
}>;


export type ProjectTimelineQuery = { project: { id: string, viewerCanWrite: boolean, timeline: { fromLsn: string, toLsn: string, fromTime: string | null, toTime: string | null, lanes: Array<{ startLsn: string, tipLsn: string, startTime: string | null, tipTime: string | null, parentBranchId: string | null, parentLsn: string | null, branch: { id: string, name: string, state: BranchState, isDefault: boolean, isProtected: boolean, tip: { lsn: string, commitTime: string | null }, endpoints: Array<{ id: string, state: EndpointState }> }, events: Array<{ kind: TimelineEventKind, lsn: string, time: string | null, summary: string, sizeBytes: string | null, relatedId: string | null }> }> } } | null };

export type BranchFromPointMutationVariables = Exact<{
  input: CreateBranchInput;
}>;


export type BranchFromPointMutation = { createBranch: { branch: { id: string, name: string } | null, error: { code: string, message: string, field: string | null } | null } };

export type ViewerQueryVariables = Exact<{ [key: string]: never; }>;


export type ViewerQuery = { viewer: { id: string, user: { id: string, name: string, email: string }, organizations: Array<{ id: string, slug: string, name: string, viewerRole: OrganizationRole, viewerCanCreateProject: boolean, viewerCanManageMembers: boolean }> } | null };

export type ServerInfoQueryVariables = Exact<{ [key: string]: never; }>;


export type ServerInfoQuery = { serverInfo: { version: string, isLocalStack: boolean, allowsSignUp: boolean, hasAnalytics: boolean, proxyHost: string, proxyPort: number, demoProjectId: string | null, demoWorkloadRunning: boolean | null } };

export type OrganizationNavQueryVariables = Exact<{
  slug: string;
}>;


export type OrganizationNavQuery = { organization: { id: string, slug: string, name: string, viewerRole: OrganizationRole, viewerCanCreateProject: boolean, viewerCanManageMembers: boolean, projects: { nodes: Array<{ id: string, name: string }> } } | null };

export type ProjectNavQueryVariables = Exact<{
  id: string;
}>;


export type ProjectNavQuery = { project: { id: string, name: string, viewerCanWrite: boolean, viewerCanDelete: boolean, organization: { id: string, slug: string, name: string, viewerRole: OrganizationRole }, defaultBranch: { id: string, name: string }, branches: { totalCount: number, nodes: Array<{ id: string, name: string, state: BranchState, isDefault: boolean, isProtected: boolean, parent: { id: string } | null, databases: Array<{ id: string, name: string, ownerName: string }> }> } } | null };

export type NavBranchDetailsFragment = { id: string, name: string, state: BranchState, isDefault: boolean, isProtected: boolean, parent: { id: string } | null, databases: Array<{ id: string, name: string, ownerName: string }> };

export type NavBranchQueryVariables = Exact<{
  projectId: string;
  branchId: string;
}>;


export type NavBranchQuery = { project: { id: string, branch: { id: string, name: string, state: BranchState, isDefault: boolean, isProtected: boolean, parent: { id: string } | null, databases: Array<{ id: string, name: string, ownerName: string }> } | null } | null };

export type QuorumHealthQueryVariables = Exact<{ [key: string]: never; }>;


export type QuorumHealthQuery = { storageStatus: { quorumHealthy: boolean, observedAt: string, safekeepers: Array<{ id: number, name: string, state: string }>, pageserver: { state: string } | null } };

export type QuorumHealthChangedSubscriptionVariables = Exact<{ [key: string]: never; }>;


export type QuorumHealthChangedSubscription = { storageStatusChanged: { quorumHealthy: boolean, observedAt: string, safekeepers: Array<{ id: number, name: string, state: string }>, pageserver: { state: string } | null } };

export type ProjectOperationsSubscriptionVariables = Exact<{
  projectId: string;
}>;


export type ProjectOperationsSubscription = { operationChanged: { id: string, kind: string, state: OperationState, createdAt: string, startedAt: string | null, finishedAt: string | null, durationMs: number | null, error: string | null, createdBy: string | null, branch: { id: string, name: string } | null, steps: Array<{ name: string, state: OperationState, startedAt: string | null, finishedAt: string | null, durationMs: number | null, attempts: number, error: string | null }> } };

export type ProjectTipsSubscriptionVariables = Exact<{
  projectId: string;
}>;


export type ProjectTipsSubscription = { branchTipMoved: { id: string, state: BranchState, tip: { lsn: string, commitTime: string | null } } };

export type ProjectEndpointsSubscriptionVariables = Exact<{
  projectId: string;
}>;


export type ProjectEndpointsSubscription = { endpointChanged: { id: string, state: EndpointState, desiredState: string, connections: number | null, lastActiveAt: string | null, startedAt: string | null, suspendedAt: string | null, keepsAwake: string | null, lastError: string | null, compute: { id: string, state: string, term: number | null, startLsn: string | null, mode: string | null, startedAt: string | null, readyAt: string | null, phases: Array<{ name: string, ms: number }> } | null } };

export class TypedDocumentString<TResult, TVariables>
  extends String
  implements DocumentTypeDecoration<TResult, TVariables>
{
  __apiType?: NonNullable<DocumentTypeDecoration<TResult, TVariables>['__apiType']>;
  private value: string;
  public __meta__?: Record<string, any> | undefined;

  constructor(value: string, __meta__?: Record<string, any> | undefined) {
    super(value);
    this.value = value;
    this.__meta__ = __meta__;
  }

  override toString(): string & DocumentTypeDecoration<TResult, TVariables> {
    return this.value;
  }
}
export const ApiKeyDetailsFragmentDoc = /*#__PURE__*/ new TypedDocumentString(`
    fragment ApiKeyDetails on ApiKey {
  id
  name
  start
  scope
  projectId
  createdAt
  expiresAt
  lastUsedAt
}
    `, {"fragmentName":"ApiKeyDetails"}) as unknown as TypedDocumentString<ApiKeyDetailsFragment, unknown>;
export const AuditEntryDetailsFragmentDoc = /*#__PURE__*/ new TypedDocumentString(`
    fragment AuditEntryDetails on AuditEntry {
  id
  at
  actor
  actorKind
  action
  subject
  projectId
  requestId
  detail
}
    `, {"fragmentName":"AuditEntryDetails"}) as unknown as TypedDocumentString<AuditEntryDetailsFragment, unknown>;
export const CatalogTableDetailsFragmentDoc = /*#__PURE__*/ new TypedDocumentString(`
    fragment CatalogTableDetails on CatalogTable {
  oid
  name
  kind
  rowEstimate
  sizeBytes
  columns {
    name
    type
    notNull
    isPrimaryKey
    default
    generated
  }
  indexes {
    name
    definition
    isUnique
    isPrimary
  }
}
    `, {"fragmentName":"CatalogTableDetails"}) as unknown as TypedDocumentString<CatalogTableDetailsFragment, unknown>;
export const UserErrorDetailsFragmentDoc = /*#__PURE__*/ new TypedDocumentString(`
    fragment UserErrorDetails on UserError {
  code
  message
  field
}
    `, {"fragmentName":"UserErrorDetails"}) as unknown as TypedDocumentString<UserErrorDetailsFragment, unknown>;
export const BranchSummaryFragmentDoc = /*#__PURE__*/ new TypedDocumentString(`
    fragment BranchSummary on Branch {
  id
  name
  state
  isDefault
  isProtected
  expiresAt
  createdAt
  createdBy
  parent {
    id
    name
  }
  parentLsn
  parentTime
  tip {
    lsn
    commitTime
  }
  logicalSizeBytes
  primaryEndpoint {
    id
    state
  }
}
    `, {"fragmentName":"BranchSummary"}) as unknown as TypedDocumentString<BranchSummaryFragment, unknown>;
export const EndpointSummaryFragmentDoc = /*#__PURE__*/ new TypedDocumentString(`
    fragment EndpointSummary on Endpoint {
  id
  type
  state
  desiredState
  host
  size
  suspendAfterSeconds
  maxConnections
  connections
  atLsn
  atTime
  createdAt
  lastActiveAt
  startedAt
  suspendedAt
  keepsAwake
  lastError
  branch {
    id
    name
    isDefault
  }
  compute {
    id
    state
    term
    startLsn
    mode
    startedAt
    readyAt
    phases {
      name
      ms
    }
  }
}
    `, {"fragmentName":"EndpointSummary"}) as unknown as TypedDocumentString<EndpointSummaryFragment, unknown>;
export const OperationDetailsFragmentDoc = /*#__PURE__*/ new TypedDocumentString(`
    fragment OperationDetails on Operation {
  id
  kind
  state
  viewerCanCancel
  createdAt
  startedAt
  finishedAt
  durationMs
  error
  createdBy
  branch {
    id
    name
  }
  endpoint {
    id
  }
  steps {
    name
    state
    startedAt
    finishedAt
    durationMs
    attempts
    error
  }
}
    `, {"fragmentName":"OperationDetails"}) as unknown as TypedDocumentString<OperationDetailsFragment, unknown>;
export const ConnectionDetailsFragmentDoc = /*#__PURE__*/ new TypedDocumentString(`
    fragment ConnectionDetails on ConnectionInfo {
  host
  port
  database
  role
  uri
  psql
  passwordRevealed
}
    `, {"fragmentName":"ConnectionDetails"}) as unknown as TypedDocumentString<ConnectionDetailsFragment, unknown>;
export const FailoverDetailsFragmentDoc = /*#__PURE__*/ new TypedDocumentString(`
    fragment FailoverDetails on FailoverReport {
  id
  requestedAt
  detectedMs
  electedMs
  startedMs
  firstCommitMs
  rtoMs
  rpoTransactions
  oldTerm
  newTerm
  cause
}
    `, {"fragmentName":"FailoverDetails"}) as unknown as TypedDocumentString<FailoverDetailsFragment, unknown>;
export const SeriesPointsFragmentDoc = /*#__PURE__*/ new TypedDocumentString(`
    fragment SeriesPoints on UsageSeries {
  metric
  unit
  points {
    time
    value
  }
  idle {
    from
    to
  }
}
    `, {"fragmentName":"SeriesPoints"}) as unknown as TypedDocumentString<SeriesPointsFragment, unknown>;
export const StorageDetailsFragmentDoc = /*#__PURE__*/ new TypedDocumentString(`
    fragment StorageDetails on StorageStatus {
  quorumHealthy
  observedAt
  safekeepers {
    id
    name
    state
    address
    timelines {
      projectId
      timelineId
      term
      flushLsn
      commitLsn
      lagBytes
    }
  }
  pageserver {
    state
    address
    timelines {
      projectId
      timelineId
      branchName
      lastRecordLsn
      remoteConsistentLsn
      lagBytes
    }
  }
  processes {
    name
    kind
    state
    pid
    restarts
  }
}
    `, {"fragmentName":"StorageDetails"}) as unknown as TypedDocumentString<StorageDetailsFragment, unknown>;
export const FaultDrillDetailsFragmentDoc = /*#__PURE__*/ new TypedDocumentString(`
    fragment FaultDrillDetails on FaultDrill {
  id
  branch {
    id
    name
  }
  createdBy
  safekeeperId
  seconds
  kind
  state
  startedAt
  finishedAt
  log
  acknowledgedBefore
  foundAfter
  lost
  unavailableMs
  maxCommitMs
}
    `, {"fragmentName":"FaultDrillDetails"}) as unknown as TypedDocumentString<FaultDrillDetailsFragment, unknown>;
export const NavBranchDetailsFragmentDoc = /*#__PURE__*/ new TypedDocumentString(`
    fragment NavBranchDetails on Branch {
  id
  name
  state
  isDefault
  isProtected
  parent {
    id
  }
  databases {
    id
    name
    ownerName
  }
}
    `, {"fragmentName":"NavBranchDetails"}) as unknown as TypedDocumentString<NavBranchDetailsFragment, unknown>;
export const CreateApiKeyDocument = /*#__PURE__*/ new TypedDocumentString(`
    mutation CreateApiKey($input: CreateApiKeyInput!) {
  createApiKey(input: $input) {
    apiKey {
      ...ApiKeyDetails
    }
    secret
    error {
      ...UserErrorDetails
    }
  }
}
    fragment ApiKeyDetails on ApiKey {
  id
  name
  start
  scope
  projectId
  createdAt
  expiresAt
  lastUsedAt
}
fragment UserErrorDetails on UserError {
  code
  message
  field
}`) as unknown as TypedDocumentString<CreateApiKeyMutation, CreateApiKeyMutationVariables>;
export const RevokeApiKeyDocument = /*#__PURE__*/ new TypedDocumentString(`
    mutation RevokeApiKey($id: ID!) {
  revokeApiKey(id: $id) {
    ok
    error {
      ...UserErrorDetails
    }
  }
}
    fragment UserErrorDetails on UserError {
  code
  message
  field
}`) as unknown as TypedDocumentString<RevokeApiKeyMutation, RevokeApiKeyMutationVariables>;
export const OrganizationAuditDocument = /*#__PURE__*/ new TypedDocumentString(`
    query OrganizationAudit($slug: String!, $first: Int, $after: String) {
  organization(slug: $slug) {
    id
    auditLog(first: $first, after: $after) {
      pageInfo {
        hasNextPage
        endCursor
      }
      nodes {
        ...AuditEntryDetails
      }
    }
  }
}
    fragment AuditEntryDetails on AuditEntry {
  id
  at
  actor
  actorKind
  action
  subject
  projectId
  requestId
  detail
}`) as unknown as TypedDocumentString<OrganizationAuditQuery, OrganizationAuditQueryVariables>;
export const ProjectAuditDocument = /*#__PURE__*/ new TypedDocumentString(`
    query ProjectAudit($id: ID!, $first: Int, $after: String) {
  project(id: $id) {
    id
    auditLog(first: $first, after: $after) {
      pageInfo {
        hasNextPage
        endCursor
      }
      nodes {
        ...AuditEntryDetails
      }
    }
  }
}
    fragment AuditEntryDetails on AuditEntry {
  id
  at
  actor
  actorKind
  action
  subject
  projectId
  requestId
  detail
}`) as unknown as TypedDocumentString<ProjectAuditQuery, ProjectAuditQueryVariables>;
export const BranchCatalogDocument = /*#__PURE__*/ new TypedDocumentString(`
    query BranchCatalog($projectId: ID!, $branchId: ID!, $database: String!, $at: PointInput) {
  project(id: $projectId) {
    id
    branch(id: $branchId) {
      id
      catalog(database: $database, at: $at) {
        lsn
        schemas {
          name
          tables {
            ...CatalogTableDetails
          }
        }
      }
    }
  }
}
    fragment CatalogTableDetails on CatalogTable {
  oid
  name
  kind
  rowEstimate
  sizeBytes
  columns {
    name
    type
    notNull
    isPrimaryKey
    default
    generated
  }
  indexes {
    name
    definition
    isUnique
    isPrimary
  }
}`) as unknown as TypedDocumentString<BranchCatalogQuery, BranchCatalogQueryVariables>;
export const ReadRowsDocument = /*#__PURE__*/ new TypedDocumentString(`
    mutation ReadRows($input: RunSqlInput!) {
  runSql(input: $input) {
    queryId
    durationMs
    statements {
      columns {
        name
        type
      }
      rows
      truncated
    }
    receipt {
      lsn
      commitTime
      rowsFromColumns
      rowsFresh
    }
    error {
      message
      sqlState
      hint
      detail
    }
  }
}
    `) as unknown as TypedDocumentString<ReadRowsMutation, ReadRowsMutationVariables>;
export const OperationDocument = /*#__PURE__*/ new TypedDocumentString(`
    query Operation($id: ID!) {
  operation(id: $id) {
    ...OperationDetails
  }
}
    fragment OperationDetails on Operation {
  id
  kind
  state
  viewerCanCancel
  createdAt
  startedAt
  finishedAt
  durationMs
  error
  createdBy
  branch {
    id
    name
  }
  endpoint {
    id
  }
  steps {
    name
    state
    startedAt
    finishedAt
    durationMs
    attempts
    error
  }
}`) as unknown as TypedDocumentString<OperationQuery, OperationQueryVariables>;
export const CancelOperationDocument = /*#__PURE__*/ new TypedDocumentString(`
    mutation CancelOperation($id: ID!) {
  cancelOperation(id: $id) {
    operations {
      ...OperationDetails
    }
    error {
      ...UserErrorDetails
    }
  }
}
    fragment UserErrorDetails on UserError {
  code
  message
  field
}
fragment OperationDetails on Operation {
  id
  kind
  state
  viewerCanCancel
  createdAt
  startedAt
  finishedAt
  durationMs
  error
  createdBy
  branch {
    id
    name
  }
  endpoint {
    id
  }
  steps {
    name
    state
    startedAt
    finishedAt
    durationMs
    attempts
    error
  }
}`) as unknown as TypedDocumentString<CancelOperationMutation, CancelOperationMutationVariables>;
export const BranchConnectionDocument = /*#__PURE__*/ new TypedDocumentString(`
    query BranchConnection($projectId: ID!, $branchId: ID!, $role: String, $database: String, $pooled: Boolean!) {
  serverInfo {
    hasPooler
  }
  project(id: $projectId) {
    id
    branch(id: $branchId) {
      id
      name
      roles {
        name
        canRevealPassword
        isProtected
      }
      databases {
        id
        name
        ownerName
      }
      connectionInfo(role: $role, database: $database, pooled: $pooled) {
        ...ConnectionDetails
      }
    }
  }
}
    fragment ConnectionDetails on ConnectionInfo {
  host
  port
  database
  role
  uri
  psql
  passwordRevealed
}`) as unknown as TypedDocumentString<BranchConnectionQuery, BranchConnectionQueryVariables>;
export const RevealRolePasswordDocument = /*#__PURE__*/ new TypedDocumentString(`
    mutation RevealRolePassword($branchId: ID!, $name: String!) {
  revealRolePassword(branchId: $branchId, name: $name) {
    password
    error {
      ...UserErrorDetails
    }
  }
}
    fragment UserErrorDetails on UserError {
  code
  message
  field
}`) as unknown as TypedDocumentString<RevealRolePasswordMutation, RevealRolePasswordMutationVariables>;
export const ResetRolePasswordDocument = /*#__PURE__*/ new TypedDocumentString(`
    mutation ResetRolePassword($branchId: ID!, $name: String!) {
  resetRolePassword(branchId: $branchId, name: $name) {
    password
    operations {
      id
    }
    error {
      ...UserErrorDetails
    }
  }
}
    fragment UserErrorDetails on UserError {
  code
  message
  field
}`) as unknown as TypedDocumentString<ResetRolePasswordMutation, ResetRolePasswordMutationVariables>;
export const BranchLsnAtTimeDocument = /*#__PURE__*/ new TypedDocumentString(`
    query BranchLsnAtTime($projectId: ID!, $branchId: ID!, $time: DateTime!) {
  project(id: $projectId) {
    id
    branch(id: $branchId) {
      id
      lsnAtTime(time: $time) {
        lsn
        kind
        commitTime
      }
    }
  }
}
    `) as unknown as TypedDocumentString<BranchLsnAtTimeQuery, BranchLsnAtTimeQueryVariables>;
export const BranchTimeAtLsnDocument = /*#__PURE__*/ new TypedDocumentString(`
    query BranchTimeAtLsn($projectId: ID!, $branchId: ID!, $lsn: LSN!) {
  project(id: $projectId) {
    id
    branch(id: $branchId) {
      id
      timeAtLsn(lsn: $lsn)
    }
  }
}
    `) as unknown as TypedDocumentString<BranchTimeAtLsnQuery, BranchTimeAtLsnQueryVariables>;
export const BranchWindowDocument = /*#__PURE__*/ new TypedDocumentString(`
    query BranchWindow($projectId: ID!, $branchId: ID!) {
  project(id: $projectId) {
    id
    branch(id: $branchId) {
      id
      name
      viewerCanRestore
      restoreWindow {
        fromLsn
        fromTime
        toLsn
        toTime
      }
    }
  }
}
    `) as unknown as TypedDocumentString<BranchWindowQuery, BranchWindowQueryVariables>;
export const OrganizationMembersDocument = /*#__PURE__*/ new TypedDocumentString(`
    query OrganizationMembers($slug: String!) {
  organization(slug: $slug) {
    id
    name
    viewerRole
    viewerCanManageMembers
    members {
      id
      role
      joinedAt
      user {
        id
        name
        email
      }
    }
    invitations {
      id
      email
      role
      status
      expiresAt
    }
  }
}
    `) as unknown as TypedDocumentString<OrganizationMembersQuery, OrganizationMembersQueryVariables>;
export const InviteMemberDocument = /*#__PURE__*/ new TypedDocumentString(`
    mutation InviteMember($input: InviteMemberInput!) {
  inviteMember(input: $input) {
    invitation {
      id
      email
    }
    error {
      ...UserErrorDetails
    }
  }
}
    fragment UserErrorDetails on UserError {
  code
  message
  field
}`) as unknown as TypedDocumentString<InviteMemberMutation, InviteMemberMutationVariables>;
export const ChangeMemberRoleDocument = /*#__PURE__*/ new TypedDocumentString(`
    mutation ChangeMemberRole($organizationId: ID!, $memberId: ID!, $role: OrganizationRole!) {
  changeMemberRole(
    organizationId: $organizationId
    memberId: $memberId
    role: $role
  ) {
    member {
      id
      role
    }
    error {
      ...UserErrorDetails
    }
  }
}
    fragment UserErrorDetails on UserError {
  code
  message
  field
}`) as unknown as TypedDocumentString<ChangeMemberRoleMutation, ChangeMemberRoleMutationVariables>;
export const RemoveMemberDocument = /*#__PURE__*/ new TypedDocumentString(`
    mutation RemoveMember($organizationId: ID!, $memberId: ID!) {
  removeMember(organizationId: $organizationId, memberId: $memberId) {
    ok
    error {
      ...UserErrorDetails
    }
  }
}
    fragment UserErrorDetails on UserError {
  code
  message
  field
}`) as unknown as TypedDocumentString<RemoveMemberMutation, RemoveMemberMutationVariables>;
export const BranchSchemaDiffDocument = /*#__PURE__*/ new TypedDocumentString(`
    query BranchSchemaDiff($projectId: ID!, $branchId: ID!, $database: String!, $with: PointInput!, $withBranchId: ID) {
  project(id: $projectId) {
    id
    branch(id: $branchId) {
      id
      name
      schemaDiff(database: $database, with: $with, withBranchId: $withBranchId) {
        left
        right
        unified
        isEmpty
      }
    }
  }
}
    `) as unknown as TypedDocumentString<BranchSchemaDiffQuery, BranchSchemaDiffQueryVariables>;
export const ProjectBranchesDocument = /*#__PURE__*/ new TypedDocumentString(`
    query ProjectBranches($id: ID!, $first: Int, $after: String, $search: String) {
  project(id: $id) {
    id
    viewerCanWrite
    branches(first: $first, after: $after, search: $search) {
      totalCount
      pageInfo {
        hasNextPage
        endCursor
      }
      nodes {
        ...BranchSummary
      }
    }
  }
}
    fragment BranchSummary on Branch {
  id
  name
  state
  isDefault
  isProtected
  expiresAt
  createdAt
  createdBy
  parent {
    id
    name
  }
  parentLsn
  parentTime
  tip {
    lsn
    commitTime
  }
  logicalSizeBytes
  primaryEndpoint {
    id
    state
  }
}`) as unknown as TypedDocumentString<ProjectBranchesQuery, ProjectBranchesQueryVariables>;
export const BranchDocument = /*#__PURE__*/ new TypedDocumentString(`
    query Branch($projectId: ID!, $branchId: ID!) {
  project(id: $projectId) {
    id
    name
    branch(id: $branchId) {
      ...BranchSummary
      timelineId
      viewerCanWrite
      viewerCanDelete
      viewerCanRestore
      deletionRefusedBecause
      children {
        ...BranchSummary
      }
      endpoints {
        ...EndpointSummary
      }
      restoreWindow {
        fromLsn
        fromTime
        toLsn
        toTime
      }
    }
    snapshots {
      id
      name
      lsn
      time
      createdAt
      expiresAt
      sizeBytes
      branch {
        id
        name
      }
    }
  }
}
    fragment BranchSummary on Branch {
  id
  name
  state
  isDefault
  isProtected
  expiresAt
  createdAt
  createdBy
  parent {
    id
    name
  }
  parentLsn
  parentTime
  tip {
    lsn
    commitTime
  }
  logicalSizeBytes
  primaryEndpoint {
    id
    state
  }
}
fragment EndpointSummary on Endpoint {
  id
  type
  state
  desiredState
  host
  size
  suspendAfterSeconds
  maxConnections
  connections
  atLsn
  atTime
  createdAt
  lastActiveAt
  startedAt
  suspendedAt
  keepsAwake
  lastError
  branch {
    id
    name
    isDefault
  }
  compute {
    id
    state
    term
    startLsn
    mode
    startedAt
    readyAt
    phases {
      name
      ms
    }
  }
}`) as unknown as TypedDocumentString<BranchQuery, BranchQueryVariables>;
export const CreateBranchDocument = /*#__PURE__*/ new TypedDocumentString(`
    mutation CreateBranch($input: CreateBranchInput!) {
  createBranch(input: $input) {
    branch {
      id
      name
    }
    operations {
      id
    }
    error {
      ...UserErrorDetails
    }
  }
}
    fragment UserErrorDetails on UserError {
  code
  message
  field
}`) as unknown as TypedDocumentString<CreateBranchMutation, CreateBranchMutationVariables>;
export const UpdateBranchDocument = /*#__PURE__*/ new TypedDocumentString(`
    mutation UpdateBranch($id: ID!, $input: UpdateBranchInput!) {
  updateBranch(id: $id, input: $input) {
    branch {
      ...BranchSummary
    }
    error {
      ...UserErrorDetails
    }
  }
}
    fragment UserErrorDetails on UserError {
  code
  message
  field
}
fragment BranchSummary on Branch {
  id
  name
  state
  isDefault
  isProtected
  expiresAt
  createdAt
  createdBy
  parent {
    id
    name
  }
  parentLsn
  parentTime
  tip {
    lsn
    commitTime
  }
  logicalSizeBytes
  primaryEndpoint {
    id
    state
  }
}`) as unknown as TypedDocumentString<UpdateBranchMutation, UpdateBranchMutationVariables>;
export const DeleteBranchDocument = /*#__PURE__*/ new TypedDocumentString(`
    mutation DeleteBranch($id: ID!, $reparentChildren: Boolean) {
  deleteBranch(id: $id, reparentChildren: $reparentChildren) {
    operations {
      id
    }
    error {
      ...UserErrorDetails
    }
  }
}
    fragment UserErrorDetails on UserError {
  code
  message
  field
}`) as unknown as TypedDocumentString<DeleteBranchMutation, DeleteBranchMutationVariables>;
export const ResetBranchDocument = /*#__PURE__*/ new TypedDocumentString(`
    mutation ResetBranch($id: ID!, $keepAs: String) {
  resetBranchFromParent(id: $id, keepAs: $keepAs) {
    branch {
      id
    }
    operations {
      id
    }
    error {
      ...UserErrorDetails
    }
  }
}
    fragment UserErrorDetails on UserError {
  code
  message
  field
}`) as unknown as TypedDocumentString<ResetBranchMutation, ResetBranchMutationVariables>;
export const CreateSnapshotDocument = /*#__PURE__*/ new TypedDocumentString(`
    mutation CreateSnapshot($branchId: ID!, $name: String!, $at: PointInput, $expiresAt: DateTime) {
  createSnapshot(branchId: $branchId, name: $name, at: $at, expiresAt: $expiresAt) {
    snapshot {
      id
      name
    }
    error {
      ...UserErrorDetails
    }
  }
}
    fragment UserErrorDetails on UserError {
  code
  message
  field
}`) as unknown as TypedDocumentString<CreateSnapshotMutation, CreateSnapshotMutationVariables>;
export const DeleteSnapshotDocument = /*#__PURE__*/ new TypedDocumentString(`
    mutation DeleteSnapshot($id: ID!) {
  deleteSnapshot(id: $id) {
    ok
    error {
      ...UserErrorDetails
    }
  }
}
    fragment UserErrorDetails on UserError {
  code
  message
  field
}`) as unknown as TypedDocumentString<DeleteSnapshotMutation, DeleteSnapshotMutationVariables>;
export const ProjectComputesDocument = /*#__PURE__*/ new TypedDocumentString(`
    query ProjectComputes($id: ID!) {
  project(id: $id) {
    id
    viewerCanWrite
    endpoints {
      ...EndpointSummary
    }
    wakeLedger(first: 20) {
      at
      endpointId
      cause
      clientAddress
      role
      database
      waitMs
    }
  }
}
    fragment EndpointSummary on Endpoint {
  id
  type
  state
  desiredState
  host
  size
  suspendAfterSeconds
  maxConnections
  connections
  atLsn
  atTime
  createdAt
  lastActiveAt
  startedAt
  suspendedAt
  keepsAwake
  lastError
  branch {
    id
    name
    isDefault
  }
  compute {
    id
    state
    term
    startLsn
    mode
    startedAt
    readyAt
    phases {
      name
      ms
    }
  }
}`) as unknown as TypedDocumentString<ProjectComputesQuery, ProjectComputesQueryVariables>;
export const ProjectEndpointDocument = /*#__PURE__*/ new TypedDocumentString(`
    query ProjectEndpoint($id: ID!) {
  project(id: $id) {
    id
    viewerCanWrite
    endpoints {
      ...EndpointSummary
      settings
      failovers(first: 10) {
        ...FailoverDetails
      }
      starts(first: 10) {
        at
        cause
        totalMs
        phases {
          name
          ms
        }
      }
    }
    wakeLedger(first: 100) {
      at
      endpointId
      cause
      clientAddress
      role
      database
      waitMs
    }
  }
}
    fragment EndpointSummary on Endpoint {
  id
  type
  state
  desiredState
  host
  size
  suspendAfterSeconds
  maxConnections
  connections
  atLsn
  atTime
  createdAt
  lastActiveAt
  startedAt
  suspendedAt
  keepsAwake
  lastError
  branch {
    id
    name
    isDefault
  }
  compute {
    id
    state
    term
    startLsn
    mode
    startedAt
    readyAt
    phases {
      name
      ms
    }
  }
}
fragment FailoverDetails on FailoverReport {
  id
  requestedAt
  detectedMs
  electedMs
  startedMs
  firstCommitMs
  rtoMs
  rpoTransactions
  oldTerm
  newTerm
  cause
}`) as unknown as TypedDocumentString<ProjectEndpointQuery, ProjectEndpointQueryVariables>;
export const CreateEndpointDocument = /*#__PURE__*/ new TypedDocumentString(`
    mutation CreateEndpoint($input: CreateEndpointInput!) {
  createEndpoint(input: $input) {
    endpoint {
      id
    }
    operations {
      id
    }
    error {
      ...UserErrorDetails
    }
  }
}
    fragment UserErrorDetails on UserError {
  code
  message
  field
}`) as unknown as TypedDocumentString<CreateEndpointMutation, CreateEndpointMutationVariables>;
export const UpdateEndpointDocument = /*#__PURE__*/ new TypedDocumentString(`
    mutation UpdateEndpoint($id: ID!, $input: UpdateEndpointInput!) {
  updateEndpoint(id: $id, input: $input) {
    endpoint {
      id
    }
    operations {
      id
    }
    error {
      ...UserErrorDetails
    }
  }
}
    fragment UserErrorDetails on UserError {
  code
  message
  field
}`) as unknown as TypedDocumentString<UpdateEndpointMutation, UpdateEndpointMutationVariables>;
export const DeleteEndpointDocument = /*#__PURE__*/ new TypedDocumentString(`
    mutation DeleteEndpoint($id: ID!) {
  deleteEndpoint(id: $id) {
    operations {
      id
    }
    error {
      ...UserErrorDetails
    }
  }
}
    fragment UserErrorDetails on UserError {
  code
  message
  field
}`) as unknown as TypedDocumentString<DeleteEndpointMutation, DeleteEndpointMutationVariables>;
export const StartEndpointDocument = /*#__PURE__*/ new TypedDocumentString(`
    mutation StartEndpoint($id: ID!) {
  result: startEndpoint(id: $id) {
    endpoint {
      id
      state
    }
    operations {
      id
    }
    error {
      ...UserErrorDetails
    }
  }
}
    fragment UserErrorDetails on UserError {
  code
  message
  field
}`) as unknown as TypedDocumentString<StartEndpointMutation, StartEndpointMutationVariables>;
export const SuspendEndpointDocument = /*#__PURE__*/ new TypedDocumentString(`
    mutation SuspendEndpoint($id: ID!) {
  result: suspendEndpoint(id: $id) {
    endpoint {
      id
      state
    }
    operations {
      id
    }
    error {
      ...UserErrorDetails
    }
  }
}
    fragment UserErrorDetails on UserError {
  code
  message
  field
}`) as unknown as TypedDocumentString<SuspendEndpointMutation, SuspendEndpointMutationVariables>;
export const RestartEndpointDocument = /*#__PURE__*/ new TypedDocumentString(`
    mutation RestartEndpoint($id: ID!) {
  result: restartEndpoint(id: $id) {
    endpoint {
      id
      state
    }
    operations {
      id
    }
    error {
      ...UserErrorDetails
    }
  }
}
    fragment UserErrorDetails on UserError {
  code
  message
  field
}`) as unknown as TypedDocumentString<RestartEndpointMutation, RestartEndpointMutationVariables>;
export const FailoverEndpointDocument = /*#__PURE__*/ new TypedDocumentString(`
    mutation FailoverEndpoint($id: ID!) {
  result: failoverEndpoint(id: $id) {
    endpoint {
      id
      state
    }
    operations {
      id
    }
    error {
      ...UserErrorDetails
    }
  }
}
    fragment UserErrorDetails on UserError {
  code
  message
  field
}`) as unknown as TypedDocumentString<FailoverEndpointMutation, FailoverEndpointMutationVariables>;
export const ProjectMonitoringDocument = /*#__PURE__*/ new TypedDocumentString(`
    query ProjectMonitoring($id: ID!, $from: DateTime!, $to: DateTime!, $points: Int!) {
  project(id: $id) {
    id
    tps: usageSeries(metric: TPS, from: $from, to: $to, points: $points) {
      ...SeriesPoints
    }
    commitP50: usageSeries(
      metric: COMMIT_LATENCY_P50_MS
      from: $from
      to: $to
      points: $points
    ) {
      ...SeriesPoints
    }
    commitP99: usageSeries(
      metric: COMMIT_LATENCY_P99_MS
      from: $from
      to: $to
      points: $points
    ) {
      ...SeriesPoints
    }
    cacheHit: usageSeries(
      metric: CACHE_HIT_RATIO
      from: $from
      to: $to
      points: $points
    ) {
      ...SeriesPoints
    }
    pageReads: usageSeries(
      metric: PAGE_READS
      from: $from
      to: $to
      points: $points
    ) {
      ...SeriesPoints
    }
    lsnLag: usageSeries(
      metric: LSN_LAG_BYTES
      from: $from
      to: $to
      points: $points
    ) {
      ...SeriesPoints
    }
    connections: usageSeries(
      metric: CONNECTIONS
      from: $from
      to: $to
      points: $points
    ) {
      ...SeriesPoints
    }
    computeSeconds: usageSeries(
      metric: COMPUTE_SECONDS
      from: $from
      to: $to
      points: $points
    ) {
      ...SeriesPoints
    }
    storageBytes: usageSeries(
      metric: STORAGE_BYTES
      from: $from
      to: $to
      points: $points
    ) {
      ...SeriesPoints
    }
    objectBytes: usageSeries(
      metric: OBJECT_BYTES
      from: $from
      to: $to
      points: $points
    ) {
      ...SeriesPoints
    }
    writtenBytes: usageSeries(
      metric: WRITTEN_BYTES
      from: $from
      to: $to
      points: $points
    ) {
      ...SeriesPoints
    }
  }
}
    fragment SeriesPoints on UsageSeries {
  metric
  unit
  points {
    time
    value
  }
  idle {
    from
    to
  }
}`) as unknown as TypedDocumentString<ProjectMonitoringQuery, ProjectMonitoringQueryVariables>;
export const ProjectWakeLedgerDocument = /*#__PURE__*/ new TypedDocumentString(`
    query ProjectWakeLedger($id: ID!) {
  project(id: $id) {
    id
    endpoints {
      id
      host
    }
    wakeLedger(first: 20) {
      at
      endpointId
      cause
      clientAddress
      role
      database
      waitMs
    }
  }
}
    `) as unknown as TypedDocumentString<ProjectWakeLedgerQuery, ProjectWakeLedgerQueryVariables>;
export const ProjectOperationListDocument = /*#__PURE__*/ new TypedDocumentString(`
    query ProjectOperationList($id: ID!, $first: Int, $after: String) {
  project(id: $id) {
    id
    operations(first: $first, after: $after) {
      pageInfo {
        hasNextPage
        endCursor
      }
      nodes {
        ...OperationDetails
      }
    }
  }
}
    fragment OperationDetails on Operation {
  id
  kind
  state
  viewerCanCancel
  createdAt
  startedAt
  finishedAt
  durationMs
  error
  createdBy
  branch {
    id
    name
  }
  endpoint {
    id
  }
  steps {
    name
    state
    startedAt
    finishedAt
    durationMs
    attempts
    error
  }
}`) as unknown as TypedDocumentString<ProjectOperationListQuery, ProjectOperationListQueryVariables>;
export const CreateOrganizationDocument = /*#__PURE__*/ new TypedDocumentString(`
    mutation CreateOrganization($input: CreateOrganizationInput!) {
  createOrganization(input: $input) {
    organization {
      id
      slug
    }
    error {
      ...UserErrorDetails
    }
  }
}
    fragment UserErrorDetails on UserError {
  code
  message
  field
}`) as unknown as TypedDocumentString<CreateOrganizationMutation, CreateOrganizationMutationVariables>;
export const OrganizationUsageDocument = /*#__PURE__*/ new TypedDocumentString(`
    query OrganizationUsage($slug: String!) {
  organization(slug: $slug) {
    id
    usage {
      branches
      storageBytes
      computeSeconds
      writtenBytes
      from
      to
    }
    projects(first: 100) {
      nodes {
        id
        name
        usage {
          branches
          storageBytes
          computeSeconds
          writtenBytes
        }
      }
    }
  }
}
    `) as unknown as TypedDocumentString<OrganizationUsageQuery, OrganizationUsageQueryVariables>;
export const OrganizationApiKeysDocument = /*#__PURE__*/ new TypedDocumentString(`
    query OrganizationApiKeys($slug: String!) {
  organization(slug: $slug) {
    id
    name
    viewerRole
    apiKeys {
      ...ApiKeyDetails
    }
  }
}
    fragment ApiKeyDetails on ApiKey {
  id
  name
  start
  scope
  projectId
  createdAt
  expiresAt
  lastUsedAt
}`) as unknown as TypedDocumentString<OrganizationApiKeysQuery, OrganizationApiKeysQueryVariables>;
export const ViewerApiKeysDocument = /*#__PURE__*/ new TypedDocumentString(`
    query ViewerApiKeys {
  viewer {
    id
    user {
      id
      name
      email
    }
    apiKeys {
      ...ApiKeyDetails
    }
  }
}
    fragment ApiKeyDetails on ApiKey {
  id
  name
  start
  scope
  projectId
  createdAt
  expiresAt
  lastUsedAt
}`) as unknown as TypedDocumentString<ViewerApiKeysQuery, ViewerApiKeysQueryVariables>;
export const SetDemoWorkloadDocument = /*#__PURE__*/ new TypedDocumentString(`
    mutation SetDemoWorkload($running: Boolean!) {
  setDemoWorkload(running: $running) {
    ok
    error {
      ...UserErrorDetails
    }
  }
}
    fragment UserErrorDetails on UserError {
  code
  message
  field
}`) as unknown as TypedDocumentString<SetDemoWorkloadMutation, SetDemoWorkloadMutationVariables>;
export const ProjectOverviewDocument = /*#__PURE__*/ new TypedDocumentString(`
    query ProjectOverview($id: ID!) {
  project(id: $id) {
    id
    name
    createdAt
    pitrWindowSeconds
    viewerCanWrite
    defaultBranch {
      ...BranchSummary
    }
    branches(first: 6) {
      totalCount
      nodes {
        ...BranchSummary
      }
    }
    endpoints {
      ...EndpointSummary
    }
    snapshots {
      id
      name
      lsn
      time
      branch {
        id
        name
      }
    }
    storage {
      logicalSizeBytes
      objectSizeBytes
    }
    quotas {
      branches
      storageBytes
      computeSeconds
      writtenBytes
    }
    usage {
      branches
      storageBytes
      computeSeconds
      writtenBytes
      from
      to
    }
    operations(first: 6) {
      nodes {
        ...OperationDetails
      }
    }
  }
}
    fragment BranchSummary on Branch {
  id
  name
  state
  isDefault
  isProtected
  expiresAt
  createdAt
  createdBy
  parent {
    id
    name
  }
  parentLsn
  parentTime
  tip {
    lsn
    commitTime
  }
  logicalSizeBytes
  primaryEndpoint {
    id
    state
  }
}
fragment EndpointSummary on Endpoint {
  id
  type
  state
  desiredState
  host
  size
  suspendAfterSeconds
  maxConnections
  connections
  atLsn
  atTime
  createdAt
  lastActiveAt
  startedAt
  suspendedAt
  keepsAwake
  lastError
  branch {
    id
    name
    isDefault
  }
  compute {
    id
    state
    term
    startLsn
    mode
    startedAt
    readyAt
    phases {
      name
      ms
    }
  }
}
fragment OperationDetails on Operation {
  id
  kind
  state
  viewerCanCancel
  createdAt
  startedAt
  finishedAt
  durationMs
  error
  createdBy
  branch {
    id
    name
  }
  endpoint {
    id
  }
  steps {
    name
    state
    startedAt
    finishedAt
    durationMs
    attempts
    error
  }
}`) as unknown as TypedDocumentString<ProjectOverviewQuery, ProjectOverviewQueryVariables>;
export const OrganizationProjectsDocument = /*#__PURE__*/ new TypedDocumentString(`
    query OrganizationProjects($slug: String!, $first: Int, $after: String, $search: String) {
  organization(slug: $slug) {
    id
    name
    viewerCanCreateProject
    projects(first: $first, after: $after, search: $search) {
      totalCount
      pageInfo {
        hasNextPage
        endCursor
      }
      nodes {
        id
        name
        createdAt
        updatedAt
        storage {
          logicalSizeBytes
          objectSizeBytes
        }
        usage {
          branches
          computeSeconds
        }
        endpoints {
          id
          state
        }
      }
    }
  }
}
    `) as unknown as TypedDocumentString<OrganizationProjectsQuery, OrganizationProjectsQueryVariables>;
export const CreateProjectDocument = /*#__PURE__*/ new TypedDocumentString(`
    mutation CreateProject($input: CreateProjectInput!) {
  createProject(input: $input) {
    project {
      id
      name
      defaultBranch {
        id
        name
      }
    }
    operations {
      id
    }
    connection {
      ...ConnectionDetails
    }
    error {
      ...UserErrorDetails
    }
  }
}
    fragment UserErrorDetails on UserError {
  code
  message
  field
}
fragment ConnectionDetails on ConnectionInfo {
  host
  port
  database
  role
  uri
  psql
  passwordRevealed
}`) as unknown as TypedDocumentString<CreateProjectMutation, CreateProjectMutationVariables>;
export const RestoreBranchDocument = /*#__PURE__*/ new TypedDocumentString(`
    query RestoreBranch($projectId: ID!, $branchId: ID!) {
  project(id: $projectId) {
    id
    branch(id: $branchId) {
      id
      name
      isProtected
      viewerCanRestore
      tip {
        lsn
        commitTime
      }
      endpoints {
        id
        connections
      }
      databases {
        id
        name
      }
      restoreWindow {
        fromLsn
        fromTime
        toLsn
        toTime
      }
    }
    snapshots {
      id
      name
      lsn
      time
      branch {
        id
      }
    }
  }
}
    `) as unknown as TypedDocumentString<RestoreBranchQuery, RestoreBranchQueryVariables>;
export const CommitHistogramDocument = /*#__PURE__*/ new TypedDocumentString(`
    query CommitHistogram($projectId: ID!, $branchId: ID!, $buckets: Int!) {
  project(id: $projectId) {
    id
    branch(id: $branchId) {
      id
      commitHistogram(buckets: $buckets) {
        from
        to
        commits
        walBytes
        lastLsn
      }
    }
  }
}
    `) as unknown as TypedDocumentString<CommitHistogramQuery, CommitHistogramQueryVariables>;
export const RestoreBranchToDocument = /*#__PURE__*/ new TypedDocumentString(`
    mutation RestoreBranchTo($id: ID!, $to: PointInput!, $keepAs: String) {
  restoreBranch(id: $id, to: $to, keepAs: $keepAs) {
    branch {
      id
    }
    operations {
      id
    }
    error {
      ...UserErrorDetails
    }
  }
}
    fragment UserErrorDetails on UserError {
  code
  message
  field
}`) as unknown as TypedDocumentString<RestoreBranchToMutation, RestoreBranchToMutationVariables>;
export const ProjectSettingsDocument = /*#__PURE__*/ new TypedDocumentString(`
    query ProjectSettings($id: ID!) {
  project(id: $id) {
    id
    name
    pitrWindowSeconds
    createdAt
    viewerCanWrite
    viewerCanDelete
    organization {
      id
      slug
      name
    }
    quotas {
      branches
      storageBytes
      computeSeconds
      writtenBytes
    }
    usage {
      branches
      storageBytes
      computeSeconds
      writtenBytes
      from
    }
    branches(first: 1) {
      totalCount
    }
    endpoints {
      id
    }
  }
}
    `) as unknown as TypedDocumentString<ProjectSettingsQuery, ProjectSettingsQueryVariables>;
export const BranchRolesAndDatabasesDocument = /*#__PURE__*/ new TypedDocumentString(`
    query BranchRolesAndDatabases($projectId: ID!, $branchId: ID!) {
  project(id: $projectId) {
    id
    branch(id: $branchId) {
      id
      name
      viewerCanWrite
      roles {
        name
        isProtected
        createdAt
        canRevealPassword
      }
      databases {
        id
        name
        ownerName
        createdAt
      }
    }
  }
}
    `) as unknown as TypedDocumentString<BranchRolesAndDatabasesQuery, BranchRolesAndDatabasesQueryVariables>;
export const ProjectApiKeysDocument = /*#__PURE__*/ new TypedDocumentString(`
    query ProjectApiKeys($slug: String!) {
  viewer {
    id
    apiKeys {
      ...ApiKeyDetails
    }
  }
  organization(slug: $slug) {
    id
    viewerRole
    apiKeys {
      ...ApiKeyDetails
    }
  }
}
    fragment ApiKeyDetails on ApiKey {
  id
  name
  start
  scope
  projectId
  createdAt
  expiresAt
  lastUsedAt
}`) as unknown as TypedDocumentString<ProjectApiKeysQuery, ProjectApiKeysQueryVariables>;
export const UpdateProjectDocument = /*#__PURE__*/ new TypedDocumentString(`
    mutation UpdateProject($id: ID!, $input: UpdateProjectInput!) {
  updateProject(id: $id, input: $input) {
    project {
      id
      name
    }
    error {
      ...UserErrorDetails
    }
  }
}
    fragment UserErrorDetails on UserError {
  code
  message
  field
}`) as unknown as TypedDocumentString<UpdateProjectMutation, UpdateProjectMutationVariables>;
export const DeleteProjectDocument = /*#__PURE__*/ new TypedDocumentString(`
    mutation DeleteProject($id: ID!) {
  deleteProject(id: $id) {
    operations {
      id
    }
    error {
      ...UserErrorDetails
    }
  }
}
    fragment UserErrorDetails on UserError {
  code
  message
  field
}`) as unknown as TypedDocumentString<DeleteProjectMutation, DeleteProjectMutationVariables>;
export const CreateRoleDocument = /*#__PURE__*/ new TypedDocumentString(`
    mutation CreateRole($branchId: ID!, $name: String!) {
  createRole(branchId: $branchId, name: $name) {
    role {
      name
    }
    password
    operations {
      id
    }
    error {
      ...UserErrorDetails
    }
  }
}
    fragment UserErrorDetails on UserError {
  code
  message
  field
}`) as unknown as TypedDocumentString<CreateRoleMutation, CreateRoleMutationVariables>;
export const DeleteRoleDocument = /*#__PURE__*/ new TypedDocumentString(`
    mutation DeleteRole($branchId: ID!, $name: String!) {
  deleteRole(branchId: $branchId, name: $name) {
    operations {
      id
    }
    error {
      ...UserErrorDetails
    }
  }
}
    fragment UserErrorDetails on UserError {
  code
  message
  field
}`) as unknown as TypedDocumentString<DeleteRoleMutation, DeleteRoleMutationVariables>;
export const CreateDatabaseDocument = /*#__PURE__*/ new TypedDocumentString(`
    mutation CreateDatabase($branchId: ID!, $name: String!, $ownerName: String!) {
  createDatabase(branchId: $branchId, name: $name, ownerName: $ownerName) {
    database {
      id
    }
    operations {
      id
    }
    error {
      ...UserErrorDetails
    }
  }
}
    fragment UserErrorDetails on UserError {
  code
  message
  field
}`) as unknown as TypedDocumentString<CreateDatabaseMutation, CreateDatabaseMutationVariables>;
export const DeleteDatabaseDocument = /*#__PURE__*/ new TypedDocumentString(`
    mutation DeleteDatabase($branchId: ID!, $name: String!) {
  deleteDatabase(branchId: $branchId, name: $name) {
    operations {
      id
    }
    error {
      ...UserErrorDetails
    }
  }
}
    fragment UserErrorDetails on UserError {
  code
  message
  field
}`) as unknown as TypedDocumentString<DeleteDatabaseMutation, DeleteDatabaseMutationVariables>;
export const RunSqlDocument = /*#__PURE__*/ new TypedDocumentString(`
    mutation RunSql($input: RunSqlInput!) {
  runSql(input: $input) {
    queryId
    engine
    durationMs
    statements {
      command
      rowCount
      columns {
        name
        type
      }
      rows
      truncated
      durationMs
      notices
      plan
    }
    receipt {
      branchId
      lsn
      commitTime
      lagBytes
      layersRead
      rowsFromColumns
      rowsFresh
      dirtyBlocks
      steps {
        name
        ms
      }
    }
    error {
      message
      sqlState
      position
      hint
      detail
    }
  }
}
    `) as unknown as TypedDocumentString<RunSqlMutation, RunSqlMutationVariables>;
export const CancelSqlDocument = /*#__PURE__*/ new TypedDocumentString(`
    mutation CancelSql($queryId: ID!) {
  cancelSql(queryId: $queryId) {
    ok
    error {
      code
      message
      field
    }
  }
}
    `) as unknown as TypedDocumentString<CancelSqlMutation, CancelSqlMutationVariables>;
export const SqlSideDocument = /*#__PURE__*/ new TypedDocumentString(`
    query SqlSide($projectId: ID!) {
  project(id: $projectId) {
    id
    savedQueries {
      id
      name
      sql
      engine
      updatedAt
    }
    queryHistory(first: 100) {
      id
      sql
      engine
      branchName
      at
      durationMs
      rowCount
      error
    }
  }
}
    `) as unknown as TypedDocumentString<SqlSideQuery, SqlSideQueryVariables>;
export const SqlPlaceDocument = /*#__PURE__*/ new TypedDocumentString(`
    query SqlPlace($projectId: ID!, $branchId: ID!) {
  project(id: $projectId) {
    id
    viewerCanWrite
    branch(id: $branchId) {
      id
      name
      databases {
        id
        name
        ownerName
      }
      roles {
        name
      }
      primaryEndpoint {
        id
        state
      }
    }
  }
}
    `) as unknown as TypedDocumentString<SqlPlaceQuery, SqlPlaceQueryVariables>;
export const SaveQueryDocument = /*#__PURE__*/ new TypedDocumentString(`
    mutation SaveQuery($projectId: ID!, $id: ID, $name: String!, $sql: String!, $engine: QueryEngine!) {
  saveQuery(
    projectId: $projectId
    id: $id
    name: $name
    sql: $sql
    engine: $engine
  ) {
    id
    name
  }
}
    `) as unknown as TypedDocumentString<SaveQueryMutation, SaveQueryMutationVariables>;
export const DeleteSavedQueryDocument = /*#__PURE__*/ new TypedDocumentString(`
    mutation DeleteSavedQuery($id: ID!) {
  deleteSavedQuery(id: $id) {
    ok
    error {
      code
      message
      field
    }
  }
}
    `) as unknown as TypedDocumentString<DeleteSavedQueryMutation, DeleteSavedQueryMutationVariables>;
export const StorageOfProjectDocument = /*#__PURE__*/ new TypedDocumentString(`
    query StorageOfProject($id: ID!, $branchId: ID!) {
  project(id: $id) {
    id
    viewerCanOperate
    storage {
      logicalSizeBytes
      objectSizeBytes
    }
    branch(id: $branchId) {
      id
      name
      timelineId
    }
  }
}
    `) as unknown as TypedDocumentString<StorageOfProjectQuery, StorageOfProjectQueryVariables>;
export const BranchLayersDocument = /*#__PURE__*/ new TypedDocumentString(`
    query BranchLayers($id: ID!, $branchId: ID!, $limit: Int!) {
  project(id: $id) {
    id
    branch(id: $branchId) {
      id
      layers(limit: $limit) {
        name
        kind
        keyStart
        keyEnd
        lsnStart
        lsnEnd
        sizeBytes
        level
        isLocal
      }
    }
  }
}
    `) as unknown as TypedDocumentString<BranchLayersQuery, BranchLayersQueryVariables>;
export const StorageStateDocument = /*#__PURE__*/ new TypedDocumentString(`
    query StorageState {
  storageStatus {
    ...StorageDetails
  }
}
    fragment StorageDetails on StorageStatus {
  quorumHealthy
  observedAt
  safekeepers {
    id
    name
    state
    address
    timelines {
      projectId
      timelineId
      term
      flushLsn
      commitLsn
      lagBytes
    }
  }
  pageserver {
    state
    address
    timelines {
      projectId
      timelineId
      branchName
      lastRecordLsn
      remoteConsistentLsn
      lagBytes
    }
  }
  processes {
    name
    kind
    state
    pid
    restarts
  }
}`) as unknown as TypedDocumentString<StorageStateQuery, StorageStateQueryVariables>;
export const StorageStateChangedDocument = /*#__PURE__*/ new TypedDocumentString(`
    subscription StorageStateChanged {
  storageStatusChanged {
    ...StorageDetails
  }
}
    fragment StorageDetails on StorageStatus {
  quorumHealthy
  observedAt
  safekeepers {
    id
    name
    state
    address
    timelines {
      projectId
      timelineId
      term
      flushLsn
      commitLsn
      lagBytes
    }
  }
  pageserver {
    state
    address
    timelines {
      projectId
      timelineId
      branchName
      lastRecordLsn
      remoteConsistentLsn
      lagBytes
    }
  }
  processes {
    name
    kind
    state
    pid
    restarts
  }
}`) as unknown as TypedDocumentString<StorageStateChangedSubscription, StorageStateChangedSubscriptionVariables>;
export const ProcessActionDocument = /*#__PURE__*/ new TypedDocumentString(`
    mutation ProcessAction($name: String!, $action: ProcessAction!) {
  processAction(name: $name, action: $action) {
    error {
      ...UserErrorDetails
    }
  }
}
    fragment UserErrorDetails on UserError {
  code
  message
  field
}`) as unknown as TypedDocumentString<ProcessActionMutation, ProcessActionMutationVariables>;
export const StorageReportDocument = /*#__PURE__*/ new TypedDocumentString(`
    query StorageReport($id: ID!) {
  project(id: $id) {
    id
    storage {
      report {
        generatedAt
        kinds {
          kind
          objects
          bytes
        }
        duplicates {
          branchName
          what
          why
          objects
          bytes
        }
        exceptions {
          branchName
          tableName
          tableOid
          what
          why
          count
        }
      }
    }
  }
}
    `) as unknown as TypedDocumentString<StorageReportQuery, StorageReportQueryVariables>;
export const FaultDrillsDocument = /*#__PURE__*/ new TypedDocumentString(`
    query FaultDrills($id: ID!) {
  project(id: $id) {
    id
    faultDrills(first: 10) {
      ...FaultDrillDetails
    }
  }
}
    fragment FaultDrillDetails on FaultDrill {
  id
  branch {
    id
    name
  }
  createdBy
  safekeeperId
  seconds
  kind
  state
  startedAt
  finishedAt
  log
  acknowledgedBefore
  foundAfter
  lost
  unavailableMs
  maxCommitMs
}`) as unknown as TypedDocumentString<FaultDrillsQuery, FaultDrillsQueryVariables>;
export const StartFaultDrillDocument = /*#__PURE__*/ new TypedDocumentString(`
    mutation StartFaultDrill($input: FaultDrillInput!) {
  faultDrill(input: $input) {
    drill {
      ...FaultDrillDetails
    }
    error {
      ...UserErrorDetails
    }
  }
}
    fragment UserErrorDetails on UserError {
  code
  message
  field
}
fragment FaultDrillDetails on FaultDrill {
  id
  branch {
    id
    name
  }
  createdBy
  safekeeperId
  seconds
  kind
  state
  startedAt
  finishedAt
  log
  acknowledgedBefore
  foundAfter
  lost
  unavailableMs
  maxCommitMs
}`) as unknown as TypedDocumentString<StartFaultDrillMutation, StartFaultDrillMutationVariables>;
export const FaultDrillProgressDocument = /*#__PURE__*/ new TypedDocumentString(`
    subscription FaultDrillProgress($id: ID!) {
  faultDrillChanged(id: $id) {
    ...FaultDrillDetails
  }
}
    fragment FaultDrillDetails on FaultDrill {
  id
  branch {
    id
    name
  }
  createdBy
  safekeeperId
  seconds
  kind
  state
  startedAt
  finishedAt
  log
  acknowledgedBefore
  foundAfter
  lost
  unavailableMs
  maxCommitMs
}`) as unknown as TypedDocumentString<FaultDrillProgressSubscription, FaultDrillProgressSubscriptionVariables>;
export const TableLakeDocument = /*#__PURE__*/ new TypedDocumentString(`
    query TableLake($projectId: ID!, $branchId: ID!, $database: String!) {
  project(id: $projectId) {
    id
    viewerCanWrite
    branch(id: $branchId) {
      id
      catalog(database: $database) {
        schemas {
          name
          tables {
            oid
            name
            lake {
              deltaVersion
              layerLsn
              files
              bytes
              rows
              path
              uri
            }
          }
        }
      }
    }
  }
}
    `) as unknown as TypedDocumentString<TableLakeQuery, TableLakeQueryVariables>;
export const PublishTableDocument = /*#__PURE__*/ new TypedDocumentString(`
    mutation PublishTable($branchId: ID!, $database: String!, $table: String) {
  publishLake(branchId: $branchId, database: $database, table: $table) {
    operations {
      id
    }
    error {
      ...UserErrorDetails
    }
  }
}
    fragment UserErrorDetails on UserError {
  code
  message
  field
}`) as unknown as TypedDocumentString<PublishTableMutation, PublishTableMutationVariables>;
export const ProjectTimelineDocument = /*#__PURE__*/ new TypedDocumentString(`
    query ProjectTimeline($id: ID!) {
  project(id: $id) {
    id
    viewerCanWrite
    timeline {
      fromLsn
      toLsn
      fromTime
      toTime
      lanes {
        startLsn
        tipLsn
        startTime
        tipTime
        parentBranchId
        parentLsn
        branch {
          id
          name
          state
          isDefault
          isProtected
          tip {
            lsn
            commitTime
          }
          endpoints {
            id
            state
          }
        }
        events {
          kind
          lsn
          time
          summary
          sizeBytes
          relatedId
        }
      }
    }
  }
}
    `) as unknown as TypedDocumentString<ProjectTimelineQuery, ProjectTimelineQueryVariables>;
export const BranchFromPointDocument = /*#__PURE__*/ new TypedDocumentString(`
    mutation BranchFromPoint($input: CreateBranchInput!) {
  createBranch(input: $input) {
    branch {
      id
      name
    }
    error {
      code
      message
      field
    }
  }
}
    `) as unknown as TypedDocumentString<BranchFromPointMutation, BranchFromPointMutationVariables>;
export const ViewerDocument = /*#__PURE__*/ new TypedDocumentString(`
    query Viewer {
  viewer {
    id
    user {
      id
      name
      email
    }
    organizations {
      id
      slug
      name
      viewerRole
      viewerCanCreateProject
      viewerCanManageMembers
    }
  }
}
    `) as unknown as TypedDocumentString<ViewerQuery, ViewerQueryVariables>;
export const ServerInfoDocument = /*#__PURE__*/ new TypedDocumentString(`
    query ServerInfo {
  serverInfo {
    version
    isLocalStack
    allowsSignUp
    hasAnalytics
    proxyHost
    proxyPort
    demoProjectId
    demoWorkloadRunning
  }
}
    `) as unknown as TypedDocumentString<ServerInfoQuery, ServerInfoQueryVariables>;
export const OrganizationNavDocument = /*#__PURE__*/ new TypedDocumentString(`
    query OrganizationNav($slug: String!) {
  organization(slug: $slug) {
    id
    slug
    name
    viewerRole
    viewerCanCreateProject
    viewerCanManageMembers
    projects(first: 50) {
      nodes {
        id
        name
      }
    }
  }
}
    `) as unknown as TypedDocumentString<OrganizationNavQuery, OrganizationNavQueryVariables>;
export const ProjectNavDocument = /*#__PURE__*/ new TypedDocumentString(`
    query ProjectNav($id: ID!) {
  project(id: $id) {
    id
    name
    viewerCanWrite
    viewerCanDelete
    organization {
      id
      slug
      name
      viewerRole
    }
    defaultBranch {
      id
      name
    }
    branches(first: 100) {
      totalCount
      nodes {
        ...NavBranchDetails
      }
    }
  }
}
    fragment NavBranchDetails on Branch {
  id
  name
  state
  isDefault
  isProtected
  parent {
    id
  }
  databases {
    id
    name
    ownerName
  }
}`) as unknown as TypedDocumentString<ProjectNavQuery, ProjectNavQueryVariables>;
export const NavBranchDocument = /*#__PURE__*/ new TypedDocumentString(`
    query NavBranch($projectId: ID!, $branchId: ID!) {
  project(id: $projectId) {
    id
    branch(id: $branchId) {
      ...NavBranchDetails
    }
  }
}
    fragment NavBranchDetails on Branch {
  id
  name
  state
  isDefault
  isProtected
  parent {
    id
  }
  databases {
    id
    name
    ownerName
  }
}`) as unknown as TypedDocumentString<NavBranchQuery, NavBranchQueryVariables>;
export const QuorumHealthDocument = /*#__PURE__*/ new TypedDocumentString(`
    query QuorumHealth {
  storageStatus {
    quorumHealthy
    observedAt
    safekeepers {
      id
      name
      state
    }
    pageserver {
      state
    }
  }
}
    `) as unknown as TypedDocumentString<QuorumHealthQuery, QuorumHealthQueryVariables>;
export const QuorumHealthChangedDocument = /*#__PURE__*/ new TypedDocumentString(`
    subscription QuorumHealthChanged {
  storageStatusChanged {
    quorumHealthy
    observedAt
    safekeepers {
      id
      name
      state
    }
    pageserver {
      state
    }
  }
}
    `) as unknown as TypedDocumentString<QuorumHealthChangedSubscription, QuorumHealthChangedSubscriptionVariables>;
export const ProjectOperationsDocument = /*#__PURE__*/ new TypedDocumentString(`
    subscription ProjectOperations($projectId: ID!) {
  operationChanged(projectId: $projectId) {
    id
    kind
    state
    createdAt
    startedAt
    finishedAt
    durationMs
    error
    createdBy
    branch {
      id
      name
    }
    steps {
      name
      state
      startedAt
      finishedAt
      durationMs
      attempts
      error
    }
  }
}
    `) as unknown as TypedDocumentString<ProjectOperationsSubscription, ProjectOperationsSubscriptionVariables>;
export const ProjectTipsDocument = /*#__PURE__*/ new TypedDocumentString(`
    subscription ProjectTips($projectId: ID!) {
  branchTipMoved(projectId: $projectId) {
    id
    state
    tip {
      lsn
      commitTime
    }
  }
}
    `) as unknown as TypedDocumentString<ProjectTipsSubscription, ProjectTipsSubscriptionVariables>;
export const ProjectEndpointsDocument = /*#__PURE__*/ new TypedDocumentString(`
    subscription ProjectEndpoints($projectId: ID!) {
  endpointChanged(projectId: $projectId) {
    id
    state
    desiredState
    connections
    lastActiveAt
    startedAt
    suspendedAt
    keepsAwake
    lastError
    compute {
      id
      state
      term
      startLsn
      mode
      startedAt
      readyAt
      phases {
        name
        ms
      }
    }
  }
}
    `) as unknown as TypedDocumentString<ProjectEndpointsSubscription, ProjectEndpointsSubscriptionVariables>;