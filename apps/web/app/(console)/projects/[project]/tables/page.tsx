import type { Metadata } from 'next'
import { TablesScreen } from '@/features/tables/tables-screen.tsx'

export const metadata: Metadata = { title: 'Tables' }

export default async function TablesPage({ params }: { params: Promise<{ project: string }> }) {
  const { project } = await params
  return <TablesScreen projectId={decodeURIComponent(project)} />
}
