import type { Actor, App, CallOptions } from '../../app.ts'
import { actorName } from '../../auth/permission.ts'
import type { QueryHistoryEntry, SavedQuery } from '../../generated/prisma/client.ts'
import { newUuid } from '../../shared/ids.ts'
import { catchFailure, FailureError, failure, invalid, notFound, type Result, unwrap } from '../../shared/result.ts'
import { accessProject } from '../access.ts'
import { checkName } from '../project/project-rules.ts'

const SQL_CHARACTERS_MAX = 100_000
const SAVED_PER_PROJECT_MAX = 500

export class SavedQueryService {
  readonly #app: App

  constructor(app: App) {
    this.#app = app
  }

  /** The caller has checked the project. */
  list(projectId: string): Promise<SavedQuery[]> {
    return this.#app.database.savedQuery.findMany({ where: { projectId }, orderBy: { name: 'asc' } })
  }

  history(projectId: string, first: number): Promise<QueryHistoryEntry[]> {
    return this.#app.database.queryHistoryEntry.findMany({
      where: { projectId },
      orderBy: { at: 'desc' },
      take: Math.min(Math.max(first, 0), 500),
    })
  }

  async save(
    actor: Actor,
    input: {
      projectId: string
      id?: string | null | undefined
      name: string
      sql: string
      engine: 'POSTGRES' | 'ANALYTICS'
    },
    _options: CallOptions = {},
  ): Promise<Result<SavedQuery>> {
    const { database } = this.#app
    return catchFailure(async () => {
      const { projectId } = unwrapProject(
        unwrap(await accessProject(this.#app, actor, input.projectId, 'project.write')),
      )
      const name = unwrap(checkName('name', input.name))
      if (input.sql.length > SQL_CHARACTERS_MAX)
        throw new FailureError(invalid('sql', `must have at most ${SQL_CHARACTERS_MAX} characters`).error)
      const data = { name, sql: input.sql, engine: input.engine }
      const named = await database.savedQuery.findUnique({ where: { projectId_name: { projectId, name } } })
      if (named && named.id !== input.id)
        throw new FailureError(failure('NAME_TAKEN', `name: there is a query ${name} already`, 'name').error)
      if (input.id) {
        const existing = await database.savedQuery.findFirst({ where: { id: input.id, projectId } })
        if (!existing) throw new FailureError(notFound('saved query').error)
        return database.savedQuery.update({ where: { id: input.id }, data })
      }
      if ((await database.savedQuery.count({ where: { projectId } })) >= SAVED_PER_PROJECT_MAX)
        throw new FailureError(
          failure('QUOTA_EXCEEDED', `a project may have ${SAVED_PER_PROJECT_MAX} saved queries`).error,
        )
      return database.savedQuery.create({ data: { id: newUuid(), projectId, ...data, createdBy: actorName(actor) } })
    })
  }

  async delete(actor: Actor, id: string): Promise<Result<null>> {
    return catchFailure(async () => {
      const found = await this.#app.database.savedQuery.findUnique({ where: { id } })
      if (!found) throw new FailureError(notFound('saved query').error)
      const project = await accessProject(this.#app, actor, found.projectId, 'project.write')
      if (!project.ok)
        throw new FailureError(project.error.code === 'NOT_FOUND' ? notFound('saved query').error : project.error)
      await this.#app.database.savedQuery.delete({ where: { id } })
      return null
    })
  }
}

const unwrapProject = (project: { id: string }) => ({ projectId: project.id })
