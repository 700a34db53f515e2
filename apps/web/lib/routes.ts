/** Addresses of the console. Every link is made here. */

type Query = Record<string, string | null | undefined>

function withQuery(path: string, query: Query): string {
  const search = new URLSearchParams()
  for (const [key, value] of Object.entries(query)) if (value) search.set(key, value)
  const text = search.toString()
  return text === '' ? path : `${path}?${text}`
}

const part = encodeURIComponent

export type ProjectPage =
  | 'timeline'
  | 'branches'
  | 'computes'
  | 'sql'
  | 'tables'
  | 'restore'
  | 'storage'
  | 'monitoring'
  | 'operations'
  | 'audit'
  | 'settings'

/** A moment in the address: `at=0/16B3748` or `at=2026-01-02T03:04:05Z`; without it, the tip. */
export interface PlaceQuery extends Query {
  branch?: string | undefined
  database?: string | undefined
  at?: string | undefined
  table?: string | undefined
}

export const routes = {
  home: () => '/',
  signIn: (next?: string) => withQuery('/sign-in', { next: next === '/' ? undefined : next }),
  signUp: (next?: string) => withQuery('/sign-up', { next: next === '/' ? undefined : next }),
  newOrganization: () => '/new-organization',
  account: () => '/account',
  invitation: (id: string) => `/invitations/${part(id)}`,
  organization: (slug: string) => `/orgs/${part(slug)}`,
  organizationPage: (slug: string, page: 'members' | 'api-keys' | 'usage' | 'audit') => `/orgs/${part(slug)}/${page}`,
  newProject: (slug: string) => `/orgs/${part(slug)}/new-project`,
  project: (id: string) => `/projects/${part(id)}`,
  projectPage: (id: string, page: ProjectPage, query: PlaceQuery = {}) =>
    withQuery(`/projects/${part(id)}/${page}`, query),
  projectSettings: (id: string, tab: 'general' | 'quotas' | 'roles' | 'api-keys' | 'members') =>
    tab === 'general' ? `/projects/${part(id)}/settings` : `/projects/${part(id)}/settings/${tab}`,
  branch: (projectId: string, id: string) => `/projects/${part(projectId)}/branches/${part(id)}`,
  schemaDiff: (projectId: string, id: string) => `/projects/${part(projectId)}/branches/${part(id)}/diff`,
  compute: (projectId: string, endpointId: string) => `/projects/${part(projectId)}/computes/${part(endpointId)}`,
  operation: (projectId: string, id: string) => withQuery(`/projects/${part(projectId)}/operations`, { open: id }),
} as const

/** Where to go after signing in: an address of this console, whatever the query says. */
export function safeNext(next: string | null | undefined): string {
  if (!next?.startsWith('/') || next.startsWith('//') || next.includes('\\')) return '/'
  return next
}
