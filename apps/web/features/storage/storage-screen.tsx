'use client'

import { formatBytes } from '@tributary/ui/lib/format'
import { PageHeader } from '@tributary/ui/patterns/page-header'
import { RelativeTime } from '@tributary/ui/patterns/relative-time'
import { Skeleton } from '@tributary/ui/patterns/skeleton'
import { Stat, StatRow } from '@tributary/ui/patterns/stat'
import { Panel } from '@tributary/ui/primitives/panel'
import dynamic from 'next/dynamic'
import { BranchLayersDocument, ServerInfoDocument, StorageOfProjectDocument } from '@/gql/graphql.ts'
import { routes } from '@/lib/routes.ts'
import { useGraphql } from '@/lib/use-graphql.ts'
import { LoadFailure, NotAvailable } from '@/shell/load-failure.tsx'
import { useCurrentBranch, useProjectNav } from '@/shell/place.ts'
import { LayersPanel, layersMax } from './layers-panel.tsx'
import { PageserverPanel } from './pageserver-panel.tsx'
import { QuorumLost, QuorumPanel } from './quorum-panel.tsx'
import { StorageReportPanel } from './storage-report-panel.tsx'
import { useStorageState } from './use-storage-state.ts'

/** Only a local stack has these, at the foot of the page. */
const FaultDrillPanel = dynamic(() => import('./fault-drill-panel.tsx').then((module) => module.FaultDrillPanel), {
  ssr: false,
})
const ProcessesPanel = dynamic(() => import('./processes-panel.tsx').then((module) => module.ProcessesPanel), {
  ssr: false,
})

const refetchEveryMs = 30_000

/** Where the data is: the log on the SafeKeepers, pages on the PageServer, layers in object storage. */
export function StorageScreen({ projectId }: { projectId: string }) {
  const nav = useProjectNav()
  const branch = useCurrentBranch()
  const { state, error, retry } = useStorageState()
  const variables = { id: projectId, branchId: branch?.id ?? '' }
  const isEnabled = branch !== undefined
  const { data } = useGraphql(StorageOfProjectDocument, variables, { isEnabled, refetchEveryMs })
  const layers = useGraphql(BranchLayersDocument, { ...variables, limit: layersMax }, { isEnabled, refetchEveryMs })
  const server = useGraphql(ServerInfoDocument, {}).data?.serverInfo
  if (nav && !branch) {
    return (
      <NotAvailable
        what="this branch"
        back={{ label: 'All branches', href: routes.projectPage(projectId, 'branches') }}
      />
    )
  }
  const project = data?.project
  const waiting = <Skeleton className="mt-1 w-24" />
  return (
    <>
      <PageHeader
        title="Storage"
        description="The log on a quorum of SafeKeepers, pages on the PageServer, layers in object storage. Live."
        meta={
          state ? (
            <span className="text-data text-ink-faint">
              as of <RelativeTime at={state.observedAt} />
            </span>
          ) : null
        }
      />
      <div className="flex flex-col gap-6">
        <QuorumLost state={state} />
        {error && !state ? (
          <Panel>
            <LoadFailure error={error} what="the state of storage" onRetry={retry} />
          </Panel>
        ) : (
          <QuorumPanel state={state} branchName={branch?.name} timelineId={project?.branch?.timelineId} />
        )}
        <StatRow>
          <Stat
            label="Data, as Postgres counts"
            value={project ? formatBytes(project.storage.logicalSizeBytes) : waiting}
            note="all branches of this project"
          />
          <Stat
            label="In object storage"
            value={project ? formatBytes(project.storage.objectSizeBytes) : waiting}
            note="branches share what they have in common"
          />
        </StatRow>
        <PageserverPanel state={state} projectId={projectId} />
        <LayersPanel
          layers={layers.data?.project?.branch?.layers}
          error={layers.error}
          onRetry={() => void layers.refetch()}
          branchName={branch?.name}
        />
        <StorageReportPanel projectId={projectId} />
        {server?.isLocalStack && branch && project ? (
          <FaultDrillPanel
            key={branch.id}
            projectId={projectId}
            branch={branch}
            safekeeperIds={(state?.safekeepers ?? []).map((keeper) => keeper.id)}
            refusal={
              project.viewerCanOperate
                ? undefined
                : 'Operators of this system run drills. You may look at what they measured.'
            }
          />
        ) : null}
        {server?.isLocalStack ? (
          <ProcessesPanel processes={state?.processes} canOperate={project?.viewerCanOperate ?? false} />
        ) : null}
      </div>
    </>
  )
}
