'use client'

import { useParams } from 'next/navigation'
import type { ReactNode } from 'react'
import { ProjectNavDocument } from '@/gql/graphql.ts'
import { useGraphql } from '@/lib/use-graphql.ts'
import { LoadFailure, NotAvailable } from '@/shell/load-failure.tsx'

/** Around every page of a project: a project that is gone, or never was this reader's, says so once. */
export function RequireProject({ children }: { children: ReactNode }) {
  const id = decodeURIComponent(useParams<{ project: string }>().project)
  const { data, error, refetch } = useGraphql(ProjectNavDocument, { id })
  if (error && !data) return <LoadFailure error={error} what="this project" onRetry={() => void refetch()} />
  if (data && !data.project) return <NotAvailable what="this project" />
  return children
}
