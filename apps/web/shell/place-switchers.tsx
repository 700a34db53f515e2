'use client'

import { Building2, Database, GitBranch } from 'lucide-react'
import { usePathname } from 'next/navigation'
import { OrganizationNavDocument } from '@/gql/graphql.ts'
import { type ProjectPage, routes } from '@/lib/routes.ts'
import { useGraphql } from '@/lib/use-graphql.ts'
import { branchScopedPages } from './navigation.ts'
import { useCurrentBranch, usePlace, useProjectNav } from './place.ts'
import { useViewer } from './session-guard.tsx'
import { Switcher } from './switcher.tsx'
import { useFallbackOrganization } from './use-organization-nav.ts'

/** Organization, project and branch one above the other, as they contain each other. */
export function PlaceSwitchers() {
  const place = usePlace()
  const project = useProjectNav()
  const fallback = useFallbackOrganization()
  const slug = place.org ?? project?.organization.slug ?? fallback
  return (
    <div className="flex flex-col gap-0.5">
      <OrganizationSwitcher slug={slug} />
      {slug ? <ProjectSwitcher slug={slug} /> : null}
      {place.project ? <BranchSwitcher /> : null}
    </div>
  )
}

function OrganizationSwitcher({ slug }: { slug: string | undefined }) {
  const viewer = useViewer()
  const current = viewer?.organizations.find((each) => each.slug === slug)
  return (
    <Switcher
      kind="Organization"
      icon={<Building2 />}
      current={current ? { id: current.id, label: current.name } : undefined}
      items={(viewer?.organizations ?? []).map((each) => ({
        id: each.id,
        label: each.name,
        href: routes.organization(each.slug),
      }))}
      create={{ label: 'New organization', href: routes.newOrganization() }}
    />
  )
}

function ProjectSwitcher({ slug }: { slug: string }) {
  const { data } = useGraphql(OrganizationNavDocument, { slug })
  const project = useProjectNav()
  const organization = data?.organization
  return (
    <Switcher
      kind="Project"
      icon={<Database />}
      current={project ? { id: project.id, label: project.name } : undefined}
      items={(organization?.projects.nodes ?? []).map((each) => ({
        id: each.id,
        label: each.name,
        href: routes.project(each.id),
      }))}
      create={
        organization?.viewerCanCreateProject ? { label: 'New project', href: routes.newProject(slug) } : undefined
      }
    />
  )
}

function BranchSwitcher() {
  const project = useProjectNav()
  const current = useCurrentBranch()
  const pathname = usePathname()
  if (!project) return null
  const page = pathname.split('/')[3]
  const hrefOf = (branchId: string) =>
    page && branchScopedPages.has(page)
      ? routes.projectPage(project.id, page as ProjectPage, { branch: branchId })
      : routes.branch(project.id, branchId)
  return (
    <Switcher
      kind="Branch"
      icon={<GitBranch />}
      current={current ? { id: current.id, label: current.name } : undefined}
      items={project.branches.nodes.map((branch) => ({
        id: branch.id,
        label: branch.name,
        href: hrefOf(branch.id),
        badge: branch.isDefault ? <span className="text-ink-faint text-label">default</span> : undefined,
      }))}
    />
  )
}
