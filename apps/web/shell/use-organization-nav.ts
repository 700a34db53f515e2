'use client'

import { OrganizationNavDocument, type OrganizationNavQuery } from '@/gql/graphql.ts'
import { useGraphql } from '@/lib/use-graphql.ts'
import { usePlace, useProjectNav } from './place.ts'

/** The organization of the address, or of the project in it, with the projects one can go to. */
export function useOrganizationNav(): NonNullable<OrganizationNavQuery['organization']> | undefined {
  const { org } = usePlace()
  const project = useProjectNav()
  const slug = org ?? project?.organization.slug
  const { data } = useGraphql(OrganizationNavDocument, { slug: slug ?? '' }, { isEnabled: slug !== undefined })
  return data?.organization ?? undefined
}
