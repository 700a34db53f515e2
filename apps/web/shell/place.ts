'use client'

import { useParams, usePathname, useSearchParams } from 'next/navigation'
import { useMemo } from 'react'
import { NavBranchDocument, ProjectNavDocument, type ProjectNavQuery } from '@/gql/graphql.ts'
import { useGraphql } from '@/lib/use-graphql.ts'

export type ProjectNav = NonNullable<ProjectNavQuery['project']>

/** Which organization, project and branch the address names. */
export function usePlace(): { org?: string; project?: string; branch?: string; pathname: string } {
  const params = useParams<{ org?: string; project?: string; branch?: string }>()
  const search = useSearchParams()
  const decode = (text: string | undefined) => (text === undefined ? undefined : decodeURIComponent(text))
  return {
    org: decode(params.org),
    project: decode(params.project),
    branch: decode(params.branch) ?? search.get('branch') ?? undefined,
    pathname: usePathname(),
  }
}

/**
 * The project of the address with its branches; undefined while loading or outside a project. A project may have more branches than
 * are loaded here; the one of the address is among them, unless it is gone.
 */
export function useProjectNav(): ProjectNav | undefined {
  const { project, branch } = usePlace()
  const { data } = useGraphql(ProjectNavDocument, { id: project ?? '' }, { isEnabled: project !== undefined })
  const nav = data?.project ?? undefined
  const isBeyond = nav !== undefined && branch !== undefined && isBeyondLoaded(nav.branches, branch)
  const extra = useGraphql(
    NavBranchDocument,
    { projectId: project ?? '', branchId: branch ?? '' },
    { isEnabled: isBeyond },
  )
  const found = extra.data?.project?.branch
  return useMemo(() => {
    if (!isBeyond || !nav) return nav
    if (extra.isPending) return undefined
    return found ? { ...nav, branches: { ...nav.branches, nodes: [...nav.branches.nodes, found] } } : nav
  }, [nav, isBeyond, extra.isPending, found])
}

/** The project of the address is gone, or not for this reader. */
export function useIsProjectMissing(): boolean {
  const { project } = usePlace()
  const { data } = useGraphql(ProjectNavDocument, { id: project ?? '' }, { isEnabled: project !== undefined })
  return data?.project === null
}

/** Whether a branch that is not among the loaded ones may still exist. */
export function isBeyondLoaded(
  branches: { totalCount: number; nodes: readonly { id: string }[] },
  branchId: string,
): boolean {
  return branches.totalCount > branches.nodes.length && branches.nodes.every(({ id }) => id !== branchId)
}

export type NavBranch = ProjectNav['branches']['nodes'][number]

/** The branch the address names, else the project's default branch. */
export function useCurrentBranch(): NavBranch | undefined {
  const { branch } = usePlace()
  const project = useProjectNav()
  const id = branch ?? project?.defaultBranch.id
  return project?.branches.nodes.find((each) => each.id === id)
}
