import type { Metadata } from 'next'
import { QuotasScreen } from '@/features/settings/quotas-screen.tsx'

export const metadata: Metadata = { title: 'Quotas' }

export default async function QuotasPage({ params }: { params: Promise<{ project: string }> }) {
  const { project } = await params
  return <QuotasScreen projectId={decodeURIComponent(project)} />
}
