'use client'

import { PageHeader } from '@tributary/ui/patterns/page-header'
import { AuditTable } from '@/domain/audit-table.tsx'
import { OrganizationAuditDocument } from '@/gql/graphql.ts'
import { useGraphqlPages } from '@/lib/use-graphql.ts'

export function OrganizationAuditScreen({ slug }: { slug: string }) {
  const entries = useGraphqlPages(OrganizationAuditDocument, { slug, first: 50 }, (data) => data.organization?.auditLog)
  return (
    <>
      <PageHeader title="Audit" description="Every change in this organization, newest first." />
      <AuditTable entries={entries} />
    </>
  )
}
