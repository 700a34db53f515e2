import type { Metadata } from 'next'
import { OrganizationAuditScreen } from '@/features/organizations/organization-audit-screen.tsx'

export const metadata: Metadata = { title: 'Audit' }

export default async function AuditPage({ params }: { params: Promise<{ org: string }> }) {
  const { org } = await params
  return <OrganizationAuditScreen slug={decodeURIComponent(org)} />
}
