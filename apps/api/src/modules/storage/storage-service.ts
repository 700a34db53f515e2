import { errorText, type LayerInfo, type StorageStatus } from '@tributary/storage-engine/admin'
import type { Actor, App, CallOptions } from '../../app.ts'
import { can } from '../../auth/permission.ts'
import { storageIds } from '../../control-plane/compute-control.ts'
import type { Branch, Project } from '../../generated/prisma/client.ts'
import { catchFailure, FailureError, failure, notFound, type Result } from '../../shared/result.ts'
import { recordAudit } from '../audit/audit-service.ts'

const LAYERS_MAX = 20_000

export interface StorageView {
  readonly status: StorageStatus | null
  readonly processes: readonly {
    name: string
    kind: string
    state: string
    pid: number | null
    restarts: number
    url: string | null
  }[]
  /** From ids of storage to those of the catalog; what is missing here is not shown. */
  readonly projects: ReadonlyMap<string, string>
  readonly branches: ReadonlyMap<string, { readonly name: string }>
  readonly observedAt: Date
}

/** The state of SafeKeepers, PageServer and processes. */
export class StorageService {
  readonly #app: App

  constructor(app: App) {
    this.#app = app
  }

  /** Operators see the processes and all timelines; others the timelines of their projects. */
  async status(actor: Actor): Promise<StorageView> {
    const isOperator = can(actor, 'stack.view')
    const [status, stack, projects] = await Promise.all([
      this.#app.stack.storageStatus().catch((error: unknown) => this.#missing(error)),
      isOperator ? this.#app.stack.stack().catch((error: unknown) => this.#missing(error)) : null,
      this.#app.database.project.findMany({
        where: {
          deletedAt: null,
          ...(isOperator || actor.kind === 'system' ? {} : { organizationId: { in: [...actor.roles.keys()] } }),
          ...(actor.kind === 'api-key' && actor.projectId !== null ? { id: actor.projectId } : {}),
        },
        select: { id: true, storageId: true, branches: { select: { timelineId: true, name: true } } },
      }),
    ])
    return {
      status,
      processes: (stack?.processes ?? []).map(({ name, kind, state, pid, restartCount, url }) => ({
        name,
        kind,
        state,
        pid,
        restarts: restartCount,
        url,
      })),
      projects: new Map(projects.map(({ id, storageId }) => [storageId, id])),
      branches: new Map(
        projects.flatMap(({ branches }) => branches.map((branch) => [branch.timelineId, branch] as const)),
      ),
      observedAt: new Date(),
    }
  }

  #missing(error: unknown): null {
    this.#app.log.debug({ error: errorText(error) }, 'the supervisor does not answer')
    return null
  }

  async processAction(
    actor: Actor,
    input: { name: string; action: 'start' | 'stop' | 'kill' },
    options: CallOptions = {},
  ): Promise<Result<null>> {
    return catchFailure(async () => {
      if (!can(actor, 'stack.view')) throw new FailureError(notFound('process').error)
      if (!can(actor, 'stack.operate'))
        throw new FailureError(failure('NOT_ALLOWED', 'your role does not allow stack.operate').error)
      const { processes } = await this.#app.stack.stack()
      const found = processes.find(({ name }) => name === input.name)
      if (!found) throw new FailureError(notFound('process').error)
      if (found.kind === 'supervisor' || (found.kind === 'api' && input.action === 'stop'))
        throw new FailureError(
          failure('CONFLICT', `${found.name} cannot be ${input.action === 'stop' ? 'stopped' : 'handled'} from here`)
            .error,
        )
      await recordAudit(this.#app.database, actor, { action: `process.${input.action}`, subject: input.name }, options)
      await this.#app.stack.processAction(input.name, input.action)
      return null
    })
  }

  /** The caller has checked the branch. */
  async layers(branch: Branch & { project: Project }, limit: number): Promise<LayerInfo[]> {
    const { projectId, timelineId } = storageIds(branch.project, branch)
    const layers = await this.#app.storage.layerMap(projectId, timelineId)
    return layers.slice(0, Math.min(Math.max(limit, 0), LAYERS_MAX))
  }
}
