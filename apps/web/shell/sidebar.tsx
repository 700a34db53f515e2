'use client'

import { TributaryMark } from '@tributary/ui/icons/tributary-mark'
import { classNames } from '@tributary/ui/lib/class-names'
import Link from 'next/link'
import { ServerInfoDocument } from '@/gql/graphql.ts'
import { routes } from '@/lib/routes.ts'
import { useGraphql } from '@/lib/use-graphql.ts'
import { isCurrent, navigationFor } from './navigation.ts'
import { useCurrentBranch, useIsProjectMissing, usePlace, useProjectNav } from './place.ts'
import { PlaceSwitchers } from './place-switchers.tsx'
import { QuorumPill } from './quorum-pill.tsx'
import { useFallbackOrganization } from './use-organization-nav.ts'

/** Where one is, where one can go, and whether the storage below is well. */
export function Sidebar({ onNavigate }: { onNavigate?(): void }) {
  const { data } = useGraphql(ServerInfoDocument, {}, { staleMs: 300_000 })
  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <Link
        href={routes.home()}
        onClick={onNavigate}
        className="mx-3 mt-3 mb-2 flex h-8.5 items-center gap-2 rounded-md px-1.5 font-semibold text-lead tracking-tight"
      >
        <TributaryMark className="size-5.5 text-stream" />
        Tributary
      </Link>
      <div className="border-line border-b px-3 pb-3">
        <PlaceSwitchers />
      </div>
      <SidebarLinks onNavigate={onNavigate} />
      <div className="flex items-center justify-between gap-2 border-line border-t px-4 py-2.5">
        <QuorumPill />
        <span className="tabular text-ink-faint text-label">{data ? `v${data.serverInfo.version}` : ''}</span>
      </div>
    </div>
  )
}

function SidebarLinks({ onNavigate }: { onNavigate?: (() => void) | undefined }) {
  const { org, project, pathname } = usePlace()
  const projectNav = useProjectNav()
  const isMissing = useIsProjectMissing()
  const fallback = useFallbackOrganization()
  const branch = useCurrentBranch()
  const chosenBranch = branch && branch.id !== projectNav?.defaultBranch.id ? branch.id : undefined
  return (
    <nav aria-label="Main" className="min-h-0 flex-1 overflow-y-auto px-3 py-3">
      {navigationFor({ org: org ?? fallback, ...(project && !isMissing ? { project } : {}) }, chosenBranch).map(
        (group) => (
          <div key={group.label ?? 'main'} className="mb-4 last:mb-0">
            {group.label ? <p className="px-2 pb-1 font-medium text-ink-faint text-label">{group.label}</p> : null}
            <ul className="flex flex-col gap-px">
              {group.items.map((item) => {
                const isHere = isCurrent(item, pathname)
                return (
                  <li key={item.href}>
                    <Link
                      href={item.href}
                      onClick={onNavigate}
                      aria-current={isHere ? 'page' : undefined}
                      className={classNames(
                        'relative flex h-8 items-center gap-2.5 rounded-md px-2 text-data transition-colors [&>svg]:size-4',
                        isHere
                          ? 'bg-stream-soft font-medium text-stream-strong'
                          : 'text-ink-soft hover:bg-hover hover:text-ink [&>svg]:text-ink-faint',
                      )}
                    >
                      <item.icon aria-hidden="true" />
                      {item.label}
                    </Link>
                  </li>
                )
              })}
            </ul>
          </div>
        ),
      )}
    </nav>
  )
}
