import type { Actor, App, CallOptions } from '../../app.ts'
import type { ConfigChange } from '../../control-plane/handlers/config-handlers.ts'
import type { Transaction } from '../../db/database.ts'
import type { Database, Operation } from '../../generated/prisma/client.ts'
import { catchFailure, FailureError, failure, invalid, notFound, type Result, unwrap } from '../../shared/result.ts'
import { accessBranch } from '../access.ts'
import { checkDatabaseName } from '../project/project-rules.ts'
import { checkComputeQuota } from '../project/quota.ts'

export interface DatabaseChange {
  readonly database: Database
  readonly operations: Operation[]
}

export class DatabaseService {
  readonly #app: App

  constructor(app: App) {
    this.#app = app
  }

  async list(actor: Actor, branchId: string): Promise<Result<Database[]>> {
    return catchFailure(async () => {
      unwrap(await accessBranch(this.#app, actor, branchId, 'project.view'))
      return this.#app.database.database.findMany({ where: { branchId }, orderBy: { id: 'asc' } })
    })
  }

  async get(actor: Actor, branchId: string, name: string): Promise<Result<Database>> {
    return catchFailure(async () => {
      unwrap(await accessBranch(this.#app, actor, branchId, 'project.view'))
      return this.#find(branchId, name)
    })
  }

  async create(
    actor: Actor,
    input: { branchId: string; name: string; ownerName: string },
    options: CallOptions = {},
  ): Promise<Result<DatabaseChange>> {
    return catchFailure(async () => {
      const { branchId, ownerName } = input
      const name = unwrap(checkDatabaseName('name', input.name))
      const operations = await this.#submit(
        actor,
        branchId,
        'database.create',
        name,
        { change: 'sync' },
        options,
        async (tx) => {
          await requireOwner(tx, branchId, ownerName)
          await refuseTakenName(tx, branchId, name)
          await tx.database.create({ data: { branchId, name, ownerName } })
        },
      )
      return { database: await this.#find(branchId, name), operations }
    })
  }

  async update(
    actor: Actor,
    input: {
      branchId: string
      name: string
      newName?: string | null | undefined
      ownerName?: string | null | undefined
    },
    options: CallOptions = {},
  ): Promise<Result<DatabaseChange>> {
    return catchFailure(async () => {
      const { branchId, name } = input
      unwrap(await accessBranch(this.#app, actor, branchId, 'project.write'))
      const database = await this.#find(branchId, name)
      const newName =
        input.newName && input.newName !== name ? unwrap(checkDatabaseName('newName', input.newName)) : null
      const ownerName = input.ownerName && input.ownerName !== database.ownerName ? input.ownerName : null
      if (newName === null && ownerName === null) return { database, operations: [] }
      const change: ConfigChange = { change: 'alter-database', name, newName, ownerName }
      const operations = await this.#submit(actor, branchId, 'database.update', name, change, options, async (tx) => {
        if (ownerName !== null) await requireOwner(tx, branchId, ownerName)
        if (newName !== null) await refuseTakenName(tx, branchId, newName)
      })
      return { database, operations }
    })
  }

  async delete(
    actor: Actor,
    branchId: string,
    name: string,
    options: CallOptions = {},
  ): Promise<Result<DatabaseChange>> {
    return catchFailure(async () => {
      unwrap(await accessBranch(this.#app, actor, branchId, 'project.write'))
      const database = await this.#find(branchId, name)
      const operations = await this.#submit(
        actor,
        branchId,
        'database.delete',
        name,
        { change: 'drop-database', name },
        options,
      )
      return { database, operations }
    })
  }

  async #submit(
    actor: Actor,
    branchId: string,
    action: string,
    subject: string,
    input: ConfigChange,
    options: CallOptions,
    change?: (tx: Transaction) => Promise<void>,
  ): Promise<Operation[]> {
    const branch = unwrap(await accessBranch(this.#app, actor, branchId, 'project.write'))
    unwrap(await checkComputeQuota(this.#app, branch.project))
    return unwrap(
      await this.#app.operations.submit({
        actor,
        projectId: branch.projectId,
        organizationId: branch.project.organizationId,
        requestId: options.requestId,
        operations: [{ kind: 'apply_config', branchId, scope: [branchId], input: { ...input } }],
        audit: { action, subject, detail: { branchId } },
        ...(change ? { change } : {}),
      }),
    )
  }

  async #find(branchId: string, name: string): Promise<Database> {
    const database = await this.#app.database.database.findUnique({ where: { branchId_name: { branchId, name } } })
    if (!database) throw new FailureError(notFound('database').error)
    return database
  }
}

async function requireOwner(tx: Transaction, branchId: string, ownerName: string): Promise<void> {
  const owner = await tx.role.findUnique({ where: { branchId_name: { branchId, name: ownerName } } })
  if (!owner) throw new FailureError(invalid('ownerName', `the branch has no role ${ownerName}`).error)
}

async function refuseTakenName(tx: Transaction, branchId: string, name: string): Promise<void> {
  const taken = await tx.database.findUnique({ where: { branchId_name: { branchId, name } } })
  if (taken)
    throw new FailureError(failure('NAME_TAKEN', `name: the branch has a database ${name} already`, 'name').error)
}
