import type { App } from '../../app.ts'
import type { Project } from '../../generated/prisma/client.ts'
import { failure, type Result, success } from '../../shared/result.ts'

export interface ProjectUsage {
  readonly branches: number
  readonly storageBytes: bigint
  readonly computeSeconds: number
  readonly writtenBytes: bigint
}

/** The billing period is the calendar month, UTC. */
export function periodStart(now: Date): Date {
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), 1))
}

export async function currentUsage(app: App, project: Project): Promise<ProjectUsage> {
  const [branches, total] = await Promise.all([
    app.database.branch.count({ where: { projectId: project.id } }),
    app.database.usageTotal.findUnique({
      where: { projectId_periodStart: { projectId: project.id, periodStart: periodStart(new Date()) } },
    }),
  ])
  return {
    branches,
    storageBytes: project.logicalSizeBytes,
    computeSeconds: total?.computeSeconds ?? 0,
    writtenBytes: total?.writtenBytes ?? 0n,
  }
}

/** Pure: the first quota that is used up, for starting a compute. */
export function computeRefusal(project: Project, usage: ProjectUsage): Result<null> {
  const { quotaComputeSeconds, quotaWrittenBytes, quotaStorageBytes } = project
  if (quotaComputeSeconds !== null && usage.computeSeconds >= Number(quotaComputeSeconds))
    return failure('QUOTA_EXCEEDED', `the project has used its ${quotaComputeSeconds} compute seconds of this month`)
  if (quotaWrittenBytes !== null && usage.writtenBytes >= quotaWrittenBytes)
    return failure('QUOTA_EXCEEDED', `the project has written its ${quotaWrittenBytes} bytes of this month`)
  if (quotaStorageBytes !== null && usage.storageBytes >= quotaStorageBytes * 2n)
    return failure('QUOTA_EXCEEDED', `the project stores more than twice its ${quotaStorageBytes} bytes`)
  return success(null)
}

export function branchRefusal(project: Project, branchCount: number): Result<null> {
  if (project.quotaBranches !== null && branchCount >= project.quotaBranches)
    return failure('QUOTA_EXCEEDED', `the project may have ${project.quotaBranches} branches`)
  return success(null)
}

export async function checkComputeQuota(app: App, project: Project): Promise<Result<null>> {
  return computeRefusal(project, await currentUsage(app, project))
}
