import type { ReactNode } from 'react'
import { RequireProject } from '@/domain/require-project.tsx'

export default function ProjectLayout({ children }: { children: ReactNode }) {
  return <RequireProject>{children}</RequireProject>
}
