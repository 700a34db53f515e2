'use client'

import { EmptyState } from '@tributary/ui/patterns/empty-state'
import { ApiKeysPanel } from '@/domain/api-keys-panel.tsx'
import { managesOrganization } from '@/domain/organization-roles.ts'
import { ProjectApiKeysDocument } from '@/gql/graphql.ts'
import { useGraphql } from '@/lib/use-graphql.ts'
import { LoadFailure } from '@/shell/load-failure.tsx'
import { useProjectNav } from '@/shell/place.ts'
import { ViewOnlyNote } from '@/shell/view-only-badge.tsx'

/** Owners and admins see the keys of everyone; others those that they made. Whoever may change the project makes keys for it. */
export function ProjectApiKeysScreen({ projectId }: { projectId: string }) {
  const project = useProjectNav()
  const slug = project?.organization.slug
  const { data, error, refetch } = useGraphql(
    ProjectApiKeysDocument,
    { slug: slug ?? '' },
    { isEnabled: slug !== undefined },
  )
  const organization = data?.organization
  const seesAll = organization ? managesOrganization(organization.viewerRole) : true
  const keys = seesAll ? organization?.apiKeys : data?.viewer?.apiKeys
  const refusal =
    project && !project.viewerCanWrite
      ? 'Your role may look at this project, and not make keys for it. Owners, admins and members may.'
      : undefined
  return (
    <div className="flex flex-col gap-4">
      {seesAll ? null : (
        <ViewOnlyNote>
          {refusal ? `${refusal} ` : ''}
          Only keys that you made are listed; owners and admins see those of everyone.
        </ViewOnlyNote>
      )}
      <ApiKeysPanel
        title="Keys of this project"
        description="Each may use this project and no other."
        keys={keys?.filter((key) => key.projectId === projectId)}
        scope={{ organizationId: organization?.id, projectId }}
        refusal={refusal}
        empty={seesAll ? undefined : <EmptyState title="You have made no key for this project" />}
        error={
          error && !data ? <LoadFailure error={error} what="the keys" onRetry={() => void refetch()} /> : undefined
        }
      />
    </div>
  )
}
