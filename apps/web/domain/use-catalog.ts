'use client'

import { BranchCatalogDocument, type BranchCatalogQuery } from '@/gql/graphql.ts'
import { useGraphql } from '@/lib/use-graphql.ts'
import { type Moment, pointInput } from './moment.ts'

export type Catalog = NonNullable<NonNullable<BranchCatalogQuery['project']>['branch']>['catalog']

export interface CatalogPlace {
  projectId: string
  branchId: string | undefined
  database: string | undefined
  moment: Moment
}

/** Schemas and tables of a database at a moment, read from storage; no compute is needed. */
export function useCatalog({ projectId, branchId, database, moment }: CatalogPlace) {
  const query = useGraphql(
    BranchCatalogDocument,
    { projectId, branchId: branchId ?? '', database: database ?? '', at: pointInput(moment) },
    {
      isEnabled: branchId !== undefined && database !== undefined,
      // What stands at an LSN never changes; the tip moves on.
      ...(moment.kind === 'lsn' ? { staleMs: Number.POSITIVE_INFINITY } : {}),
      ...(moment.kind === 'tip' ? { refetchEveryMs: 5_000 } : {}),
    },
  )
  return { ...query, catalog: query.data?.project?.branch?.catalog }
}
