'use client'

import { EmptyState } from '@tributary/ui/patterns/empty-state'
import { PageHeader } from '@tributary/ui/patterns/page-header'
import { AuditTable } from '@/domain/audit-table.tsx'
import { managesOrganization } from '@/domain/organization-roles.ts'
import { OrganizationAuditDocument } from '@/gql/graphql.ts'
import { useGraphqlPages } from '@/lib/use-graphql.ts'
import { useViewer } from '@/shell/session-guard.tsx'

export function OrganizationAuditScreen({ slug }: { slug: string }) {
  const entries = useGraphqlPages(OrganizationAuditDocument, { slug, first: 50 }, (data) => data.organization?.auditLog)
  const organization = useViewer()?.organizations.find((each) => each.slug === slug)
  const isRefused = organization !== undefined && !managesOrganization(organization.viewerRole)
  return (
    <>
      <PageHeader title="Audit" description="Every change in this organization, newest first." />
      <AuditTable
        entries={entries}
        empty={
          isRefused ? (
            <EmptyState title="The audit log of the organization is for owners and admins">
              What was changed in a project stands in the audit log of the project, for everyone who may see it.
            </EmptyState>
          ) : undefined
        }
      />
    </>
  )
}
