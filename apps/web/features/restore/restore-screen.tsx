'use client'

import { formatCount, formatExactTime } from '@tributary/ui/lib/format'
import { Callout } from '@tributary/ui/patterns/callout'
import { Lsn } from '@tributary/ui/patterns/lsn'
import { PageHeader } from '@tributary/ui/patterns/page-header'
import { RelativeTime } from '@tributary/ui/patterns/relative-time'
import { Skeleton, SkeletonLines } from '@tributary/ui/patterns/skeleton'
import { Button } from '@tributary/ui/primitives/button'
import { Panel } from '@tributary/ui/primitives/panel'
import { Tabs } from '@tributary/ui/primitives/tabs'
import { Camera, GitBranch } from 'lucide-react'
import dynamic from 'next/dynamic'
import Link from 'next/link'
import { useSearchParams } from 'next/navigation'
import { type ReactNode, useState } from 'react'
import { type Moment, parseMoment } from '@/domain/moment.ts'
import { MomentField } from '@/domain/moment-field.tsx'
import { useResolvedMoment } from '@/domain/resolved-moment.tsx'
import { SchemaDiffView } from '@/domain/schema-diff-view.tsx'
import { CommitHistogramDocument, RestoreBranchDocument, type RestoreBranchQuery } from '@/gql/graphql.ts'
import { errorText } from '@/lib/api-errors.ts'
import { routes } from '@/lib/routes.ts'
import { useGraphql } from '@/lib/use-graphql.ts'
import { LoadFailure, NotAvailable } from '@/shell/load-failure.tsx'
import { useCurrentBranch, useProjectNav } from '@/shell/place.ts'
import { CommitSlider } from './commit-slider.tsx'
import { commitsAfter, scaleOf } from './histogram-scale.ts'
import { momentProblem } from './moment-problem.ts'
import { PreviewTables } from './preview-tables.tsx'
import { RestoreProgress } from './restore-progress.tsx'

const RestoreDialog = dynamic(() => import('./restore-dialog.tsx').then((module) => module.RestoreDialog), {
  ssr: false,
})

export type RestorableBranch = NonNullable<NonNullable<RestoreBranchQuery['project']>['branch']>

export function RestoreScreen({ projectId }: { projectId: string }) {
  const current = useCurrentBranch()
  const project = useProjectNav()
  const branchId = current?.id
  const { data, error, refetch } = useGraphql(
    RestoreBranchDocument,
    { projectId, branchId: branchId ?? '' },
    { isEnabled: branchId !== undefined, refetchEveryMs: 15_000 },
  )
  if ((project && !current) || data?.project?.branch === null) {
    return (
      <NotAvailable
        what="this branch"
        back={{ label: 'All branches', href: routes.projectPage(projectId, 'branches') }}
      />
    )
  }
  if (error && !data) return <LoadFailure error={error} what="the history" onRetry={() => void refetch()} />
  const branch = data?.project?.branch
  return (
    <>
      {branch ? (
        <Restore
          key={branch.id}
          projectId={projectId}
          branch={branch}
          snapshots={(data?.project?.snapshots ?? []).filter((snapshot) => snapshot.branch.id === branch.id)}
        />
      ) : (
        <>
          <RestoreHeader name={<Skeleton className="inline-block w-24" />} />
          <SkeletonLines count={8} />
        </>
      )}
    </>
  )
}

function RestoreHeader({ name }: { name: ReactNode }) {
  return (
    <PageHeader
      title={<>Restore {name}</>}
      description="Choose a moment, look at the tables as they were, then let the branch go on from there. What it is now can be kept."
    />
  )
}

interface RestoreProps {
  projectId: string
  branch: RestorableBranch
  snapshots: NonNullable<RestoreBranchQuery['project']>['snapshots']
}

