import type { Metadata } from 'next'
import { MonitoringScreen } from '@/features/monitoring/monitoring-screen.tsx'

export const metadata: Metadata = { title: 'Monitoring' }

export default async function MonitoringPage({ params }: { params: Promise<{ project: string }> }) {
  const { project } = await params
  return <MonitoringScreen projectId={decodeURIComponent(project)} />
}
