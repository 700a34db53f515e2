import type { Metadata } from 'next'
import { BranchScreen } from '@/features/branches/branch-screen.tsx'

export const metadata: Metadata = { title: 'Branch' }

export default async function BranchPage({ params }: { params: Promise<{ project: string; branch: string }> }) {
  const { project, branch } = await params
  return <BranchScreen projectId={decodeURIComponent(project)} branchId={decodeURIComponent(branch)} />
}
