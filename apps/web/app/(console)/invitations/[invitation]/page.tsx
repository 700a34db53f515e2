import type { Metadata } from 'next'
import { InvitationScreen } from '@/features/organizations/invitation-screen.tsx'

export const metadata: Metadata = { title: 'Invitation' }

export default async function InvitationPage({ params }: { params: Promise<{ invitation: string }> }) {
  const { invitation } = await params
  return <InvitationScreen id={decodeURIComponent(invitation)} />
}
