'use client'

import { PageHeader } from '@tributary/ui/patterns/page-header'
import { AuditTable } from '@/domain/audit-table.tsx'
import { ProjectAuditDocument } from '@/gql/graphql.ts'
import { useGraphqlPages } from '@/lib/use-graphql.ts'

export function AuditScreen({ projectId }: { projectId: string }) {
  const entries = useGraphqlPages(ProjectAuditDocument, { id: projectId, first: 50 }, (data) => data.project?.auditLog)
  return (
    <>
      <PageHeader
        title="Audit"
        description="Every change in this project, newest first: who, what, and by which request."
      />
      <AuditTable entries={entries} />
    </>
  )
}
