import type { Metadata } from 'next'
import { GeneralScreen } from '@/features/settings/general-screen.tsx'

export const metadata: Metadata = { title: 'Settings' }

export default async function SettingsPage({ params }: { params: Promise<{ project: string }> }) {
  const { project } = await params
  return <GeneralScreen projectId={decodeURIComponent(project)} />
}
