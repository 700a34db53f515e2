import type { Metadata } from 'next'
import { AccountScreen } from '@/features/organizations/account-screen.tsx'

export const metadata: Metadata = { title: 'Account' }

export default function AccountPage() {
  return <AccountScreen />
}
