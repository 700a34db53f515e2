import type { Metadata } from 'next'
import { MembersScreen } from '@/features/organizations/members-screen.tsx'

export const metadata: Metadata = { title: 'Members' }

export default async function MembersPage({ params }: { params: Promise<{ org: string }> }) {
  const { org } = await params
  return <MembersScreen slug={decodeURIComponent(org)} />
}
