import { isStorageError } from '@tributary/storage-engine/admin'
import type { Actor, App, CallOptions } from '../../app.ts'
import { storageIds } from '../../control-plane/compute-control.ts'
import type { Branch, Operation, Project } from '../../generated/prisma/client.ts'
import { catchFailure, FailureError, invalid, type Result, unwrap } from '../../shared/result.ts'
import { accessBranch } from '../access.ts'

export interface LakeState {
  /** `schema.name` as of the newest version. */
  readonly name: string
  readonly deltaVersion: number
  readonly layerLsn: string
  readonly files: number
  readonly bytes: number
  /** Visible rows. */
  readonly rows: number
  /** Key prefix of the Delta table in the object store. */
  readonly path: string
  /** For readers outside: a folder, or `s3://…`. Null: this API does not know where the object store is. */
  readonly uri: string | null
}

export interface StorageReportView {
  readonly kinds: readonly { readonly kind: string; readonly objects: number; readonly bytes: number }[]
  readonly duplicates: readonly {
    /** Null: a timeline of a snapshot, or of a branch that was deleted. */
    readonly branchName: string | null
    readonly what: string
    readonly why: string
    readonly objects: number
    /** Of the objects concerned, whole: an upper bound. */
    readonly bytes: number
  }[]
  readonly exceptions: readonly {
    readonly branchName: string | null
    readonly tableOid: number
    /** `schema.name`; null: not published on a branch that is there. */
    readonly tableName: string | null
    readonly what: string
    readonly why: string
    readonly count: number
  }[]
  readonly generatedAt: Date
}

/** User tables as columns: published Delta tables, and what a project keeps in the object store. */
export class LakeService {
  readonly #app: App

  constructor(app: App) {
    this.#app = app
  }

  /** `table`: `schema.name` in `database`; all tables when it is not given. */
  async publish(
    actor: Actor,
    input: { branchId: string; database?: string | null | undefined; table?: string | null | undefined },
    options: CallOptions = {},
  ): Promise<Result<Operation[]>> {
    return catchFailure(async () => {
      const branch = unwrap(await accessBranch(this.#app, actor, input.branchId, 'project.write'))
      const table = input.table ? await this.#table(branch, input.table, input.database) : null
      return unwrap(
        await this.#app.operations.submit({
          actor,
          projectId: branch.projectId,
          organizationId: branch.project.organizationId,
          requestId: options.requestId,
          mayWait: true,
          operations: [{ kind: 'publish_lake', branchId: branch.id, scope: [`lake:${branch.id}`], input: { table } }],
          audit: { action: 'lake.publish', subject: input.table ?? branch.name, detail: { branchId: branch.id } },
        }),
      )
    })
  }

  async #table(branch: Branch, text: string, database: string | null | undefined) {
    const [schema, name, ...rest] = text.split('.')
    if (!schema || !name || rest.length > 0) throw new FailureError(invalid('table', 'must be schema.name').error)
    const first = await this.#app.database.database.findFirst({
      where: { branchId: branch.id },
      orderBy: { id: 'asc' },
    })
    const found = database ?? first?.name
    if (found === undefined) throw new FailureError(invalid('database', 'the branch has no database').error)
    return { database: found, schema, name }
  }

  /** By `<oid of the database>/<oid of the table>`. The caller has checked the branch. */
  async states(branch: Branch & { project: Project }): Promise<ReadonlyMap<string, LakeState>> {
    const { projectId, timelineId } = storageIds(branch.project, branch)
    const tables = await this.#app.storage.deltaTables(projectId, timelineId).catch((error: unknown) => {
      if (isStorageError(error)) return []
      throw error
    })
    return new Map(
      tables.map((table) => [
        `${table.database}/${table.tableOid}`,
        {
          name: table.name,
          deltaVersion: table.version,
          layerLsn: table.lsn,
          files: table.fileCount,
          bytes: table.fileBytes,
          rows: table.physicalRows - table.maskedRows,
          path: table.path,
          uri: tableUri(this.#app.config.objectStoreRoot, table.path),
        },
      ]),
    )
  }

  /** The caller has checked the project. Lists the project's objects: not for lists of projects. */
  async report(project: Project): Promise<StorageReportView> {
    const { projectId } = storageIds(project, { timelineId: project.storageId })
    const [report, branches] = await Promise.all([
      this.#app.storage.storageReport(projectId),
      this.#app.database.branch.findMany({ where: { projectId: project.id }, include: { project: true } }),
    ])
    const byTimeline = new Map(branches.map((branch) => [branch.timelineId, branch]))
    const concerned = new Set(report.exceptions.map(({ timelineId }) => byTimeline.get(timelineId)))
    const tableNames = new Map<string, string>()
    for (const branch of concerned) {
      if (!branch) continue
      for (const [id, { name }] of await this.states(branch)) tableNames.set(`${branch.timelineId}/${id}`, name)
    }
    const branchName = (timelineId: string) => byTimeline.get(timelineId)?.name ?? null
    return {
      kinds: report.byKind.map(({ kind, objectCount, sizeBytes }) => ({
        kind,
        objects: objectCount,
        bytes: sizeBytes,
      })),
      duplicates: report.storedTwice.map(({ timelineId, what, why, objectCount, sizeBytes }) => ({
        branchName: branchName(timelineId),
        what,
        why,
        objects: objectCount,
        bytes: sizeBytes,
      })),
      exceptions: report.exceptions.map(({ timelineId, database, tableOid, what, why, count }) => ({
        branchName: branchName(timelineId),
        tableOid,
        tableName: tableNames.get(`${timelineId}/${database}/${tableOid}`) ?? null,
        what,
        why,
        count,
      })),
      generatedAt: new Date(),
    }
  }
}

function tableUri(root: string | undefined, path: string): string | null {
  return root === undefined ? null : `${root.replace(/\/+$/, '')}/${path.replace(/\/+$/, '')}`
}
