import { errorText } from '@tributary/storage-engine/admin'
import pg from 'pg'
import type { Actor, App, CallOptions } from '../../app.ts'
import { systemActor } from '../../auth/permission.ts'
import type { Waker } from '../../control-plane/wake.ts'
import type { Operation, Project } from '../../generated/prisma/client.ts'
import { pause } from '../../shared/pause.ts'
import { catchFailure, FailureError, notFound, type Result, unwrap } from '../../shared/result.ts'
import { accessProject } from '../access.ts'
import { recordAudit } from '../audit/audit-service.ts'
import { BranchService } from '../branch/branch-service.ts'
import { ProjectService } from '../project/project-service.ts'
import { openRolePassword } from '../role/role-password.ts'
import { SnapshotService } from '../snapshot/snapshot-service.ts'
import { DEMO_DATABASE, demoOrder, demoRows, demoTables } from './demo-data.ts'

const SETTING = 'demo'
const OPERATION_MS_MAX = 180_000
/** Between two orders of the trickle. */
const TRICKLE_MS = 1500
const RETRY_MS = 5000

interface DemoState {
  projectId: string
  /** How far the making has come: each part is done once. */
  done: ('data' | 'snapshot' | 'branches')[]
  workload: boolean
}

/** The project of a first start, with sample data and a trickle of transactions that can be switched off. */
export class DemoProject {
  #app: App | undefined
  #waker: Waker | undefined
  #state: DemoState | undefined

  /** Its parts need the app, which holds it. */
  attach(app: App, waker: Waker): void {
    this.#app = app
    this.#waker = waker
  }

  async load(): Promise<void> {
    const row = await this.#needApp().database.setting.findUnique({ where: { key: SETTING } })
    if (row) this.#state = row.value as unknown as DemoState
  }

  isRunning(): boolean {
    return this.#state?.workload ?? false
  }

