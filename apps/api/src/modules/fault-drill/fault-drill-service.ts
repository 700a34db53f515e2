import { errorText } from '@tributary/storage-engine/admin'
import type { Actor, App, CallOptions } from '../../app.ts'
import { actorName, can } from '../../auth/permission.ts'
import { superuserPassword } from '../../control-plane/compute-control.ts'
import type { Waker } from '../../control-plane/wake.ts'
import type { Branch, FaultDrill, Project } from '../../generated/prisma/client.ts'
import { newUuid } from '../../shared/ids.ts'
import { catchFailure, FailureError, failure, invalid, notFound, type Result, unwrap } from '../../shared/result.ts'
import { accessBranch, canInProject } from '../access.ts'
import { recordAudit } from '../audit/audit-service.ts'
import { DrillWorkload } from './drill-workload.ts'

export type FaultDrillKind = 'KILL_COMPUTE' | 'STOP_SAFEKEEPER' | 'KILL_SAFEKEEPER' | 'CUT_COMPUTE_FROM_QUORUM'

export interface FaultDrillInput {
  readonly projectId: string
  readonly branchId: string
  readonly kind: FaultDrillKind
  readonly safekeeperId?: number | null | undefined
  readonly seconds?: number | null | undefined
}

const SECONDS_MAX = 120
const WARM_UP_MS = 2000
const RECOVERY_MS_MAX = 120_000
const LOG_LINES_MAX = 100
const LIST_MAX = 100

/** Faults made on purpose under a measured workload: what was acknowledged must be found, and how long nothing could be. */
export class FaultDrillService {
  readonly #app: App
  readonly #waker: Waker
  #isRunning = false

  constructor(app: App, waker: Waker) {
    this.#app = app
    this.#waker = waker
  }

  async get(actor: Actor, drillId: string): Promise<Result<FaultDrill>> {
    const drill = await this.#app.database.faultDrill.findUnique({ where: { id: drillId } })
    const project = drill ? await this.#app.database.project.findUnique({ where: { id: drill.projectId } }) : null
    if (!drill || !project || !canInProject(actor, 'project.view', project)) return notFound('fault drill')
    return { ok: true, value: drill }
  }

