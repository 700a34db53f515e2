import type { App } from './app.ts'
import type { Auth } from './auth/auth.ts'
import type { Authenticator } from './auth/authenticate.ts'
import type { ReadOnlyComputes } from './control-plane/read-only-computes.ts'
import type { Waker } from './control-plane/wake.ts'
import { ApiKeyService } from './modules/api-key/api-key-service.ts'
import { BranchRestoreService } from './modules/branch/branch-restore-service.ts'
import { BranchService } from './modules/branch/branch-service.ts'
import { ConnectionService } from './modules/branch/connection-service.ts'
import { DatabaseService } from './modules/database/database-service.ts'
import { EndpointService } from './modules/endpoint/endpoint-service.ts'
import { FaultDrillService } from './modules/fault-drill/fault-drill-service.ts'
import { OperationService } from './modules/operation/operation-service.ts'
import { OrganizationService } from './modules/organization/organization-service.ts'
import { ProjectService } from './modules/project/project-service.ts'
import { RoleService } from './modules/role/role-service.ts'
import { SnapshotService } from './modules/snapshot/snapshot-service.ts'
import { CatalogService } from './modules/sql/catalog-service.ts'
import { SavedQueryService } from './modules/sql/saved-query-service.ts'
import { SqlService } from './modules/sql/sql-service.ts'
import { LakeService } from './modules/storage/lake-service.ts'
import { StorageService } from './modules/storage/storage-service.ts'
import { TimelineService } from './modules/timeline/timeline-service.ts'
import { UsageService } from './modules/usage/usage-service.ts'

/** The use cases, for GraphQL and REST alike. Each takes (actor, input, options) and answers with a Result. */
export interface Services {
  readonly projects: ProjectService
  readonly branches: BranchService
  readonly restores: BranchRestoreService
  readonly connections: ConnectionService
  readonly endpoints: EndpointService
  readonly roles: RoleService
  readonly databases: DatabaseService
  readonly snapshots: SnapshotService
  readonly operations: OperationService
  readonly organizations: OrganizationService
  readonly apiKeys: ApiKeyService
  readonly usage: UsageService
  readonly storage: StorageService
  readonly lake: LakeService
  readonly timelines: TimelineService
  readonly sql: SqlService
  readonly savedQueries: SavedQueryService
  readonly catalogs: CatalogService
  readonly drills: FaultDrillService
}

export function openServices(
  app: App,
  parts: { auth: Auth; authenticator: Authenticator; waker: Waker; readOnly: ReadOnlyComputes },
): Services {
  const catalogs = new CatalogService(app, parts.readOnly)
  return {
    projects: new ProjectService(app),
    branches: new BranchService(app),
    restores: new BranchRestoreService(app),
    connections: new ConnectionService(app),
    endpoints: new EndpointService(app),
    roles: new RoleService(app),
    databases: new DatabaseService(app),
    snapshots: new SnapshotService(app),
    operations: new OperationService(app),
    organizations: new OrganizationService(app),
    apiKeys: new ApiKeyService(app, parts.auth, parts.authenticator),
    usage: new UsageService(app),
    storage: new StorageService(app),
    lake: new LakeService(app),
    timelines: new TimelineService(app),
    sql: new SqlService(app, parts.waker, parts.readOnly),
    savedQueries: new SavedQueryService(app),
    catalogs,
    drills: new FaultDrillService(app, parts.waker),
  }
}
