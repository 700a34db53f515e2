import type { Actor, App, CallOptions } from '../../app.ts'
import { actorName } from '../../auth/permission.ts'
import type { OperationKind } from '../../control-plane/operations/operation-kinds.ts'
import type { Branch, Endpoint, Operation, Prisma, Project } from '../../generated/prisma/client.ts'
import { newEndpointId } from '../../shared/ids.ts'
import { catchFailure, FailureError, failure, invalid, type Result, unwrap } from '../../shared/result.ts'
import { accessBranch, accessEndpoint } from '../access.ts'
import { recordAudit } from '../audit/audit-service.ts'
import { settlePoint } from '../branch/branch-point.ts'
import type { PointInput } from '../branch/branch-rules.ts'
import { checkComputeQuota } from '../project/quota.ts'
import {
  checkMaxConnections,
  checkSettings,
  checkSize,
  checkSuspendAfter,
  findSizeClass,
  SIZE_DEFAULT,
  SUSPEND_SECONDS_DEFAULT,
} from './endpoint-rules.ts'

export interface CreateEndpointInput {
  readonly branchId: string
  readonly type?: 'READ_WRITE' | 'READ_ONLY' | null | undefined
  /** Of a read-only endpoint. */
  readonly at?: PointInput | null | undefined
  readonly size?: string | null | undefined
  readonly suspendAfterSeconds?: number | null | undefined
  readonly settings?: unknown
  readonly start?: boolean
}

export interface UpdateEndpointInput {
  readonly size?: string | null | undefined
  readonly suspendAfterSeconds?: number | null | undefined
  readonly settings?: unknown
  readonly maxConnections?: number | null | undefined
}

export interface EndpointChange {
  readonly endpoint: Endpoint
  readonly operations: Operation[]
}

type LoadedEndpoint = Endpoint & { branch: Branch; project: Project }

export class EndpointService {
  readonly #app: App

  constructor(app: App) {
    this.#app = app
  }

