import { apiKeyRoutes } from '../../modules/api-key/api-key.routes.ts'
import { branchRoutes } from '../../modules/branch/branch.routes.ts'
import { databaseRoutes } from '../../modules/database/database.routes.ts'
import { endpointRoutes } from '../../modules/endpoint/endpoint.routes.ts'
import { operationRoutes } from '../../modules/operation/operation.routes.ts'
import { organizationRoutes } from '../../modules/organization/organization.routes.ts'
import { projectRoutes } from '../../modules/project/project.routes.ts'
import { roleRoutes } from '../../modules/role/role.routes.ts'
import { snapshotRoutes } from '../../modules/snapshot/snapshot.routes.ts'
import { usageRoutes } from '../../modules/usage/usage.routes.ts'
import type { RestRoute } from './rest-route.ts'

/** All that is served. */
export const restRoutes: readonly RestRoute[] = [
  ...projectRoutes,
  ...branchRoutes,
  ...endpointRoutes,
  ...operationRoutes,
  ...roleRoutes,
  ...databaseRoutes,
  ...snapshotRoutes,
  ...apiKeyRoutes,
  ...organizationRoutes,
  ...usageRoutes,
]
