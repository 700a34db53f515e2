'use client'

import { ApiKeysPanel } from '@/domain/api-keys-panel.tsx'
import { ProjectApiKeysDocument } from '@/gql/graphql.ts'
import { useGraphql } from '@/lib/use-graphql.ts'
import { LoadFailure } from '@/shell/load-failure.tsx'
import { useProjectNav } from '@/shell/place.ts'

export function ProjectApiKeysScreen({ projectId }: { projectId: string }) {
  const project = useProjectNav()
  const slug = project?.organization.slug
  const { data, error, refetch } = useGraphql(
    ProjectApiKeysDocument,
    { slug: slug ?? '' },
    { isEnabled: slug !== undefined },
  )
  const organization = data?.organization
  const role = organization?.viewerRole
  return (
    <ApiKeysPanel
      title="Keys of this project"
      description="Each may use this project and no other."
      keys={organization?.apiKeys.filter((key) => key.projectId === projectId)}
      scope={{ organizationId: organization?.id, projectId }}
      canManage={role === 'OWNER' || role === 'ADMIN'}
      error={error && !data ? <LoadFailure error={error} what="the keys" onRetry={() => void refetch()} /> : undefined}
    />
  )
}