  get(actor: Actor, endpointId: string): Promise<Result<LoadedEndpoint>> {
    return accessEndpoint(this.#app, actor, endpointId, 'project.view')
  }

  async create(actor: Actor, input: CreateEndpointInput, options: CallOptions = {}): Promise<Result<EndpointChange>> {
    const { operations, database } = this.#app
    return catchFailure(async () => {
      const branch = unwrap(await accessBranch(this.#app, actor, input.branchId, 'project.write'))
      const type = input.type ?? 'READ_WRITE'
      const size = unwrap(checkSize(input.size ?? SIZE_DEFAULT))
      const suspendAfterSeconds =
        input.suspendAfterSeconds === undefined || input.suspendAfterSeconds === null
          ? SUSPEND_SECONDS_DEFAULT
          : unwrap(checkSuspendAfter(input.suspendAfterSeconds))
      const settings = unwrap(checkSettings(input.settings ?? {}))
      if (type === 'READ_WRITE' && input.at)
        throw new FailureError(invalid('at', 'only a read-only endpoint shows a point in time').error)
      const point = type === 'READ_ONLY' ? unwrap(await settlePoint(this.#app, branch, input.at)) : null
      if (point !== null && point.timelineId !== branch.timelineId)
        throw new FailureError(invalid('at', 'the snapshot belongs to an earlier state of the branch').error)
      unwrap(await checkComputeQuota(this.#app, branch.project, { type }))
      const id = newEndpointId()
      const start = input.start ?? true
      const made = unwrap(
        await operations.submit({
          actor,
          projectId: branch.projectId,
          organizationId: branch.project.organizationId,
          requestId: options.requestId,
          operations: [
            {
              kind: 'create_compute',
              branchId: branch.id,
              endpointId: id,
              scope: [branch.id],
              input: { cause: 'endpoint created', start },
            },
          ],
          audit: { action: 'endpoint.create', subject: id, detail: { branchId: branch.id, type } },
          change: async (tx) => {
            const writer = await tx.endpoint.findFirst({ where: { branchId: branch.id, type: 'READ_WRITE' } })
            if (type === 'READ_WRITE' && writer)
              throw new FailureError(
                failure('CONFLICT', `the branch has a read-write endpoint already: ${writer.id}`).error,
              )
            await tx.endpoint.create({
              data: {
                id,
                projectId: branch.projectId,
                branchId: branch.id,
                type,
                desiredState: start ? 'RUNNING' : 'SUSPENDED',
                size: size.name,
                settings,
                suspendAfterSeconds,
                maxConnections: size.connectionsMax,
                atLsn: point?.lsn ?? null,
                atTime: point?.time ?? null,
                createdBy: actorName(actor),
              },
            })
          },
        }),
      )
      return { endpoint: await database.endpoint.findUniqueOrThrow({ where: { id } }), operations: made }
    })
  }

  /** Takes effect at the next start; a running compute is restarted when what changed needs it. */
  async update(
    actor: Actor,
    endpointId: string,
    input: UpdateEndpointInput,
    options: CallOptions = {},
  ): Promise<Result<EndpointChange>> {
    const { database } = this.#app
    return catchFailure(async () => {
      const endpoint = unwrap(await accessEndpoint(this.#app, actor, endpointId, 'project.write'))
      const data: Prisma.EndpointUpdateInput = {}
      if (typeof input.size === 'string') data.size = unwrap(checkSize(input.size)).name
      const size = findSizeClass(typeof input.size === 'string' ? input.size : endpoint.size)
      if (typeof input.maxConnections === 'number' && size)
        data.maxConnections = unwrap(checkMaxConnections(input.maxConnections, size))
      else if (typeof input.size === 'string' && size) data.maxConnections = size.connectionsMax
      if (input.settings !== undefined && input.settings !== null) data.settings = unwrap(checkSettings(input.settings))
      const needsRestart = Object.keys(data).length > 0
      if (input.suspendAfterSeconds !== undefined)
        data.suspendAfterSeconds = unwrap(checkSuspendAfter(input.suspendAfterSeconds))
      const note = { action: 'endpoint.update', subject: endpointId, detail: { fields: Object.keys(data) } }
      if (needsRestart && endpoint.computeId !== null && endpoint.desiredState === 'RUNNING') {
        const operations = unwrap(
          await this.#submit(actor, endpoint, 'restart_compute', 'settings changed', options, note, {
            change: async (tx) => {
              await tx.endpoint.update({ where: { id: endpointId }, data })
            },
          }),
        )
        return this.#changed(endpointId, operations)
      }
      await database.$transaction(async (tx) => {
        await tx.endpoint.update({ where: { id: endpointId }, data })
        await recordAudit(
          tx,
          actor,
          { ...note, organizationId: endpoint.project.organizationId, projectId: endpoint.projectId },
          options,
        )
      })
      this.#app.bus.publish('endpoint', { projectId: endpoint.projectId, endpointId })
      return this.#changed(endpointId, [])
    })
  }

  async delete(actor: Actor, endpointId: string, options: CallOptions = {}): Promise<Result<EndpointChange>> {
    return catchFailure(async () => {
      const endpoint = unwrap(await accessEndpoint(this.#app, actor, endpointId, 'project.write'))
      const note = { action: 'endpoint.delete', subject: endpointId }
      const operations = unwrap(
        await this.#submit(actor, endpoint, 'delete_compute', 'endpoint deleted', options, note, {
          change: async (tx) => {
            await tx.endpoint.update({ where: { id: endpointId }, data: { desiredState: 'SUSPENDED' } })
          },
        }),
      )
      return { endpoint, operations }
    })
  }

  /** Already running: no operation. */
  async start(
    actor: Actor,
    endpointId: string,
    options: CallOptions & { cause?: string } = {},
  ): Promise<Result<EndpointChange>> {
    return catchFailure(async () => {
      const endpoint = unwrap(await accessEndpoint(this.#app, actor, endpointId, 'project.write'))
      if (endpoint.state === 'ACTIVE' && endpoint.desiredState === 'RUNNING') return { endpoint, operations: [] }
      unwrap(await checkComputeQuota(this.#app, endpoint.project, endpoint))
      const note = { action: 'endpoint.start', subject: endpointId }
      const operations = unwrap(
        await this.#submit(actor, endpoint, 'start_compute', options.cause ?? 'started by request', options, note, {
          change: async (tx) => {
            await tx.endpoint.update({ where: { id: endpointId }, data: { desiredState: 'RUNNING', restartCount: 0 } })
          },
        }),
      )
      return this.#changed(endpointId, operations)
    })
  }

  async suspend(
    actor: Actor,
    endpointId: string,
    options: CallOptions & { onlyIfIdle?: boolean } = {},
  ): Promise<Result<EndpointChange>> {
    return catchFailure(async () => {
      const endpoint = unwrap(await accessEndpoint(this.#app, actor, endpointId, 'project.write'))
      if (endpoint.state === 'IDLE' && endpoint.desiredState === 'SUSPENDED') return { endpoint, operations: [] }
      const onlyIfIdle = options.onlyIfIdle === true
      const note = { action: 'endpoint.suspend', subject: endpointId }
      const operations = unwrap(
        await this.#submit(
          actor,
          endpoint,
          'suspend_compute',
          onlyIfIdle ? 'idle' : 'suspended by request',
          options,
          note,
          {
            input: { onlyIfIdle },
            change: async (tx) => {
              await tx.endpoint.update({ where: { id: endpointId }, data: { desiredState: 'SUSPENDED' } })
            },
          },
        ),
      )
      return this.#changed(endpointId, operations)
    })
  }

  async restart(actor: Actor, endpointId: string, options: CallOptions = {}): Promise<Result<EndpointChange>> {
    return this.#command(actor, endpointId, 'restart_compute', 'restarted by request', 'endpoint.restart', options)
  }

  async failover(actor: Actor, endpointId: string, options: CallOptions = {}): Promise<Result<EndpointChange>> {
    return catchFailure(async () => {
      const endpoint = unwrap(await accessEndpoint(this.#app, actor, endpointId, 'project.write'))
      if (endpoint.type !== 'READ_WRITE')
        throw new FailureError(failure('CONFLICT', 'only a read-write endpoint fails over').error)
      return unwrap(
        await this.#command(actor, endpointId, 'failover_compute', 'failover by request', 'endpoint.failover', options),
      )
    })
  }

  async #command(
    actor: Actor,
    endpointId: string,
    kind: OperationKind,
    cause: string,
    action: string,
    options: CallOptions,
  ): Promise<Result<EndpointChange>> {
    return catchFailure(async () => {
      const endpoint = unwrap(await accessEndpoint(this.#app, actor, endpointId, 'project.write'))
      unwrap(await checkComputeQuota(this.#app, endpoint.project, endpoint))
      const operations = unwrap(
        await this.#submit(
          actor,
          endpoint,
          kind,
          cause,
          options,
          { action, subject: endpointId },
          {
            change: async (tx) => {
              await tx.endpoint.update({
                where: { id: endpointId },
                data: { desiredState: 'RUNNING', restartCount: 0 },
              })
            },
          },
        ),
      )
      return this.#changed(endpointId, operations)
    })
  }

  #submit(
    actor: Actor,
    endpoint: LoadedEndpoint,
    kind: OperationKind,
    cause: string,
    options: CallOptions,
    audit: { action: string; subject: string; detail?: Prisma.InputJsonValue },
    more: {
      input?: Prisma.InputJsonObject
      change: NonNullable<Parameters<App['operations']['submit']>[0]['change']>
    },
  ): Promise<Result<Operation[]>> {
    return this.#app.operations.submit({
      actor,
      projectId: endpoint.projectId,
      organizationId: endpoint.project.organizationId,
      requestId: options.requestId,
      operations: [
        {
          kind,
          branchId: endpoint.branchId,
          endpointId: endpoint.id,
          scope: [endpoint.branchId],
          input: { cause, ...more.input },
        },
      ],
      audit,
      change: more.change,
    })
  }

  async #changed(endpointId: string, operations: Operation[]): Promise<EndpointChange> {
    return { endpoint: await this.#app.database.endpoint.findUniqueOrThrow({ where: { id: endpointId } }), operations }
  }
}
