'use client'

import { Badge } from '@tributary/ui/primitives/badge'
import { Tooltip } from '@tributary/ui/primitives/tooltip'
import { Eye } from 'lucide-react'
import { useProjectNav } from './place.ts'

/** Why a control is not to be used, for those who may look and not change. */
export const viewOnlyReason = 'Your role may look at this project, and not change it.'

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
