import type { Metadata } from 'next'
import { RolesScreen } from '@/features/settings/roles-screen.tsx'

export const metadata: Metadata = { title: 'Roles and databases' }

export default async function RolesAndDatabasesPage({ params }: { params: Promise<{ project: string }> }) {
  const { project } = await params
  return <RolesScreen projectId={decodeURIComponent(project)} />
}