  async project(): Promise<Project | null> {
    if (!this.#state) return null
    const project = await this.#needApp().database.project.findUnique({ where: { id: this.#state.projectId } })
    return project && project.deletedAt === null ? project : null
  }

  async setRunning(actor: Actor, running: boolean, options: CallOptions): Promise<Result<null>> {
    return catchFailure(async () => {
      const app = this.#needApp()
      const project = await this.project()
      if (!project || !this.#state) throw new FailureError(notFound('demo project').error)
      unwrap(await accessProject(app, actor, project.id, 'project.write'))
      await recordAudit(
        app.database,
        actor,
        {
          action: running ? 'demo.resume' : 'demo.pause',
          subject: project.name,
          organizationId: project.organizationId,
          projectId: project.id,
        },
        options,
      )
      await this.#save({ ...this.#state, workload: running })
      return null
    })
  }

  /** Makes what is not made yet, and answers with a connection string that opens it. Throws when a part fails. */
  async make(
    organizationId: string,
    uriOf: (endpointId: string, role: string, password: string) => string,
  ): Promise<string> {
    const app = this.#needApp()
    const actor = systemActor('first start')
    if (!this.#state) {
      const made = unwrap(
        await new ProjectService(app).create(actor, {
          organizationId,
          name: 'demo',
          databaseName: DEMO_DATABASE,
          isDemo: true,
        }),
      )
      await this.#save({ projectId: made.project.id, done: [], workload: false })
      await this.#finish(made.operations)
    }
    const project = await this.project()
    if (!project) throw new Error('the demo project was deleted')
    const branchId = project.defaultBranchId ?? ''
    const login = await this.#login(project, branchId)
    await this.#once('data', () => this.#fill(login))
    await this.#once('snapshot', async () => {
      unwrap(await new SnapshotService(app).create(actor, { branchId, name: 'after the import' }))
    })
    await this.#once('branches', async () => {
      for (const [name, withEndpoint] of [
        ['development', true],
        ['experiment', false],
      ] as const) {
        if (await app.database.branch.findUnique({ where: { projectId_name: { projectId: project.id, name } } }))
          continue
        const made = unwrap(
          await new BranchService(app).create(actor, { projectId: project.id, parentId: branchId, name, withEndpoint }),
        )
        await this.#finish(made.operations)
      }
      if (this.#state) await this.#save({ ...this.#state, workload: true })
    })
    return uriOf(login.endpointId, login.user, login.password)
  }

  /** The trickle: writes while it is switched on and the endpoint runs; never wakes it. */
  async runWorkload(signal: AbortSignal): Promise<void> {
    let client: pg.Client | undefined
    let port: number | undefined
    while (!signal.aborted) {
      await pause(TRICKLE_MS, signal)
      if (!this.#state?.workload) continue
      try {
        const project = await this.project()
        if (!project) continue
        const endpoint = await this.#needApp().database.endpoint.findFirst({
          where: {
            branchId: project.defaultBranchId ?? '',
            type: 'READ_WRITE',
            state: 'ACTIVE',
            desiredState: 'RUNNING',
          },
        })
        if (!endpoint?.host || !endpoint.port) continue
        if (client && port !== endpoint.port) {
          await client.end().catch(() => undefined)
          client = undefined
        }
        if (!client) {
          const login = await this.#login(project, endpoint.branchId)
          client = await connect({ host: endpoint.host, port: endpoint.port }, login)
          port = endpoint.port
        }
        await client.query(demoOrder)
      } catch (error) {
        this.#needApp().log.debug({ error: errorText(error) }, 'the demo workload goes on later')
        await client?.end().catch(() => undefined)
        client = undefined
        await pause(RETRY_MS, signal)
      }
    }
    await client?.end().catch(() => undefined)
  }

  async #fill(login: { endpointId: string; user: string; password: string }): Promise<void> {
    const address = unwrap(await this.#needWaker().wake(login.endpointId, { cause: 'demo data' }))
    const client = await connect(address, login)
    try {
      await client.query('BEGIN')
      const { rows } = await client.query<{ made: boolean }>(
        `SELECT to_regclass('public.lineitem') IS NOT NULL AS made`,
      )
      if (!rows[0]?.made) for (const sql of [...demoTables, ...demoRows]) await client.query(sql)
      await client.query('COMMIT')
    } finally {
      await client.end().catch(() => undefined)
    }
  }

  async #login(project: Project, branchId: string) {
    const app = this.#needApp()
    const [endpoint, database] = await Promise.all([
      app.database.endpoint.findFirstOrThrow({ where: { branchId, type: 'READ_WRITE' } }),
      app.database.database.findUniqueOrThrow({ where: { branchId_name: { branchId, name: DEMO_DATABASE } } }),
    ])
    const role = await app.database.role.findUniqueOrThrow({
      where: { branchId_name: { branchId, name: database.ownerName } },
    })
    if (role.passwordSealed === null) throw new Error('the password of the demo role is not known')
    const password = openRolePassword(app.secrets, project.id, role.name, role.passwordSealed)
    return { endpointId: endpoint.id, user: role.name, password }
  }

  async #once(part: DemoState['done'][number], work: () => Promise<void>): Promise<void> {
    if (this.#state?.done.includes(part)) return
    await work()
    if (this.#state) await this.#save({ ...this.#state, done: [...this.#state.done, part] })
  }

  async #finish(operations: readonly Operation[]): Promise<void> {
    for (const { id } of operations) {
      const ended = await this.#needApp().operations.waitForEnd(id, AbortSignal.timeout(OPERATION_MS_MAX))
      if (ended.state !== 'FINISHED')
        throw new Error(`${ended.kind} of the demo project: ${ended.error ?? ended.state}`)
    }
  }

  async #save(state: DemoState): Promise<void> {
    this.#state = state
    const value = JSON.parse(JSON.stringify(state))
    await this.#needApp().database.setting.upsert({
      where: { key: SETTING },
      create: { key: SETTING, value },
      update: { value },
    })
  }

  #needApp(): App {
    if (!this.#app) throw new Error('the demo project is not attached')
    return this.#app
  }

  #needWaker(): Waker {
    if (!this.#waker) throw new Error('the demo project is not attached')
    return this.#waker
  }
}

async function connect(
  address: { host: string; port: number },
  login: { user: string; password: string },
): Promise<pg.Client> {
  const client = new pg.Client({
    ...address,
    user: login.user,
    password: login.password,
    database: DEMO_DATABASE,
    application_name: 'demo-workload',
    connectionTimeoutMillis: 5000,
    query_timeout: 120_000,
  })
  client.on('error', () => undefined)
  await client.connect()
  return client
}
