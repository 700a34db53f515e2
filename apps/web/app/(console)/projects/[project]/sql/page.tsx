import type { Metadata } from 'next'
import { SqlScreen } from '@/features/sql/sql-screen.tsx'

export const metadata: Metadata = { title: 'SQL editor' }

export default async function SqlPage({ params }: { params: Promise<{ project: string }> }) {
  const { project } = await params
  return <SqlScreen projectId={decodeURIComponent(project)} />
}
