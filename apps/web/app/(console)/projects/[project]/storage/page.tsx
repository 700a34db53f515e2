import type { Metadata } from 'next'
import { StorageScreen } from '@/features/storage/storage-screen.tsx'

export const metadata: Metadata = { title: 'Storage' }

export default async function StoragePage({ params }: { params: Promise<{ project: string }> }) {
  const { project } = await params
  return <StorageScreen projectId={decodeURIComponent(project)} />
}
