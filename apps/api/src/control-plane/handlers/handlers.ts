import type { App } from '../../app.ts'
import type { OperationHandlers } from '../operations/operation-runner.ts'
import {
  createBranchHandler,
  createTimelineHandler,
  deleteBranchHandler,
  deleteProjectHandler,
} from './branch-handlers.ts'
import {
  createComputeHandler,
  deleteComputeHandler,
  restartComputeHandler,
  startComputeHandler,
  suspendComputeHandler,
} from './compute-handlers.ts'
import { applyConfigHandler } from './config-handlers.ts'
import { failoverHandler, replaceHandler } from './failover-handlers.ts'
import { publishLakeHandler } from './lake-handlers.ts'
import { restoreBranchHandler } from './restore-branch-handler.ts'

/** What each kind of operation does. */
export function operationHandlers(app: App): OperationHandlers {
  return {
    create_timeline: createTimelineHandler(app),
    delete_project: deleteProjectHandler(app),
    create_branch: createBranchHandler(app),
    delete_branch: deleteBranchHandler(app),
    restore_branch: restoreBranchHandler(app),
    create_compute: createComputeHandler(app),
    delete_compute: deleteComputeHandler(app),
    start_compute: startComputeHandler(app),
    suspend_compute: suspendComputeHandler(app),
    restart_compute: restartComputeHandler(app),
    failover_compute: failoverHandler(app),
    replace_compute: replaceHandler(app),
    apply_config: applyConfigHandler(app),
    publish_lake: publishLakeHandler(app),
  }
}
