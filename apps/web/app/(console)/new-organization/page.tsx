import type { Metadata } from 'next'
import { CreateOrganizationScreen } from '@/features/organizations/create-organization-screen.tsx'

export const metadata: Metadata = { title: 'New organization' }

export default function NewOrganizationPage() {
  return <CreateOrganizationScreen />
}
