import type { Metadata } from 'next'
import { AuditScreen } from '@/features/operations/audit-screen.tsx'

export const metadata: Metadata = { title: 'Audit' }

export default async function AuditPage({ params }: { params: Promise<{ project: string }> }) {
  const { project } = await params
  return <AuditScreen projectId={decodeURIComponent(project)} />
}