  /** Newest first. The caller has checked the project. */
  async list(projectId: string, first: number): Promise<FaultDrill[]> {
    return this.#app.database.faultDrill.findMany({
      where: { projectId },
      orderBy: [{ startedAt: 'desc' }, { id: 'desc' }],
      take: Math.min(Math.max(first, 0), LIST_MAX),
    })
  }

  /** Answers when the drill has begun; `faultDrillChanged` follows it. One at a time: the fault touches all projects. */
  async start(actor: Actor, input: FaultDrillInput, options: CallOptions = {}): Promise<Result<FaultDrill>> {
    return catchFailure(async () => {
      const branch = unwrap(await accessBranch(this.#app, actor, input.branchId, 'project.write'))
      if (branch.projectId !== input.projectId) throw new FailureError(notFound('branch').error)
      if (!can(actor, 'stack.operate'))
        throw new FailureError(failure('NOT_ALLOWED', 'fault drills are for operators of this system').error)
      const seconds = input.seconds ?? 10
      if (!Number.isInteger(seconds) || seconds < 1 || seconds > SECONDS_MAX)
        throw new FailureError(invalid('seconds', `must be between 1 and ${SECONDS_MAX}`).error)
      const needsSafekeeper = input.kind === 'STOP_SAFEKEEPER' || input.kind === 'KILL_SAFEKEEPER'
      const safekeeperId = needsSafekeeper ? (input.safekeeperId ?? 1) : null
      if (safekeeperId !== null && ![1, 2, 3].includes(safekeeperId))
        throw new FailureError(invalid('safekeeperId', 'must be 1, 2 or 3').error)
      if (this.#isRunning)
        throw new FailureError(failure('OPERATION_IN_PROGRESS', 'another fault drill is running').error)
      this.#isRunning = true
      try {
        const drill = await this.#app.database.faultDrill.create({
          data: {
            id: newUuid(),
            projectId: branch.projectId,
            branchId: branch.id,
            kind: input.kind,
            state: 'RUNNING',
            safekeeperId,
            seconds,
            startedAt: new Date(),
            log: [],
            createdBy: actorName(actor),
          },
        })
        await recordAudit(
          this.#app.database,
          actor,
          {
            action: 'fault-drill.start',
            subject: branch.name,
            organizationId: branch.project.organizationId,
            projectId: branch.projectId,
            detail: { kind: input.kind, seconds },
          },
          options,
        )
        void this.#run(drill, branch).finally(() => {
          this.#isRunning = false
        })
        return drill
      } catch (error) {
        this.#isRunning = false
        throw error
      }
    })
  }

  async #run(drill: FaultDrill, branch: Branch & { project: Project }): Promise<void> {
    const log = async (line: string, more: Partial<FaultDrill> = {}) => {
      const { log: before } = await this.#app.database.faultDrill.findUniqueOrThrow({ where: { id: drill.id } })
      const seconds = ((Date.now() - drill.startedAt.getTime()) / 1000).toFixed(1)
      await this.#app.database.faultDrill.update({
        where: { id: drill.id },
        data: { ...more, log: [...before, `${seconds} s: ${line}`].slice(-LOG_LINES_MAX) },
      })
      this.#app.bus.publish('faultDrill', { projectId: drill.projectId, drillId: drill.id })
    }
    try {
      const endpoint = await this.#app.database.endpoint.findFirst({
        where: { branchId: branch.id, type: 'READ_WRITE' },
      })
      if (!endpoint) throw new Error('the branch has no read-write endpoint')
      unwrap(await this.#waker.wake(endpoint.id, { cause: 'fault drill' }))
      const current = () => this.#app.database.endpoint.findUnique({ where: { id: endpoint.id } })
      const workload = new DrillWorkload(
        async () => {
          const row = await current()
          return row?.state === 'ACTIVE' && row.host !== null && row.port !== null
            ? { host: row.host, port: row.port }
            : null
        },
        superuserPassword(this.#app, branch.project),
      )
      await workload.start()
      await log('4 writers commit one row at a time')
      await sleep(WARM_UP_MS)
      const acknowledgedBefore = workload.acknowledgedCount
      const heal = await this.#fault(drill, (await current())?.computeId ?? '', (line) =>
        log(line, { acknowledgedBefore }),
      )
      await sleep(drill.seconds * 1000)
      await heal()
      const deadlineMs = performance.now() + RECOVERY_MS_MAX
      while (workload.msSinceCommit > 500 && performance.now() < deadlineMs) await sleep(100)
      await sleep(WARM_UP_MS)
      const outcome = await workload.finish()
      await log(
        `${outcome.acknowledged} commits were acknowledged, ${outcome.acknowledged - outcome.lost} of them found, ${outcome.lost} lost`,
        {
          state: 'FINISHED',
          finishedAt: new Date(),
          foundAfter: outcome.found,
          lost: outcome.lost,
          unavailableMs: outcome.unavailableMs,
          maxCommitMs: outcome.maxCommitMs,
        },
      )
    } catch (error) {
      this.#app.log.warn({ drillId: drill.id, error: errorText(error) }, 'fault drill failed')
      await log(`failed: ${errorText(error)}`, { state: 'FAILED', finishedAt: new Date() }).catch(() => undefined)
    }
  }

  /** Makes the fault; what it returns mends it. */
  async #fault(
    drill: FaultDrill,
    computeId: string,
    log: (line: string) => Promise<void>,
  ): Promise<() => Promise<void>> {
    const { stack, computes } = this.#app
    const safekeeper = `safekeeper-${drill.safekeeperId}`
    switch (drill.kind as FaultDrillKind) {
      case 'KILL_COMPUTE':
        await log(`killing compute ${computeId}`)
        await computes.stopCompute(computeId, 'immediate')
        return async () => undefined
      case 'STOP_SAFEKEEPER':
        await log(`stopping ${safekeeper}`)
        await stack.processAction(safekeeper, 'stop')
        return async () => {
          await log(`starting ${safekeeper}`)
          await stack.processAction(safekeeper, 'start')
        }
      case 'KILL_SAFEKEEPER':
        await log(`killing ${safekeeper}; the supervisor starts it again`)
        await stack.processAction(safekeeper, 'kill')
        return async () => undefined
      case 'CUT_COMPUTE_FROM_QUORUM':
        await log(`cutting compute ${computeId} from all SafeKeepers`)
        await stack.cutLink(computeId, 'all', 'on')
        return async () => {
          await log('mending the links')
          await stack.cutLink(computeId, 'all', 'off').catch(() => undefined)
        }
    }
  }

  /** Drills of an earlier life of the API are over; a SafeKeeper that one of them stopped is started. */
  async endInterrupted(): Promise<void> {
    const drills = await this.#app.database.faultDrill.findMany({ where: { state: 'RUNNING' } })
    for (const drill of drills) {
      if (drill.kind === 'STOP_SAFEKEEPER')
        await this.#app.stack.processAction(`safekeeper-${drill.safekeeperId}`, 'start').catch(() => undefined)
      await this.#app.database.faultDrill.update({
        where: { id: drill.id },
        data: { state: 'FAILED', finishedAt: new Date(), log: [...drill.log, 'the API was restarted'] },
      })
    }
  }
}

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
