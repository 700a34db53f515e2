import type { Metadata } from 'next'
import { ComputeScreen } from '@/features/computes/compute-screen.tsx'

export const metadata: Metadata = { title: 'Compute' }

export default async function ComputePage({ params }: { params: Promise<{ project: string; endpoint: string }> }) {
  const { project, endpoint } = await params
  return <ComputeScreen projectId={decodeURIComponent(project)} endpointId={decodeURIComponent(endpoint)} />
}
