'use client'

import { CodeBlock } from '@tributary/ui/patterns/code-block'
import { EmptyState } from '@tributary/ui/patterns/empty-state'
import { SkeletonLines } from '@tributary/ui/patterns/skeleton'
import { BranchSchemaDiffDocument } from '@/gql/graphql.ts'
import { useGraphql } from '@/lib/use-graphql.ts'
import { LoadFailure } from '@/shell/load-failure.tsx'
import { type Moment, pointInput } from './moment.ts'

export interface SchemaDiffViewProps {
  projectId: string
  branchId: string
  database: string
  withBranchId: string
  withMoment: Moment
}

/** How the schema of a branch now differs from another branch, or from a moment. */
export function SchemaDiffView({ projectId, branchId, database, withBranchId, withMoment }: SchemaDiffViewProps) {
  const { data, error, refetch } = useGraphql(BranchSchemaDiffDocument, {
    projectId,
    branchId,
    database,
    withBranchId,
    with: pointInput(withMoment) ?? {},
  })
  if (error && !data) return <LoadFailure error={error} what="the comparison" onRetry={() => void refetch()} />
  const diff = data?.project?.branch?.schemaDiff
  if (!diff) return <SkeletonLines count={8} />
  if (diff.isEmpty) {
    return (
      <EmptyState title="The schemas are the same">Tables, columns, indexes and constraints do not differ.</EmptyState>
    )
  }
  return (
    <div>
      <p className="mb-2 flex flex-wrap gap-x-5 gap-y-1 font-mono text-data">
        <span className="text-danger">− {diff.left}</span>
        <span className="text-positive">+ {diff.right}</span>
      </p>
      <CodeBlock label="Schema difference" language="diff" text={diff.unified} />
    </div>
  )
}
