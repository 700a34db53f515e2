import type { Metadata } from 'next'
import { OverviewScreen } from '@/features/overview/overview-screen.tsx'

export const metadata: Metadata = { title: 'Overview' }

export default async function OverviewPage({ params }: { params: Promise<{ project: string }> }) {
  const { project } = await params
  return <OverviewScreen projectId={decodeURIComponent(project)} />
}
