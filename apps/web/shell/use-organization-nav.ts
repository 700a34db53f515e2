'use client'

import { OrganizationNavDocument, type OrganizationNavQuery } from '@/gql/graphql.ts'
import { useGraphql } from '@/lib/use-graphql.ts'
import { usePlace, useProjectNav } from './place.ts'
import { useViewer } from './session-guard.tsx'

/** The organization of the address, or of the project in it, with the projects one can go to. */
export function useOrganizationNav(): NonNullable<OrganizationNavQuery['organization']> | undefined {
  const { org } = usePlace()
  const project = useProjectNav()
  const slug = org ?? project?.organization.slug
  const { data } = useGraphql(OrganizationNavDocument, { slug: slug ?? '' }, { isEnabled: slug !== undefined })
  return data?.organization ?? undefined
}

/** On pages of no organization, such as the account: the reader's first one, so that there is a way on. */
export function useFallbackOrganization(): string | undefined {
  const { org, project } = usePlace()
  const viewer = useViewer()
  return org === undefined && project === undefined ? viewer?.organizations[0]?.slug : undefined
}
