'use client'

import { Command } from 'cmdk'
import {
  ArrowRight,
  Building2,
  Camera,
  Cpu,
  Database,
  GitBranch,
  Keyboard,
  Moon,
  Plus,
  Sun,
  TriangleAlert,
  Undo2,
  Waves,
} from 'lucide-react'
import { useRouter } from 'next/navigation'
import { useTheme } from 'next-themes'
import type { ReactNode } from 'react'
import { routes } from '@/lib/routes.ts'
import { morePages, navigationFor } from './navigation.ts'
import { useCurrentBranch, usePlace, useProjectNav } from './place.ts'
import { useViewer } from './session-guard.tsx'
import { useOrganizationNav } from './use-organization-nav.ts'

/** Everything one can go to or do from here, by a few letters of its name. Loaded when it is first opened. */
export default function CommandMenu({
  isOpen,
  onOpenChange,
  onShowShortcuts,
}: {
  isOpen: boolean
  onOpenChange(isOpen: boolean): void
  onShowShortcuts(): void
}) {
  const router = useRouter()
  const { setTheme, resolvedTheme } = useTheme()
  const place = usePlace()
  const viewer = useViewer()
  const project = useProjectNav()
  const branch = useCurrentBranch()
  const organization = useOrganizationNav()
  const pages = [
    ...navigationFor(place, branch?.id).flatMap((group) => group.items),
    ...morePages({ projectId: place.project, organization }),
  ]

  const act = (action: () => void) => () => {
    onOpenChange(false)
    action()
  }
  const go = (href: string) => act(() => router.push(href))

  return (
    <Command.Dialog
      open={isOpen}
      onOpenChange={onOpenChange}
      label="Command menu"
      loop
      overlayClassName="fixed inset-0 z-40 animate-appear bg-veil"
      contentClassName="fixed inset-x-4 top-[12vh] z-40 mx-auto max-w-xl animate-surface overflow-hidden rounded-lg border border-line bg-raised shadow-raised"
    >
      <Command.Input
        placeholder="Go to a page, project or branch…"
        className="h-12 w-full border-line border-b bg-transparent px-4 text-lead outline-none"
      />
      <Command.List className="max-h-[min(26rem,60vh)] overflow-y-auto p-1.5">
        <Command.Empty className="px-3 py-8 text-center text-data text-ink-faint">
          Nothing of that name here
        </Command.Empty>
        {pages.length > 0 ? (
          <Group heading="Pages">
            {pages.map((page) => (
              <Item
                key={page.href}
                value={`page ${page.label} ${page.href}`}
                onSelect={go(page.href)}
                icon={<page.icon />}
              >
                {page.label}
              </Item>
            ))}
          </Group>
        ) : null}
        <Group heading="Actions">
          {project?.viewerCanWrite ? (
            <Item
              value="create branch"
              icon={<Plus />}
              onSelect={go(`${routes.projectPage(project.id, 'branches')}?create=1`)}
            >
              Create branch
            </Item>
          ) : null}
          {project?.viewerCanWrite && branch ? (
            <>
              <Item
                value="create snapshot branch point in time"
                icon={<Camera />}
                onSelect={go(routes.branch(project.id, branch.id))}
              >
                Take a snapshot of {branch.name}
              </Item>
              <Item
                value="create compute endpoint failover suspend start restart"
                icon={<Cpu />}
                onSelect={go(routes.projectPage(project.id, 'computes'))}
              >
                Start, suspend or fail over a compute
              </Item>
              <Item
                value="restore point in time undo"
                icon={<Undo2 />}
                onSelect={go(routes.projectPage(project.id, 'restore', { branch: branch.id }))}
              >
                Restore {branch.name}
              </Item>
              <Item
                value="publish table lake delta parquet"
                icon={<Waves />}
                onSelect={go(routes.projectPage(project.id, 'tables', { branch: branch.id }))}
              >
                Publish a table as Delta
              </Item>
              <Item
                value="fault drill kill stop safekeeper"
                icon={<TriangleAlert />}
                onSelect={go(routes.projectPage(project.id, 'storage', { branch: branch.id }))}
              >
                Run a fault drill
              </Item>
            </>
          ) : null}
          {organization?.viewerCanCreateProject ? (
            <Item value="create project" icon={<Plus />} onSelect={go(routes.newProject(organization.slug))}>
              Create project
            </Item>
          ) : null}
          <Item value="create organization" icon={<Plus />} onSelect={go(routes.newOrganization())}>
            Create organization
          </Item>
          <Item value="keyboard shortcuts help" icon={<Keyboard />} onSelect={act(onShowShortcuts)}>
            Keyboard shortcuts
          </Item>
          <Item
            value="theme light dark"
            icon={resolvedTheme === 'dark' ? <Sun /> : <Moon />}
            onSelect={act(() => setTheme(resolvedTheme === 'dark' ? 'light' : 'dark'))}
          >
            {resolvedTheme === 'dark' ? 'Light theme' : 'Dark theme'}
          </Item>
        </Group>
        {project ? (
          <Group heading="Branches">
            {project.branches.nodes.map((each) => (
              <Item
                key={each.id}
                value={`branch ${each.name} ${each.id}`}
                icon={<GitBranch />}
                onSelect={go(routes.branch(project.id, each.id))}
              >
                {each.name}
              </Item>
            ))}
          </Group>
        ) : null}
        {organization ? (
          <Group heading="Projects">
            {organization.projects.nodes.map((each) => (
              <Item
                key={each.id}
                value={`project ${each.name} ${each.id}`}
                icon={<Database />}
                onSelect={go(routes.project(each.id))}
              >
                {each.name}
              </Item>
            ))}
          </Group>
        ) : null}
        <Group heading="Organizations">
          {(viewer?.organizations ?? []).map((each) => (
            <Item
              key={each.id}
              value={`organization ${each.name} ${each.slug}`}
              icon={<Building2 />}
              onSelect={go(routes.organization(each.slug))}
            >
              {each.name}
            </Item>
          ))}
        </Group>
      </Command.List>
    </Command.Dialog>
  )
}

function Group({ heading, children }: { heading: string; children: ReactNode }) {
  return (
    <Command.Group
      heading={heading}
      className="[&_[cmdk-group-heading]]:px-2.5 [&_[cmdk-group-heading]]:pt-2 [&_[cmdk-group-heading]]:pb-1 [&_[cmdk-group-heading]]:text-ink-faint [&_[cmdk-group-heading]]:text-label"
    >
      {children}
    </Command.Group>
  )
}

interface ItemProps {
  value: string
  icon: ReactNode
  onSelect(): void
  children: ReactNode
}

function Item({ value, icon, onSelect, children }: ItemProps) {
  return (
    <Command.Item
      value={value}
      onSelect={onSelect}
      className="group flex cursor-pointer items-center gap-2.5 rounded-md px-2.5 py-2 text-body data-[selected=true]:bg-hover [&>svg]:size-4 [&>svg]:text-ink-faint"
    >
      {icon}
      <span className="min-w-0 flex-1 truncate">{children}</span>
      <ArrowRight className="opacity-0 group-data-[selected=true]:opacity-100" aria-hidden="true" />
    </Command.Item>
  )
}
