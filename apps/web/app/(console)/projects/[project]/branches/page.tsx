import type { Metadata } from 'next'
import { BranchesScreen } from '@/features/branches/branches-screen.tsx'

export const metadata: Metadata = { title: 'Branches' }

export default async function BranchesPage({ params }: { params: Promise<{ project: string }> }) {
  const { project } = await params
  return <BranchesScreen projectId={decodeURIComponent(project)} />
}
