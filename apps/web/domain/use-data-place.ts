import { useRouter, useSearchParams } from 'next/navigation'
import { type PlaceQuery, type ProjectPage, routes } from '@/lib/routes.ts'
import { type NavBranch, type ProjectNav, useCurrentBranch, useProjectNav } from '@/shell/place.ts'
import { type Moment, momentText, parseMoment, tip } from './moment.ts'

export interface DataPlace {
  project: ProjectNav | undefined
  /** undefined while loading, or when the address names a branch that is not there (any more). */
  branch: NavBranch | undefined
  isBranchGone: boolean
  database: string | undefined
  moment: Moment
  /** What the address says of a moment and cannot be read; the tip is shown instead. */
  unreadableMoment: string | undefined
  /** `schema.table`, as the address says. */
  table: string | undefined
  /** Changes parts of the place, in the address: it can be sent to others, and survives a reload. */
  go(change: PlaceQuery): void
}

/** Which data a page shows: branch, database, moment and table, all of them from the address. */
export function useDataPlace(projectId: string, page: ProjectPage): DataPlace {
  const router = useRouter()
  const search = useSearchParams()
  const project = useProjectNav()
  const branch = useCurrentBranch()
  const at = search.get('at') ?? undefined
  const parsed = parseMoment(at)
  const moment = parsed ?? tip
  const database = search.get('database') ?? branch?.databases[0]?.name
  const table = search.get('table') ?? undefined
  const go = (change: PlaceQuery) =>
    router.replace(
      routes.projectPage(projectId, page, { branch: branch?.id, database, at: momentText(moment), table, ...change }),
      { scroll: false },
    )
  return {
    project,
    branch,
    isBranchGone: project !== undefined && !branch,
    database,
    moment,
    unreadableMoment: parsed ? undefined : at,
    table,
    go,
  }
}
