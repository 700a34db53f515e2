'use client'

import { IconButton } from '@tributary/ui/primitives/icon-button'
import { Kbd } from '@tributary/ui/primitives/kbd'
import { Menu as MenuIcon, Search } from 'lucide-react'
import dynamic from 'next/dynamic'
import { type ReactNode, useState } from 'react'
import { Breadcrumbs } from './breadcrumbs.tsx'
import { ConnectionBanner } from './connection-banner.tsx'
import { navigationFor } from './navigation.ts'
import { useCurrentBranch, usePlace } from './place.ts'
import { ProjectLive } from './project-live.tsx'
import { Sidebar } from './sidebar.tsx'
import { ThemeSwitch } from './theme-switch.tsx'
import { useShortcuts } from './use-shortcuts.ts'
import { UserMenu } from './user-menu.tsx'
import { ViewOnlyBadge } from './view-only-badge.tsx'

// What opens over the page is loaded when it is first opened.
const CommandMenu = dynamic(() => import('./command-menu.tsx'), { ssr: false })
const NavigationSheet = dynamic(() => import('./navigation-sheet.tsx'), { ssr: false })
const ShortcutsHelp = dynamic(() => import('./shortcuts-help.tsx'), { ssr: false })

type Layer = 'command' | 'navigation' | 'help'

export function AppShell({ children }: { children: ReactNode }) {
  const place = usePlace()
  const branch = useCurrentBranch()
  const [layer, setLayer] = useState<Layer>()
  const [opened, setOpened] = useState<ReadonlySet<Layer>>(new Set())
  const open = (name: Layer) => {
    setOpened(new Set([...opened, name]))
    setLayer(name)
  }
  const layerProps = (name: Layer) => ({
    isOpen: layer === name,
    onOpenChange: (isOpen: boolean) => setLayer(isOpen ? name : undefined),
  })
  useShortcuts({
    navigation: navigationFor(place, branch?.id),
    onCommandMenu: () => open('command'),
    onHelp: () => open('help'),
  })

  return (
    <div className="flex min-h-dvh">
      <a
        href="#content"
        className="sr-only z-50 rounded-md bg-stream px-3 py-1.5 text-on-stream focus:not-sr-only focus:fixed focus:top-2 focus:left-2"
      >
        Skip to content
      </a>
      <ConnectionBanner />
      <aside className="sticky top-0 hidden h-dvh w-58 shrink-0 flex-col border-line border-r bg-surface lg:flex">
        <Sidebar />
      </aside>
      {opened.has('navigation') ? <NavigationSheet {...layerProps('navigation')} /> : null}
      <div className="flex min-w-0 flex-1 flex-col">
        <header className="sticky top-0 z-20 flex h-13 items-center gap-2 border-line border-b bg-canvas/85 px-4 backdrop-blur-sm sm:px-6">
          <IconButton label="Navigation" hideTooltip className="-ml-2 lg:hidden" onClick={() => open('navigation')}>
            <MenuIcon />
          </IconButton>
          <Breadcrumbs />
          <ViewOnlyBadge />
          <button
            type="button"
            onClick={() => open('command')}
            className="hidden h-8 items-center gap-2 rounded-md border border-line bg-surface pr-1.5 pl-2.5 text-data text-ink-faint hover:border-line-strong hover:text-ink sm:flex"
          >
            <Search className="size-3.5" /> Go to
            <span className="ml-4 flex gap-0.5">
              <Kbd>Ctrl</Kbd>
              <Kbd>K</Kbd>
            </span>
          </button>
          <IconButton label="Command menu" hideTooltip className="sm:hidden" onClick={() => open('command')}>
            <Search />
          </IconButton>
          <ThemeSwitch />
          <UserMenu onShowShortcuts={() => open('help')} />
        </header>
        <main id="content" className="mx-auto w-full max-w-6xl flex-1 px-4 py-6 sm:px-6 sm:py-8">
          {children}
        </main>
      </div>
      {place.project ? <ProjectLive key={place.project} projectId={place.project} /> : null}
      {opened.has('help') ? <ShortcutsHelp {...layerProps('help')} /> : null}
      {opened.has('command') ? <CommandMenu {...layerProps('command')} onShowShortcuts={() => open('help')} /> : null}
    </div>
  )
}
