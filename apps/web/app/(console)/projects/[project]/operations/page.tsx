import type { Metadata } from 'next'
import { OperationsScreen } from '@/features/operations/operations-screen.tsx'

export const metadata: Metadata = { title: 'Operations' }

export default async function OperationsPage({ params }: { params: Promise<{ project: string }> }) {
  const { project } = await params
  return <OperationsScreen projectId={decodeURIComponent(project)} />
}
