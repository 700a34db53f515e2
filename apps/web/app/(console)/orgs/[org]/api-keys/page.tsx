import type { Metadata } from 'next'
import { OrganizationApiKeysScreen } from '@/features/organizations/organization-api-keys-screen.tsx'

export const metadata: Metadata = { title: 'API keys' }

export default async function ApiKeysPage({ params }: { params: Promise<{ org: string }> }) {
  const { org } = await params
  return <OrganizationApiKeysScreen slug={decodeURIComponent(org)} />
}
