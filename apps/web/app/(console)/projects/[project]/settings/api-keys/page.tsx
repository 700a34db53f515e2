import type { Metadata } from 'next'
import { ProjectApiKeysScreen } from '@/features/settings/project-api-keys-screen.tsx'

export const metadata: Metadata = { title: 'API keys' }

export default async function ApiKeysPage({ params }: { params: Promise<{ project: string }> }) {
  const { project } = await params
  return <ProjectApiKeysScreen projectId={decodeURIComponent(project)} />
}
