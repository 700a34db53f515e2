'use client'

import { useParams, usePathname, useSearchParams } from 'next/navigation'
import { ProjectNavDocument, type ProjectNavQuery } from '@/gql/graphql.ts'
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

/** The project of the address with its branches; undefined while loading or outside a project. */
export function useProjectNav(): ProjectNav | undefined {
  const { project } = usePlace()
  const { data } = useGraphql(ProjectNavDocument, { id: project ?? '' }, { isEnabled: project !== undefined })
  return data?.project ?? undefined
}

export type NavBranch = ProjectNav['branches']['nodes'][number]

/** The branch the address names, else the project's default branch. */
export function useCurrentBranch(): NavBranch | undefined {
  const { branch } = usePlace()
  const project = useProjectNav()
  const id = branch ?? project?.defaultBranch.id
  return project?.branches.nodes.find((each) => each.id === id)
}
