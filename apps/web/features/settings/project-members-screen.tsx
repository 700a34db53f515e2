'use client'

import { SkeletonLines } from '@tributary/ui/patterns/skeleton'
import { MembersPanel } from '@/domain/members-panel.tsx'
import { useProjectNav } from '@/shell/place.ts'

/** A project has the members of its organization. */
export function ProjectMembersScreen() {
  const project = useProjectNav()
  if (!project) return <SkeletonLines count={5} />
  return (
    <div className="flex flex-col gap-4">
      <p className="text-ink-soft">
        Everyone in <b className="font-medium text-ink">{project.organization.name}</b> has access to its projects, as
        far as their role goes.
      </p>
      <MembersPanel slug={project.organization.slug} />
    </div>
  )
}
