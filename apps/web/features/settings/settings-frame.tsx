'use client'

import { classNames } from '@tributary/ui/lib/class-names'
import { PageHeader } from '@tributary/ui/patterns/page-header'
import Link from 'next/link'
import { usePathname } from 'next/navigation'
import { type ReactNode, useEffect, useRef } from 'react'
import { routes } from '@/lib/routes.ts'

const tabs = [
  ['general', 'General'],
  ['quotas', 'Quotas'],
  ['roles', 'Roles and databases'],
  ['api-keys', 'API keys'],
  ['members', 'Members'],
] as const

/** The settings of a project: one address a tab, so that each can be linked to. */
export function SettingsFrame({ projectId, children }: { projectId: string; children: ReactNode }) {
  const pathname = usePathname()
  const row = useRef<HTMLElement>(null)
  // On a phone the row is wider than the window: the tab that is open comes into sight.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the open tab follows the address
  useEffect(() => {
    row.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' })
  }, [pathname])
  return (
    <>
      <PageHeader title="Settings" />
      <nav ref={row} aria-label="Settings" className="mb-6 flex gap-5 overflow-x-auto border-line border-b">
        {tabs.map(([tab, label]) => {
          const href = routes.projectSettings(projectId, tab)
          const isHere = pathname === href
          return (
            <Link
              key={tab}
              href={href}
              aria-current={isHere ? 'page' : undefined}
              className={classNames(
                '-mb-px whitespace-nowrap border-b-2 py-2 font-medium text-body outline-offset-[-2px]',
                isHere ? 'border-stream text-ink' : 'border-transparent text-ink-soft hover:text-ink',
              )}
            >
              {label}
            </Link>
          )
        })}
      </nav>
      {children}
    </>
  )
}
