'use client'

import { EmptyState } from '@tributary/ui/patterns/empty-state'
import { PageHeader } from '@tributary/ui/patterns/page-header'
import { ApiKeysPanel } from '@/domain/api-keys-panel.tsx'
import { managesOrganization } from '@/domain/organization-roles.ts'
import { OrganizationApiKeysDocument } from '@/gql/graphql.ts'
import { useGraphql } from '@/lib/use-graphql.ts'
import { LoadFailure, NotAvailable } from '@/shell/load-failure.tsx'

export function OrganizationApiKeysScreen({ slug }: { slug: string }) {
  const { data, error, refetch } = useGraphql(OrganizationApiKeysDocument, { slug })
  const organization = data?.organization
  if (data && !organization) return <NotAvailable what="this organization" />
  const isRefused = organization ? !managesOrganization(organization.viewerRole) : false
  return (
    <>
      <PageHeader title="API keys" />
      <ApiKeysPanel
        title="Keys of the organization"
        description="Each may use every project of the organization."
        keys={organization?.apiKeys}
        scope={{ organizationId: organization?.id }}
        refusal={isRefused ? 'Owners and admins make keys of the organization.' : undefined}
        empty={
          isRefused ? (
            <EmptyState title="Keys of the organization are for owners and admins">
              They see, make and revoke them here. Keys of your own, which may do what you may do, are on the account
              page.
            </EmptyState>
          ) : undefined
        }
        error={
          error && !data ? <LoadFailure error={error} what="the keys" onRetry={() => void refetch()} /> : undefined
        }
      />
    </>
  )
}
