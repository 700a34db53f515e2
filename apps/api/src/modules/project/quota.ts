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

/**
 * Pure: the first quota that is used up, for running a compute. Postgres has no way to refuse a client's writes for good, so
 * a compute that may write does not run over a quota of bytes; read-only ones do, and what is there stays readable.
 */
export function computeRefusal(
  project: Pick<Project, 'quotaComputeSeconds' | 'quotaWrittenBytes' | 'quotaStorageBytes'>,
  usage: ProjectUsage,
  isReadOnly: boolean,
): Result<null> {
  const { quotaComputeSeconds, quotaWrittenBytes, quotaStorageBytes } = project
  if (quotaComputeSeconds !== null && usage.computeSeconds >= Number(quotaComputeSeconds))
    return usedUp('compute seconds', `${Math.floor(usage.computeSeconds)} of ${quotaComputeSeconds} this month`)
  if (isReadOnly) return success(null)
  if (quotaWrittenBytes !== null && usage.writtenBytes >= quotaWrittenBytes)
    return usedUp('written bytes', `${usage.writtenBytes} of ${quotaWrittenBytes} this month; ${READING}`)
  if (quotaStorageBytes !== null && usage.storageBytes >= quotaStorageBytes * 2n)
    return usedUp(
      'storage',
      `${usage.storageBytes} bytes are stored, twice the ${quotaStorageBytes} allowed; ${READING}`,
    )
  return success(null)
}

const READING = 'data can be read through a read-only endpoint'

function usedUp(what: string, how: string) {
  return failure('QUOTA_EXCEEDED', `quota of ${what} is used up: ${how}`)
}

export function branchRefusal(project: Project, branchCount: number): Result<null> {
  if (project.quotaBranches !== null && branchCount >= project.quotaBranches)
    return failure('QUOTA_EXCEEDED', `the project may have ${project.quotaBranches} branches`)
  return success(null)
}

export async function checkComputeQuota(
  app: App,
  project: Project,
  endpoint: { readonly type: string } = { type: 'READ_WRITE' },
): Promise<Result<null>> {
  const { quotaComputeSeconds, quotaWrittenBytes, quotaStorageBytes } = project
  if (quotaComputeSeconds === null && quotaWrittenBytes === null && quotaStorageBytes === null) return success(null)
  return computeRefusal(project, await currentUsage(app, project), endpoint.type === 'READ_ONLY')
}
