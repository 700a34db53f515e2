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

export type EndpointState =
  | 'ACTIVE'
  | 'FAILED'
  | 'IDLE'
  | 'STARTING'
  | 'STOPPING';

export type OperationState =
  | 'CANCELLED'
  | 'CANCELLING'
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

export type ViewerQueryVariables = Exact<{ [key: string]: never; }>;


export type ViewerQuery = { viewer: { id: string, user: { id: string, name: string, email: string }, organizations: Array<{ id: string, slug: string, name: string, viewerRole: OrganizationRole, viewerCanCreateProject: boolean, viewerCanManageMembers: boolean }> } | null };

export type ServerInfoQueryVariables = Exact<{ [key: string]: never; }>;


export type ServerInfoQuery = { serverInfo: { version: string, isLocalStack: boolean, proxyHost: string, proxyPort: number, demoProjectId: string | null, demoWorkloadRunning: boolean | null } };

export type OrganizationNavQueryVariables = Exact<{
  slug: string;
}>;


export type OrganizationNavQuery = { organization: { id: string, slug: string, name: string, viewerRole: OrganizationRole, viewerCanCreateProject: boolean, viewerCanManageMembers: boolean, projects: { nodes: Array<{ id: string, name: string }> } } | null };

export type ProjectNavQueryVariables = Exact<{
  id: string;
}>;


export type ProjectNavQuery = { project: { id: string, name: string, viewerCanWrite: boolean, viewerCanDelete: boolean, organization: { id: string, slug: string, name: string, viewerRole: OrganizationRole }, defaultBranch: { id: string, name: string }, branches: { totalCount: number, nodes: Array<{ id: string, name: string, state: BranchState, isDefault: boolean, isProtected: boolean, parent: { id: string } | null, databases: Array<{ id: string, name: string, ownerName: string }> }> } } | null };

export type QuorumHealthQueryVariables = Exact<{ [key: string]: never; }>;


export type QuorumHealthQuery = { storageStatus: { quorumHealthy: boolean, observedAt: string, safekeepers: Array<{ id: number, name: string, state: string }>, pageserver: { state: string } } };

export type QuorumHealthChangedSubscriptionVariables = Exact<{ [key: string]: never; }>;


export type QuorumHealthChangedSubscription = { storageStatusChanged: { quorumHealthy: boolean, observedAt: string, safekeepers: Array<{ id: number, name: string, state: string }>, pageserver: { state: string } } };

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
    }
  }
}
    `) as unknown as TypedDocumentString<ProjectNavQuery, ProjectNavQueryVariables>;
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