import DataLoader from 'dataloader'
import type { App } from '../app.ts'
import type {
  Branch,
  Database,
  Endpoint,
  FailoverReport,
  Operation,
  OperationStep,
  organization,
  Project,
  Role,
  Snapshot,
  StartReport,
} from '../generated/prisma/client.ts'
import type { LakeState } from '../modules/storage/lake-service.ts'
import type { UsageSummary } from '../modules/usage/usage-service.ts'
import type { Services } from '../services.ts'

/** Each field that many things may ask for in one request is read for all of them in one query. */
export interface Loaders {
  readonly project: DataLoader<string, Project | null>
  readonly organization: DataLoader<string, organization | null>
  readonly branch: DataLoader<string, Branch | null>
  readonly endpoint: DataLoader<string, Endpoint | null>
  readonly branchesOfProject: DataLoader<
    { projectId: string; first: number },
    { nodes: Branch[]; totalCount: number },
    string
  >
  readonly operationsOfProject: DataLoader<
    { projectId: string; first: number },
    { nodes: Operation[]; totalCount: number },
    string
  >
  readonly childrenOfBranch: DataLoader<string, Branch[]>
  readonly endpointsOfBranch: DataLoader<string, Endpoint[]>
  readonly endpointsOfProject: DataLoader<string, Endpoint[]>
  readonly rolesOfBranch: DataLoader<string, Role[]>
  readonly databasesOfBranch: DataLoader<string, Database[]>
  readonly snapshotsOfProject: DataLoader<string, Snapshot[]>
  readonly stepsOfOperation: DataLoader<string, OperationStep[]>
  readonly startsOfEndpoint: DataLoader<{ id: string; first: number }, StartReport[], string>
  readonly failoversOfEndpoint: DataLoader<{ id: string; first: number }, FailoverReport[], string>
  /** By oids, see LakeService.states. */
  readonly lakeOfBranch: DataLoader<string, ReadonlyMap<string, LakeState>>
  readonly usageOfProject: DataLoader<Project, UsageSummary, string>
}

