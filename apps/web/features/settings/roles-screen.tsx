'use client'

import { SkeletonLines } from '@tributary/ui/patterns/skeleton'
import { Select } from '@tributary/ui/primitives/select'
import { useRouter } from 'next/navigation'
import { BranchRolesAndDatabasesDocument } from '@/gql/graphql.ts'
import { routes } from '@/lib/routes.ts'
import { useGraphql } from '@/lib/use-graphql.ts'
import { LoadFailure, NotAvailable } from '@/shell/load-failure.tsx'
import { useCurrentBranch, useProjectNav } from '@/shell/place.ts'
import { ViewOnlyNote } from '@/shell/view-only-badge.tsx'
import { DatabasesPanel } from './databases-panel.tsx'
import { RolesPanel } from './roles-panel.tsx'

export function RolesScreen({ projectId }: { projectId: string }) {
  const router = useRouter()
  const project = useProjectNav()
  const branch = useCurrentBranch()
  const { data, error, refetch } = useGraphql(
    BranchRolesAndDatabasesDocument,
    { projectId, branchId: branch?.id ?? '' },
    { isEnabled: branch !== undefined },
  )
  if (error && !data) return <LoadFailure error={error} what="roles and databases" onRetry={() => void refetch()} />
  if (data && !data.project?.branch) return <NotAvailable what="this branch" />
  const details = data?.project?.branch
  return (
    <div className="flex flex-col gap-6">
      <div className="flex flex-wrap items-center gap-3">
        <span className="text-ink-soft">Roles and databases belong to a branch.</span>
        {project && branch ? (
          <Select
            label="Branch"
            size="small"
            className="w-52"
            value={branch.id}
            onChange={(id) =>
              router.replace(`${routes.projectSettings(projectId, 'roles')}?branch=${encodeURIComponent(id)}`)
            }
            options={project.branches.nodes.map((each) => ({ value: each.id, label: each.name }))}
          />
        ) : null}
      </div>
      {details ? (
        <>
          {details.viewerCanWrite || !project ? null : (
            <ViewOnlyNote>
              Your role may look at roles and databases. Owners, admins and members of {project.organization.name} make,
              change and delete them.
            </ViewOnlyNote>
          )}
          <RolesPanel branch={details} />
          <DatabasesPanel branch={details} />
        </>
      ) : (
        <SkeletonLines count={6} />
      )}
    </div>
  )
}
