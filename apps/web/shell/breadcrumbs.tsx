'use client'

import { ChevronRight } from 'lucide-react'
import Link from 'next/link'
import { Fragment } from 'react'
import { OrganizationNavDocument } from '@/gql/graphql.ts'
import { routes } from '@/lib/routes.ts'
import { useGraphql } from '@/lib/use-graphql.ts'
import { isCurrent, navigationFor } from './navigation.ts'
import { useCurrentBranch, usePlace, useProjectNav } from './place.ts'

interface Crumb {
  label: string
  href: string
}

/** Pages of no organization and no project. */
const placeless: Readonly<Record<string, string>> = {
  [routes.account()]: 'Account',
  [routes.newOrganization()]: 'New organization',
}

/** The way down to this page. On a phone, its last two steps. */
export function Breadcrumbs() {
  const place = usePlace()
  const project = useProjectNav()
  const branch = useCurrentBranch()
  const slug = place.org ?? project?.organization.slug
  const { data } = useGraphql(OrganizationNavDocument, { slug: slug ?? '' }, { isEnabled: slug !== undefined })
  const page = navigationFor(place, undefined)
    .flatMap((group) => group.items)
    .find((item) => isCurrent(item, place.pathname))

  const crumbs: Crumb[] = []
  if (slug)
    crumbs.push({
      label: data?.organization?.name ?? project?.organization.name ?? slug,
      href: routes.organization(slug),
    })
  if (project) crumbs.push({ label: project.name, href: routes.project(project.id) })
  if (page && !page.isExact) crumbs.push({ label: page.label, href: page.href })
  if (project && branch && place.pathname.startsWith(routes.branch(project.id, branch.id))) {
    crumbs.push({ label: branch.name, href: routes.branch(project.id, branch.id) })
  }
  if (slug && place.pathname === routes.newProject(slug)) crumbs.push({ label: 'New project', href: place.pathname })
  const own = placeless[place.pathname]
  if (own) crumbs.push({ label: own, href: place.pathname })
  return (
    <nav aria-label="Breadcrumbs" className="min-w-0 flex-1">
      <ol className="flex min-w-0 items-center gap-1 text-data">
        {crumbs.map((crumb, index) => (
          <Fragment key={crumb.href}>
            {index > 0 ? (
              <ChevronRight
                aria-hidden="true"
                className={`size-3.5 shrink-0 text-ink-faint ${index < crumbs.length - 1 ? 'max-sm:hidden' : ''}`}
              />
            ) : null}
            <li className={`min-w-0 ${index < crumbs.length - 2 ? 'max-sm:hidden' : ''}`}>
              <Link
                href={crumb.href}
                aria-current={index === crumbs.length - 1 ? 'page' : undefined}
                className={`block truncate rounded-sm hover:text-ink ${index === crumbs.length - 1 ? 'font-medium text-ink' : 'text-ink-faint'}`}
              >
                {crumb.label}
              </Link>
            </li>
          </Fragment>
        ))}
      </ol>
    </nav>
  )
}
