import { errorText, ProjectId } from '@tributary/storage-engine/admin'
import type { App } from '../app.ts'

/**
 * Follows the tips of all branches: LSN, time of the last commit, size. One call to storage for each project that has a
 * running compute, and now and then for the others.
 */
const REST_MS = 30_000

export class TipWatch {
  readonly #app: App
  readonly #seenMs = new Map<string, number>()

  constructor(app: App) {
    this.#app = app
  }

  async pass(): Promise<void> {
    const { database, storage, bus, log } = this.#app
    const projects = await database.project.findMany({
      where: { deletedAt: null, state: 'READY' },
      select: { id: true, storageId: true, endpoints: { where: { state: 'ACTIVE' }, select: { id: true }, take: 1 } },
    })
    for (const project of projects) {
      const seenMs = this.#seenMs.get(project.id)
      if (project.endpoints.length === 0 && seenMs !== undefined && performance.now() - seenMs < REST_MS) continue
      this.#seenMs.set(project.id, performance.now())
      try {
        const timelines = await storage.listTimelines(ProjectId.parse(project.storageId))
        const branches = await database.branch.findMany({ where: { projectId: project.id } })
        let sumBytes = 0n
        let objectBytes = 0n
        for (const info of timelines) {
          objectBytes += BigInt(info.layerSizeBytes)
          const branch = branches.find((candidate) => candidate.timelineId === info.timelineId)
          if (!branch) continue
          const sizeBytes = info.logicalSizeBytes === null ? branch.logicalSizeBytes : BigInt(info.logicalSizeBytes)
          sumBytes += sizeBytes ?? 0n
          if (branch.tipLsn === info.lastRecordLsn && branch.logicalSizeBytes === sizeBytes) continue
          await database.branch.updateMany({
            where: { id: branch.id, timelineId: info.timelineId },
            data: {
              tipLsn: info.lastRecordLsn,
              tipCommitTime: info.lastCommitTime === null ? null : new Date(info.lastCommitTime),
              logicalSizeBytes: sizeBytes,
            },
          })
          bus.publish('branchTip', { projectId: project.id, branchId: branch.id })
        }
        await database.project.update({
          where: { id: project.id },
          data: { logicalSizeBytes: sumBytes, objectSizeBytes: objectBytes },
        })
      } catch (error) {
        log.debug({ projectId: project.id, error: errorText(error) }, 'storage does not answer for a project')
      }
    }
    for (const projectId of this.#seenMs.keys())
      if (!projects.some(({ id }) => id === projectId)) this.#seenMs.delete(projectId)
  }
}
