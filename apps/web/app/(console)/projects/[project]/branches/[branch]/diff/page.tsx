import type { Metadata } from 'next'
import { SchemaDiffScreen } from '@/features/branches/schema-diff-screen.tsx'

export const metadata: Metadata = { title: 'Schema difference' }

export default async function SchemaDifferencePage({
  params,
}: {
  params: Promise<{ project: string; branch: string }>
}) {
  const { project, branch } = await params
  return <SchemaDiffScreen projectId={decodeURIComponent(project)} branchId={decodeURIComponent(branch)} />
}
