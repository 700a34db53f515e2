'use client'

import { formatBytes, formatCount } from '@tributary/ui/lib/format'
import { Callout } from '@tributary/ui/patterns/callout'
import { CodeBlock } from '@tributary/ui/patterns/code-block'
import { CopyField } from '@tributary/ui/patterns/copy-field'
import { DefinitionList } from '@tributary/ui/patterns/definition-list'
import { EmptyState } from '@tributary/ui/patterns/empty-state'
import { SkeletonLines } from '@tributary/ui/patterns/skeleton'
import { Button } from '@tributary/ui/primitives/button'
import { Segmented } from '@tributary/ui/primitives/segmented'
import { Waves } from 'lucide-react'
import { useState } from 'react'
import { OperationProgress } from '@/domain/operation-progress.tsx'
import { ResolvedMoment } from '@/domain/resolved-moment.tsx'
import { PublishTableDocument, TableLakeDocument, type TableLakeQuery } from '@/gql/graphql.ts'
import { useAction } from '@/lib/use-action.ts'
import { useGraphql } from '@/lib/use-graphql.ts'
import { LoadFailure } from '@/shell/load-failure.tsx'
import { type LakeReader, lakeReaderLabels, lakeReaders, lakeSnippet } from './lake-snippets.ts'

const refetchEveryMs = 5_000

export interface LakePanelProps {
  projectId: string
  branchId: string
  database: string
  schema: string
  table: { oid: string; name: string }
}

/** The table as others see it: a Delta table in object storage. Always of the branch as it is now, whatever moment the page shows. */
export function LakePanel({ projectId, branchId, database, schema, table }: LakePanelProps) {
  const query = useGraphql(TableLakeDocument, { projectId, branchId, database }, { refetchEveryMs })
  const publish = useAction(PublishTableDocument, (data) => data.publishLake)
  const [operationId, setOperationId] = useState<string>()
  if (query.error && !query.data) {
    return <LoadFailure error={query.error} what="the lake state" onRetry={() => void query.refetch()} />
  }
  if (!query.data) return <SkeletonLines count={4} />
  const found = tableOf(query.data, table.oid)
  if (!found) {
    return (
      <EmptyState title="The table is not there any more">
        It was dropped after the moment that this page shows; columns are published of the present alone.
      </EmptyState>
    )
  }
  const canWrite = query.data.project?.viewerCanWrite ?? false
  async function publishNow() {
    const payload = await publish.run({ branchId, database, table: `${schema}.${table.name}` })
    setOperationId(payload?.operations[0]?.id)
  }
  return (
    <div className="flex flex-col gap-5">
      {found.lake ? (
        <LakeState projectId={projectId} branchId={branchId} lake={found.lake} />
      ) : (
        <EmptyState title="Not published yet">
          Analytics reads this table all the same. Publishing makes it a Delta table in object storage, which other
          programs can read without any Postgres; from then on it follows the branch.
        </EmptyState>
      )}
      <div className="flex flex-wrap items-center gap-3">
        <Button disabled={!canWrite} isBusy={publish.isBusy} onClick={() => void publishNow()}>
          <Waves /> {found.lake ? 'Publish now' : 'Publish this table'}
        </Button>
        <span className="text-data text-ink-faint">
          {canWrite
            ? 'Makes a version of the branch as it is now; a table that has not changed keeps the version it has.'
            : 'Your role may read the published table, and not publish.'}
        </span>
      </div>
      {publish.error ? (
        <Callout tone="danger" title="It could not be published">
          {publish.error.message}
        </Callout>
      ) : null}
      {operationId ? (
        <OperationProgress key={operationId} operationId={operationId} onFinished={() => void query.refetch()} />
      ) : null}
    </div>
  )
}

type Lake = NonNullable<NonNullable<ReturnType<typeof tableOf>>['lake']>

function tableOf(data: TableLakeQuery, oid: string) {
  return data.project?.branch?.catalog.schemas.flatMap((schema) => schema.tables).find((each) => each.oid === oid)
}

function LakeState({ projectId, branchId, lake }: { projectId: string; branchId: string; lake: Lake }) {
  const [reader, setReader] = useState<LakeReader>('duckdb')
  return (
    <>
      <DefinitionList
        items={[
          { term: 'Delta version', value: <span className="tabular">{lake.deltaVersion ?? '–'}</span> },
          { term: 'Rows', value: formatCount(lake.rows) },
          { term: 'Parquet files', value: formatCount(lake.files) },
          { term: 'Size of the files', value: formatBytes(lake.bytes) },
        ]}
      />
      {lake.layerLsn ? (
        <div className="flex flex-wrap items-center gap-x-2">
          <span className="text-data text-ink-faint">Shows the table at</span>
          <ResolvedMoment projectId={projectId} branchId={branchId} moment={{ kind: 'lsn', lsn: lake.layerLsn }} />
        </div>
      ) : null}
      <CopyField
        label="Delta table"
        text={lake.uri ?? lake.path}
        hint={
          lake.uri
            ? 'Readers need nothing but this address. They must not write: storage is the only writer.'
            : 'A key of the object store.'
        }
      />
      {lake.uri ? (
        <div className="flex flex-col gap-2">
          <Segmented
            label="Read with"
            className="self-start"
            value={reader}
            onChange={setReader}
            options={lakeReaders.map((each) => ({ value: each, label: lakeReaderLabels[each] }))}
          />
          <CodeBlock label={lakeReaderLabels[reader]} text={lakeSnippet(reader, lake.uri)} />
        </div>
      ) : null}
    </>
  )
}
