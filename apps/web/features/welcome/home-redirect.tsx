'use client'

import { useRouter } from 'next/navigation'
import { useEffect } from 'react'
import { routes } from '@/lib/routes.ts'
import { useViewer } from '@/shell/session-guard.tsx'

/** `/` is the reader's first organization, or the way to make one. */
export function HomeRedirect() {
  const viewer = useViewer()
  const router = useRouter()
  const first = viewer?.organizations[0]
  useEffect(() => {
    if (viewer) router.replace(first ? routes.organization(first.slug) : routes.newOrganization())
  }, [viewer, first, router])
  return null
}
