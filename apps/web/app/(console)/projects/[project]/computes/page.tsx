import type { Metadata } from 'next'
import { ComputesScreen } from '@/features/computes/computes-screen.tsx'

export const metadata: Metadata = { title: 'Computes' }

export default async function ComputesPage({ params }: { params: Promise<{ project: string }> }) {
  const { project } = await params
  return <ComputesScreen projectId={decodeURIComponent(project)} />
}
