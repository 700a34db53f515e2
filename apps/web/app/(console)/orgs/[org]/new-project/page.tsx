import type { Metadata } from 'next'
import { CreateProjectScreen } from '@/features/projects/create-project-screen.tsx'

export const metadata: Metadata = { title: 'New project' }

export default async function NewProjectPage({ params }: { params: Promise<{ org: string }> }) {
  const { org } = await params
  return <CreateProjectScreen slug={decodeURIComponent(org)} />
}
