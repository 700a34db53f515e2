import { type ReactNode, Suspense } from 'react'
import { AppShell } from '@/shell/app-shell.tsx'
import { SessionGuard } from '@/shell/session-guard.tsx'

export default function ConsoleLayout({ children }: { children: ReactNode }) {
  return (
    <Suspense>
      <SessionGuard>
        <AppShell>{children}</AppShell>
      </SessionGuard>
    </Suspense>
  )
}
