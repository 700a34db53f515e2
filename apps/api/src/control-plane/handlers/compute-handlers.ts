import type { App } from '../../app.ts'
import type { CancellableHandler, OperationHandler, OperationInput } from '../operations/operation-runner.ts'
import { bringDown, bringUp, loadEndpoint, markStartFailed } from './start-compute.ts'

const endpointOf = (operation: OperationInput): string => {
  if (operation.endpointId === null) throw new Error(`operation ${operation.id} names no endpoint`)
  return operation.endpointId
}

const causeOf = (operation: OperationInput): string => {
  const cause = operation.input['cause']
  return typeof cause === 'string' ? cause : operation.kind
}

/** An endpoint whose start was called off sleeps until somebody connects. */
async function stayAsleep(app: App, operation: OperationInput): Promise<void> {
  const id = endpointOf(operation)
  await app.database.endpoint.updateMany({ where: { id }, data: { desiredState: 'SUSPENDED' } })
  app.bus.publish('endpoint', { projectId: operation.projectId, endpointId: id })
}

export function startComputeHandler(app: App): CancellableHandler {
  return {
    run: (operation, steps) => bringUp(app, steps, endpointOf(operation), causeOf(operation)),
    onFailure: (operation, message) => markStartFailed(app, endpointOf(operation), message),
    onCancel: (operation) => stayAsleep(app, operation),
  }
}

export function suspendComputeHandler(app: App): OperationHandler {
  return {
    async run(operation, steps) {
      const endpointId = endpointOf(operation)
      const isStillWanted = await steps.run('check', async () => {
        const endpoint = await loadEndpoint(app, endpointId)
        if (!endpoint) return false
        if (operation.input['onlyIfIdle'] !== true || endpoint.computeId === null) return true
        const activity = await app.computes.computeActivity(endpoint.computeId).catch(() => null)
        return activity === null || activity.activeConnections === 0
      })
      if (!isStillWanted) {
        await steps.run('keep', async () => {
          await app.database.endpoint.updateMany({ where: { id: endpointId }, data: { desiredState: 'RUNNING' } })
        })
        return
      }
      await steps.run('stop', () => bringDown(app, endpointId, 'graceful'))
    },
    async onFailure(operation, message) {
      await app.database.endpoint.updateMany({
        where: { id: endpointOf(operation) },
        data: { state: 'FAILED', lastError: message },
      })
    },
  }
}

export function restartComputeHandler(app: App): OperationHandler {
  return {
    async run(operation, steps) {
      const endpointId = endpointOf(operation)
      await steps.run('stop', () => bringDown(app, endpointId, 'graceful'))
      await bringUp(app, steps, endpointId, causeOf(operation))
    },
    onFailure: (operation, message) => markStartFailed(app, endpointOf(operation), message),
  }
}

/** The catalog row is made with the request; here its compute starts, when it is wanted at once. */
export function createComputeHandler(app: App): CancellableHandler {
  return {
    async run(operation, steps) {
      if (operation.input['start'] === false) return
      await bringUp(app, steps, endpointOf(operation), causeOf(operation))
    },
    onFailure: (operation, message) => markStartFailed(app, endpointOf(operation), message),
    onCancel: (operation) => stayAsleep(app, operation),
  }
}

export function deleteComputeHandler(app: App): OperationHandler {
  return {
    async run(operation, steps) {
      const endpointId = endpointOf(operation)
      await steps.run('stop', () => bringDown(app, endpointId, 'graceful'))
      await steps.run('remove', async () => {
        await app.database.endpoint.deleteMany({ where: { id: endpointId } })
        app.bus.publish('endpoint', { projectId: operation.projectId, endpointId })
      })
    },
    async onFailure(operation, message) {
      await app.database.endpoint.updateMany({
        where: { id: endpointOf(operation) },
        data: { state: 'FAILED', lastError: message },
      })
    },
  }
}