function Restore({ projectId, branch, snapshots }: RestoreProps) {
  const linked = parseMoment(useSearchParams().get('at'))
  const [moment, setMoment] = useState<Moment | undefined>(linked?.kind === 'tip' ? undefined : linked)
  const [fieldKey, setFieldKey] = useState(0)
  const [view, setView] = useState<'tables' | 'schema'>('tables')
  const [isAsking, setIsAsking] = useState(false)
  const [operationId, setOperationId] = useState<string>()
  const resolved = useResolvedMoment({ projectId, branchId: branch.id, moment: moment ?? { kind: 'tip' } })
  const problem = momentProblem(
    moment,
    resolved.lsn,
    { fromLsn: branch.restoreWindow.fromLsn, fromTime: branch.restoreWindow.fromTime, tipLsn: branch.tip.lsn },
    formatExactTime,
  )
  const target = moment && !problem ? resolved.lsn : undefined
  const chosenMs =
    moment?.kind === 'time'
      ? Date.parse(moment.time)
      : resolved.commitTime
        ? Date.parse(resolved.commitTime)
        : undefined
  const histogram = useGraphql(CommitHistogramDocument, { projectId, branchId: branch.id, buckets: 160 })
  const buckets = histogram.data?.project?.branch?.commitHistogram
  const scale = scaleOf(branch.restoreWindow)
  const [database, setDatabase] = useState(branch.databases[0]?.name)

  /** The slider and the field say the same thing: whichever moves, the other follows. */
  function slideTo(timeMs: number) {
    setMoment({ kind: 'time', time: new Date(timeMs).toISOString() })
    setFieldKey(fieldKey + 1)
  }
  const lost = chosenMs === undefined || !buckets ? undefined : commitsAfter(buckets, chosenMs)

  if (operationId) return <RestoreProgress projectId={projectId} branch={branch} operationId={operationId} />
  return (
    <>
      <RestoreHeader name={branch.name} />
      <div className="flex flex-col gap-6">
        <Panel
          title="Moment"
          meta={
            <>
              history since <RelativeTime at={branch.restoreWindow.fromTime} />
            </>
          }
        >
          {scale ? (
            <CommitSlider
              scale={scale}
              buckets={buckets}
              timeMs={chosenMs}
              onChange={slideTo}
              isCounting={histogram.isLoading}
              marks={snapshots.flatMap((snapshot) =>
                snapshot.time ? [{ id: snapshot.id, name: snapshot.name, timeMs: Date.parse(snapshot.time) }] : [],
              )}
            />
          ) : (
            <p className="py-6 text-center text-data text-ink-faint">There is one commit to go back to, or none.</p>
          )}
          {histogram.error && !buckets ? (
            <p className="mt-2 text-data text-ink-faint">
              How many commits lie where cannot be told now; any moment can be chosen.
            </p>
          ) : null}
          <p className="mt-4 text-data text-ink-faint">
            Looking for the moment before something was dropped or changed?{' '}
            <Link href={routes.projectPage(projectId, 'timeline')} className="text-stream-strong underline">
              The timeline
            </Link>{' '}
            marks every schema change and large transaction.
          </p>
          {snapshots.length > 0 ? (
            <div className="mt-3 flex flex-wrap items-center gap-2 text-data">
              <span className="text-ink-faint">Snapshots</span>
              {snapshots.map((snapshot) => (
                <Button
                  key={snapshot.id}
                  size="small"
                  onClick={() => {
                    setMoment({ kind: 'lsn', lsn: snapshot.lsn })
                    setFieldKey(fieldKey + 1)
                  }}
                >
                  <Camera /> {snapshot.name}
                </Button>
              ))}
            </div>
          ) : null}
          <div className="mt-5 grid gap-6 md:grid-cols-2">
            <MomentField
              key={fieldKey}
              projectId={projectId}
              branchId={branch.id}
              value={moment}
              onChange={setMoment}
              hideTip
              hideResolved
              error={problem ?? (resolved.error ? errorText(resolved.error) : undefined)}
            />
            <dl className="grid grid-cols-[auto_1fr] content-start gap-x-5 gap-y-2 text-data">
              <dt className="text-ink-faint">Goes back to</dt>
              <dd>{target ? <Lsn value={target} /> : <span className="text-ink-faint">choose a moment</span>}</dd>
              <dt className="text-ink-faint">Last commit kept</dt>
              <dd>{target && resolved.commitTime ? formatExactTime(Date.parse(resolved.commitTime)) : '–'}</dd>
              <dt className="text-ink-faint">Left behind</dt>
              <dd>{lost === undefined || !target ? '–' : `about ${formatCount(lost)} commits`}</dd>
              <dt className="text-ink-faint">Now at</dt>
              <dd>
                <Lsn value={branch.tip.lsn} />
              </dd>
            </dl>
          </div>
          <div className="mt-5 flex flex-wrap justify-end gap-2 border-line border-t pt-4">
            {target ? (
              <Button asChild>
                <Link href={`${routes.projectPage(projectId, 'tables', { branch: branch.id, at: target })}`}>
                  <GitBranch /> Browse at this moment
                </Link>
              </Button>
            ) : null}
            <Button variant="primary" disabled={!target || !branch.viewerCanRestore} onClick={() => setIsAsking(true)}>
              Restore to this moment
            </Button>
          </div>
          {branch.viewerCanRestore ? null : (
            <Callout className="mt-4">
              You may look at any moment, but not restore this branch{branch.isProtected ? ': it is protected' : ''}.
            </Callout>
          )}
        </Panel>
        {target && database ? (
          <Panel title="As it was">
            <Tabs
              label="Views of that moment"
              value={view}
              onChange={setView}
              tabs={[
                {
                  value: 'tables',
                  label: 'Tables',
                  content: (
                    <PreviewTables
                      projectId={projectId}
                      branch={branch}
                      database={database}
                      onDatabaseChange={setDatabase}
                      moment={{ kind: 'lsn', lsn: target }}
                    />
                  ),
                },
                {
                  value: 'schema',
                  label: 'What changed since, in the schema',
                  content: (
                    <SchemaDiffView
                      projectId={projectId}
                      branchId={branch.id}
                      database={database}
                      withBranchId={branch.id}
                      withMoment={{ kind: 'lsn', lsn: target }}
                    />
                  ),
                },
              ]}
            />
          </Panel>
        ) : null}
        {moment && resolved.lsn ? (
          <RestoreDialog
            problem={problem}
            isOpen={isAsking}
            onOpenChange={setIsAsking}
            branch={branch}
            lsn={resolved.lsn}
            commitTime={resolved.commitTime ?? undefined}
            leftBehind={lost}
            onStarted={setOperationId}
          />
        ) : null}
      </div>
    </>
  )
}
