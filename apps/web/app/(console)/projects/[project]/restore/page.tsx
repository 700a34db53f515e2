import type { Metadata } from 'next'
import { RestoreScreen } from '@/features/restore/restore-screen.tsx'

export const metadata: Metadata = { title: 'Restore' }

export default async function RestorePage({ params }: { params: Promise<{ project: string }> }) {
  const { project } = await params
  return <RestoreScreen projectId={decodeURIComponent(project)} />
}
