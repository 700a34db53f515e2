import type pg from 'pg'
import type { Actor, App, CallOptions } from '../../app.ts'
import { superuserPassword, withSuperuser } from '../../control-plane/compute-control.ts'
import type { ReadOnlyComputes } from '../../control-plane/read-only-computes.ts'
import type { Branch, Project } from '../../generated/prisma/client.ts'
import { catchFailure, FailureError, failure, invalid, type Result, unwrap } from '../../shared/result.ts'
import { accessBranch } from '../access.ts'
import { type SettledPoint, settlePoint } from '../branch/branch-point.ts'
import type { PointInput } from '../branch/branch-rules.ts'
import { type CatalogSchema, readCatalog, readSchemaText } from './catalog-queries.ts'
import { unifiedDiff } from './unified-diff.ts'

export interface Catalog {
  readonly branchId: string
  readonly databaseOid: string
  readonly lsn: string
  readonly schemas: readonly CatalogSchema[]
}

export interface SchemaDiff {
  readonly left: string
  readonly right: string
  readonly unified: string
  readonly isEmpty: boolean
}

export interface SchemaMoment {
  readonly branchId: string
  readonly database: string
  readonly at?: PointInput | null | undefined
}

/** What is in a database at a moment of a branch. Never wakes an endpoint: a read-only compute shows what none runs for. */
export class CatalogService {
  readonly #app: App
  readonly #readOnly: ReadOnlyComputes

  constructor(app: App, readOnly: ReadOnlyComputes) {
    this.#app = app
    this.#readOnly = readOnly
  }

  async catalog(actor: Actor, moment: SchemaMoment, _options: CallOptions = {}): Promise<Result<Catalog>> {
    return catchFailure(async () => {
      const { point, value } = await this.#at(actor, moment, 'at', readCatalog)
      return { lsn: point.lsn, branchId: moment.branchId, ...value }
    })
  }

  async schemaText(actor: Actor, moment: SchemaMoment, field = 'at'): Promise<Result<{ lsn: string; text: string }>> {
    return catchFailure(async () => {
      const { point, value } = await this.#at(actor, moment, field, readSchemaText)
      return { lsn: point.lsn, text: value }
    })
  }

  /** From `left` to `right`. */
  async diff(actor: Actor, left: SchemaMoment, right: SchemaMoment): Promise<Result<SchemaDiff>> {
    return catchFailure(async () => {
      const [leftText, rightText] = [
        unwrap(await this.schemaText(actor, left, 'with')),
        unwrap(await this.schemaText(actor, right)),
      ]
      const names = { left: `${left.branchId} at ${leftText.lsn}`, right: `${right.branchId} at ${rightText.lsn}` }
      const unified = unifiedDiff(leftText.text, rightText.text, names)
      return { left: leftText.text, right: rightText.text, unified, isEmpty: unified === '' }
    })
  }

  async #at<Value>(
    actor: Actor,
    moment: SchemaMoment,
    field: string,
    read: (client: pg.Client) => Promise<Value>,
  ): Promise<{ point: SettledPoint; value: Value }> {
    const branch = unwrap(await accessBranch(this.#app, actor, moment.branchId, 'project.view'))
    const point = unwrap(await settlePoint(this.#app, branch, moment.at, field))
    const password = superuserPassword(this.#app, branch.project)
    try {
      const running = point.isTip ? await this.#runningCompute(branch) : null
      if (running) return { point, value: await withSuperuser(running, password, moment.database, read) }
      const value = unwrap(
        await this.#readOnly.use(branch.project, point.timelineId, point.lsn, (address) =>
          withSuperuser(address, password, moment.database, read),
        ),
      )
      return { point, value }
    } catch (error) {
      if (error instanceof FailureError) throw error
      const code = error instanceof Error && 'code' in error ? error.code : undefined
      if (code === '3D000')
        throw new FailureError(
          invalid('database', `the branch has no database ${moment.database} at ${point.lsn}`).error,
        )
      // The password of the superuser is set at the first start of a project's computes; before that moment nobody can look.
      if (code === '28P01')
        throw new FailureError(failure('INVALID_INPUT', `${field}: before the first start of the project`, field).error)
      throw error
    }
  }

  async #runningCompute(branch: Branch & { project: Project }) {
    const endpoint = await this.#app.database.endpoint.findFirst({
      where: { branchId: branch.id, type: 'READ_WRITE', state: 'ACTIVE', desiredState: 'RUNNING' },
    })
    if (!endpoint || endpoint.host === null || endpoint.port === null) return null
    return { host: endpoint.host, port: endpoint.port }
  }
}
