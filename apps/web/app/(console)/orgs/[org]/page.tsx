import type { Metadata } from 'next'
import { ProjectsScreen } from '@/features/projects/projects-screen.tsx'

export const metadata: Metadata = { title: 'Projects' }

export default async function ProjectsPage({ params }: { params: Promise<{ org: string }> }) {
  const { org } = await params
  return <ProjectsScreen slug={decodeURIComponent(org)} />
}
