import {
  Activity,
  AlignHorizontalDistributeCenter,
  ChartSpline,
  Cpu,
  FileClock,
  Gauge,
  GitBranch,
  HardDrive,
  KeyRound,
  LayoutDashboard,
  type LucideIcon,
  Rows3,
  ScrollText,
  Settings2,
  SquareTerminal,
  Undo2,
  UserCog,
  Users,
} from 'lucide-react'
import { type ProjectPage, routes } from '@/lib/routes.ts'

export interface NavigationItem {
  label: string
  href: string
  icon: LucideIcon
  /** Second key after `g`. */
  shortcut?: string
  isExact?: boolean
}

export interface NavigationGroup {
  label?: string
  items: NavigationItem[]
}

/** Pages that look at one branch: the chosen branch goes along from one to the next. */
export const branchScopedPages: ReadonlySet<string> = new Set<ProjectPage>([
  'sql',
  'tables',
  'restore',
  'storage',
  'timeline',
])

export function projectNavigation(projectId: string, branchId: string | undefined): NavigationGroup[] {
  const page = (name: ProjectPage) =>
    routes.projectPage(projectId, name, branchScopedPages.has(name) ? { branch: branchId } : {})
  return [
    {
      items: [
        { label: 'Overview', href: routes.project(projectId), icon: LayoutDashboard, shortcut: 'o', isExact: true },
        { label: 'Timeline', href: page('timeline'), icon: AlignHorizontalDistributeCenter, shortcut: 't' },
        { label: 'Branches', href: page('branches'), icon: GitBranch, shortcut: 'b' },
        { label: 'Computes', href: page('computes'), icon: Cpu, shortcut: 'c' },
      ],
    },
    {
      label: 'Data',
      items: [
        { label: 'SQL editor', href: page('sql'), icon: SquareTerminal, shortcut: 's' },
        { label: 'Tables', href: page('tables'), icon: Rows3, shortcut: 'd' },
        { label: 'Restore', href: page('restore'), icon: Undo2, shortcut: 'r' },
      ],
    },
    {
      label: 'Operate',
      items: [
        { label: 'Storage', href: page('storage'), icon: HardDrive, shortcut: 'q' },
        { label: 'Monitoring', href: page('monitoring'), icon: ChartSpline, shortcut: 'm' },
        { label: 'Operations', href: page('operations'), icon: Activity, shortcut: 'h' },
        { label: 'Audit', href: page('audit'), icon: FileClock, shortcut: 'a' },
        { label: 'Settings', href: page('settings'), icon: Settings2, shortcut: 'e' },
      ],
    },
  ]
}

export function organizationNavigation(slug: string): NavigationGroup[] {
  return [
    {
      items: [
        { label: 'Projects', href: routes.organization(slug), icon: LayoutDashboard, shortcut: 'o', isExact: true },
        { label: 'Members', href: routes.organizationPage(slug, 'members'), icon: Users, shortcut: 'm' },
        { label: 'API keys', href: routes.organizationPage(slug, 'api-keys'), icon: KeyRound, shortcut: 'k' },
        { label: 'Usage', href: routes.organizationPage(slug, 'usage'), icon: Gauge, shortcut: 'u' },
        { label: 'Audit', href: routes.organizationPage(slug, 'audit'), icon: ScrollText, shortcut: 'a' },
      ],
    },
  ]
}

/** Pages that the sidebar does not list, for the command menu. */
export function morePages({
  projectId,
  organization,
}: {
  projectId: string | undefined
  organization: { slug: string; name: string } | undefined
}): NavigationItem[] {
  const account = { label: 'Account and API keys', href: routes.account(), icon: KeyRound }
  if (projectId === undefined) return [account]
  const settings = (tab: 'quotas' | 'roles' | 'api-keys' | 'members', label: string, icon: LucideIcon) => ({
    label: `Settings: ${label}`,
    href: routes.projectSettings(projectId, tab),
    icon,
  })
  return [
    settings('quotas', 'quotas', Gauge),
    settings('roles', 'roles and databases', UserCog),
    settings('api-keys', 'API keys', KeyRound),
    settings('members', 'members', Users),
    ...(organization
      ? organizationNavigation(organization.slug).flatMap((group) =>
          group.items.map(({ shortcut: _, ...item }) => ({ ...item, label: `${organization.name}: ${item.label}` })),
        )
      : []),
    account,
  ]
}

export function isCurrent(item: NavigationItem, pathname: string): boolean {
  const path = item.href.split('?', 1)[0] ?? ''
  return item.isExact ? pathname === path : pathname === path || pathname.startsWith(`${path}/`)
}

/** The navigation that belongs to an address. */
export function navigationFor(
  params: { project?: string; org?: string },
  branchId: string | undefined,
): NavigationGroup[] {
  if (params.project) return projectNavigation(params.project, branchId)
  return params.org ? organizationNavigation(params.org) : []
}
