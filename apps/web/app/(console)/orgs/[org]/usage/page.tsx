import type { Metadata } from 'next'
import { OrganizationUsageScreen } from '@/features/organizations/organization-usage-screen.tsx'

export const metadata: Metadata = { title: 'Usage' }

export default async function UsagePage({ params }: { params: Promise<{ org: string }> }) {
  const { org } = await params
  return <OrganizationUsageScreen slug={decodeURIComponent(org)} />
}
