'use client'

import { Badge } from '@tributary/ui/primitives/badge'
import { Tooltip } from '@tributary/ui/primitives/tooltip'
import { Eye } from 'lucide-react'
import type { ReactNode } from 'react'
import { useProjectNav } from './place.ts'

/** Why a control is not to be used, for those who may look and not change. */
export const viewOnlyReason = 'Your role may look at this project, and not change it.'

/** Above a list or a form whose controls are not for this reader: why, and whose they are. */
export function ViewOnlyNote({ children }: { children: ReactNode }) {
  return (
    <p className="flex items-start gap-2 text-data text-ink-soft">
      <Eye className="mt-0.5 size-4 shrink-0 text-ink-faint" aria-hidden="true" />
      <span>{children}</span>
    </p>
  )
}

/** On every page of a project that the reader may not change: what that means, and whom to ask. */
export function ViewOnlyBadge() {
  const project = useProjectNav()
  if (!project || project.viewerCanWrite) return null
  return (
    <Tooltip
      side="bottom"
      content={`${viewOnlyReason} Owners, admins and members of ${project.organization.name} may; ask one of them for another role.`}
    >
      <button type="button" className="shrink-0 rounded-sm">
        <Badge tone="caution">
          <Eye aria-hidden="true" /> View only
        </Badge>
      </button>
    </Tooltip>
  )
}