/** `cache: false` for subscriptions, whose context outlives one answer. */
export function makeLoaders(app: App, services: Services, options: { readonly cache: boolean }): Loaders {
  const { database } = app
  const { cache } = options
  const byId = <Row extends { id: string }>(find: (ids: string[]) => Promise<Row[]>) =>
    new DataLoader<string, Row | null>(
      async (ids) => {
        const rows = new Map((await find([...ids])).map((row) => [row.id, row]))
        return ids.map((id) => rows.get(id) ?? null)
      },
      { cache },
    )
  const listsBy = <Row>(find: (keys: string[]) => Promise<Row[]>, keyOf: (row: Row) => string) =>
    new DataLoader<string, Row[]>(
      async (keys) => {
        const lists = new Map<string, Row[]>()
        for (const row of await find([...keys])) {
          const list = lists.get(keyOf(row))
          if (list) list.push(row)
          else lists.set(keyOf(row), [row])
        }
        return keys.map((key) => lists.get(key) ?? [])
      },
      { cache },
    )
  /** The first rows of each of many lists: a window function counts within each. */
  const firstOf = async (table: 'Branch' | 'Operation', order: string, ids: readonly string[], first: number) =>
    database.$queryRawUnsafe<{ id: string; owner: string; total: bigint }[]>(
      `SELECT id::text, owner, total FROM (
         SELECT id, "projectId" AS owner, count(*) OVER (PARTITION BY "projectId") AS total,
                row_number() OVER (PARTITION BY "projectId" ORDER BY ${order}) AS place
           FROM "${table}" WHERE "projectId" = ANY ($1)) AS ranked
        WHERE place <= greatest($2::int, 1) ORDER BY owner, place`,
      ids,
      first,
    )
  const pages = <Row extends { id: string }>(
    table: 'Branch' | 'Operation',
    order: string,
    find: (ids: string[]) => Promise<Row[]>,
  ) =>
    new DataLoader<{ projectId: string; first: number }, { nodes: Row[]; totalCount: number }, string>(
      async (keys) => {
        const first = Math.max(...keys.map((key) => key.first))
        const ranked = await firstOf(
          table,
          order,
          keys.map((key) => key.projectId),
          first,
        )
        const rows = new Map((first === 0 ? [] : await find(ranked.map(({ id }) => id))).map((row) => [row.id, row]))
        return keys.map((key) => {
          const own = ranked.filter(({ owner }) => owner === key.projectId)
          const nodes = own.slice(0, key.first).flatMap(({ id }) => rows.get(id) ?? [])
          return { nodes, totalCount: Number(own[0]?.total ?? 0) }
        })
      },
      { cache, cacheKeyFn: (key) => `${key.projectId}/${key.first}` },
    )
  const reports = <Row extends { endpointId: string }>(table: string, time: string) =>
    new DataLoader<{ id: string; first: number }, Row[], string>(
      async (keys) => {
        const first = Math.max(...keys.map((key) => key.first))
        const rows = await database.$queryRawUnsafe<Row[]>(
          `SELECT * FROM (SELECT *, row_number() OVER (PARTITION BY "endpointId" ORDER BY "${time}" DESC) AS place
             FROM "${table}" WHERE "endpointId" = ANY ($1)) AS ranked WHERE place <= $2::int ORDER BY "endpointId", place`,
          keys.map((key) => key.id),
          first,
        )
        return keys.map((key) => rows.filter((row) => row.endpointId === key.id).slice(0, key.first))
      },
      { cache, cacheKeyFn: (key) => `${key.id}/${key.first}` },
    )

  return {
    project: byId((ids) => database.project.findMany({ where: { id: { in: ids } } })),
    organization: byId((ids) => database.organization.findMany({ where: { id: { in: ids } } })),
    branch: byId((ids) => database.branch.findMany({ where: { id: { in: ids } } })),
    endpoint: byId((ids) => database.endpoint.findMany({ where: { id: { in: ids } } })),
    branchesOfProject: pages('Branch', '"createdAt", id', (ids) =>
      database.branch.findMany({ where: { id: { in: ids } } }),
    ),
    operationsOfProject: pages('Operation', 'seq DESC', (ids) =>
      database.operation.findMany({ where: { id: { in: ids } } }),
    ),
    childrenOfBranch: listsBy(
      (ids) => database.branch.findMany({ where: { parentId: { in: ids } }, orderBy: { createdAt: 'asc' } }),
      (row) => row.parentId ?? '',
    ),
    endpointsOfBranch: listsBy(
      (ids) => database.endpoint.findMany({ where: { branchId: { in: ids } }, orderBy: { createdAt: 'asc' } }),
      (row) => row.branchId,
    ),
    endpointsOfProject: listsBy(
      (ids) => database.endpoint.findMany({ where: { projectId: { in: ids } }, orderBy: { createdAt: 'asc' } }),
      (row) => row.projectId,
    ),
    rolesOfBranch: listsBy(
      (ids) => database.role.findMany({ where: { branchId: { in: ids } }, orderBy: { createdAt: 'asc' } }),
      (row) => row.branchId,
    ),
    databasesOfBranch: listsBy(
      (ids) => database.database.findMany({ where: { branchId: { in: ids } }, orderBy: { id: 'asc' } }),
      (row) => row.branchId,
    ),
    snapshotsOfProject: listsBy(
      (ids) => database.snapshot.findMany({ where: { projectId: { in: ids } }, orderBy: { createdAt: 'asc' } }),
      (row) => row.projectId,
    ),
    stepsOfOperation: listsBy(
      (ids) => database.operationStep.findMany({ where: { operationId: { in: ids } }, orderBy: { position: 'asc' } }),
      (row) => row.operationId,
    ),
    startsOfEndpoint: reports<StartReport>('StartReport', 'at'),
    failoversOfEndpoint: reports<FailoverReport>('FailoverReport', 'requestedAt'),
    lakeOfBranch: new DataLoader(
      async (ids) => {
        const branches = await database.branch.findMany({ where: { id: { in: [...ids] } }, include: { project: true } })
        return Promise.all(
          ids.map(async (id) => {
            const branch = branches.find((candidate) => candidate.id === id)
            return branch ? services.lake.states(branch) : new Map<string, LakeState>()
          }),
        )
      },
      { cache },
    ),
    usageOfProject: new DataLoader((projects) => services.usage.summaries(projects), {
      cache,
      cacheKeyFn: (project) => project.id,
    }),
  }
}
