import type { ReactNode } from 'react'
import { SettingsFrame } from '@/features/settings/settings-frame.tsx'

export default async function SettingsLayout({
  children,
  params,
}: {
  children: ReactNode
  params: Promise<{ project: string }>
}) {
  const { project } = await params
  return <SettingsFrame projectId={decodeURIComponent(project)}>{children}</SettingsFrame>
}
