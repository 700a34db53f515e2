'use client'

import { PageHeader } from '@tributary/ui/patterns/page-header'
import { ApiKeysPanel } from '@/domain/api-keys-panel.tsx'
import { OrganizationApiKeysDocument } from '@/gql/graphql.ts'
import { useGraphql } from '@/lib/use-graphql.ts'
import { LoadFailure, NotAvailable } from '@/shell/load-failure.tsx'

export function OrganizationApiKeysScreen({ slug }: { slug: string }) {
  const { data, error, refetch } = useGraphql(OrganizationApiKeysDocument, { slug })
  const organization = data?.organization
  if (data && !organization) return <NotAvailable what="this organization" />
  const role = organization?.viewerRole
  return (
    <>
      <PageHeader title="API keys" />
      <ApiKeysPanel
        title="Keys of the organization"
        description="Each may use every project of the organization."
        keys={organization?.apiKeys}
        scope={{ organizationId: organization?.id }}
        canManage={role === 'OWNER' || role === 'ADMIN'}
        error={
          error && !data ? <LoadFailure error={error} what="the keys" onRetry={() => void refetch()} /> : undefined
        }
      />
    </>
  )
}
