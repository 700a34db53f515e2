'use client'

import { FormField } from '@tributary/ui/patterns/form-field'
import { Badge } from '@tributary/ui/primitives/badge'
import { Button } from '@tributary/ui/primitives/button'
import { Input } from '@tributary/ui/primitives/input'
import { Panel } from '@tributary/ui/primitives/panel'
import { Select } from '@tributary/ui/primitives/select'
import { TriangleAlert } from 'lucide-react'
import { useState } from 'react'
import { ConfirmDialog } from '@/domain/confirm-dialog.tsx'
import {
  type FaultDrillKind,
  FaultDrillProgressDocument,
  FaultDrillsDocument,
  StartFaultDrillDocument,
} from '@/gql/graphql.ts'
import { useAction } from '@/lib/use-action.ts'
import { useGraphql } from '@/lib/use-graphql.ts'
import { useLive } from '@/lib/use-live.ts'
import { DrillHistory } from './drill-history.tsx'
import { type Drill, DrillReport } from './drill-report.tsx'
import { drillKinds, isUnderWay } from './storage-words.ts'

const kinds = Object.keys(drillKinds) as FaultDrillKind[]
const secondsMax = 120

export interface FaultDrillPanelProps {
  projectId: string
  branch: { id: string; name: string }
  safekeeperIds: readonly number[]
  /** Why the reader may look only; undefined when drills may be run. */
  refusal: string | undefined
}

/** A fault made on purpose under a measured workload. Only in a local stack. */
export function FaultDrillPanel({ projectId, branch, safekeeperIds, refusal }: FaultDrillPanelProps) {
  const start = useAction(StartFaultDrillDocument, (data) => data.faultDrill)
  const [kind, setKind] = useState<FaultDrillKind>('STOP_SAFEKEEPER')
  const [safekeeper, setSafekeeper] = useState('1')
  const [seconds, setSeconds] = useState('10')
  const [isAsking, setIsAsking] = useState(false)
  const [live, setLive] = useState<Drill>()
  const [openId, setOpenId] = useState<string>()
  // Kept by the API: a reload, or another reader, finds the drill that runs and those of before.
  const earlier = useGraphql(FaultDrillsDocument, { id: projectId })
  const kept = earlier.data?.project?.faultDrills ?? []
  const shownId = openId ?? (kept.find(isUnderWay) ?? kept[0])?.id
  const drill = live?.id === shownId ? live : kept.find((each) => each.id === shownId)
  useLive(
    FaultDrillProgressDocument,
    drill && isUnderWay(drill) ? { id: drill.id } : undefined,
    ({ faultDrillChanged }) => {
      setLive(faultDrillChanged)
      if (!isUnderWay(faultDrillChanged)) void earlier.refetch()
    },
  )
  const { label, what, needsSafekeeper } = drillKinds[kind]
  const secondsNumber = Number(seconds)
  const isSecondsValid = Number.isInteger(secondsNumber) && secondsNumber >= 1 && secondsNumber <= secondsMax
  const isRunning =
    kept.some((each) => isUnderWay(each.id === live?.id ? live : each)) || (live ? isUnderWay(live) : false)

  async function confirm() {
    const payload = await start.run({
      input: {
        projectId,
        branchId: branch.id,
        kind,
        seconds: secondsNumber,
        ...(needsSafekeeper ? { safekeeperId: Number(safekeeper) } : {}),
      },
    })
    if (!payload?.drill) return
    setLive(payload.drill)
    setOpenId(payload.drill.id)
    setIsAsking(false)
  }

  return (
    <Panel
      title="Fault drill"
      meta={
        <Badge tone="caution">
          <TriangleAlert aria-hidden="true" /> breaks things on purpose
        </Badge>
      }
      description="Four writers commit while something fails; afterwards every acknowledged commit is looked for."
      className="border-caution"
    >
      <div className="flex flex-col gap-4">
        <div className="grid items-start gap-4 sm:grid-cols-[minmax(0,2fr)_minmax(0,1fr)_minmax(0,1fr)]">
          <FormField label="Fault">
            {(control) => (
              <Select
                {...control}
                value={kind}
                onChange={setKind}
                options={kinds.map((each) => ({ value: each, label: drillKinds[each].label }))}
              />
            )}
          </FormField>
          {needsSafekeeper ? (
            <FormField label="SafeKeeper" error={start.fieldError('safekeeperId')}>
              {(control) => (
                <Select
                  {...control}
                  value={safekeeper}
                  onChange={setSafekeeper}
                  options={safekeeperIds.map((id) => ({ value: String(id), label: `safekeeper-${id}` }))}
                />
              )}
            </FormField>
          ) : null}
          <FormField
            label="Lasts, seconds"
            error={isSecondsValid ? start.fieldError('seconds') : `A whole number of seconds from 1 to ${secondsMax}`}
          >
            {(control) => (
              <Input
                {...control}
                inputMode="numeric"
                value={seconds}
                onChange={(event) => setSeconds(event.target.value)}
              />
            )}
          </FormField>
        </div>
        <p className="text-data text-ink-soft">{what}</p>
        <div>
          <Button
            variant="danger"
            disabled={!isSecondsValid || refusal !== undefined}
            aria-describedby={refusal ? 'drill-refusal' : undefined}
            isBusy={isRunning}
            onClick={() => {
              start.reset()
              setIsAsking(true)
            }}
          >
            {isRunning ? 'Drill is running' : 'Run drill'}
          </Button>
          {refusal ? (
            <p id="drill-refusal" className="mt-1.5 text-data text-ink-faint">
              {refusal}
            </p>
          ) : null}
        </div>
        {drill ? <DrillReport drill={drill} /> : null}
        <DrillHistory drills={kept} openId={drill?.id} onOpen={setOpenId} />
      </div>
      <ConfirmDialog
        isOpen={isAsking}
        onOpenChange={setIsAsking}
        title={label}
        action="Run drill"
        isBusy={start.isBusy}
        error={start.formError('seconds', 'safekeeperId')}
        onConfirm={() => void confirm()}
      >
        <p>{what}</p>
        <p>
          It runs against the branch <strong className="text-ink">{branch.name}</strong> for {seconds} s. SafeKeepers
          are shared: other projects of this system feel it too. A table <code>tributary_fault_drill</code> in the
          database <code>postgres</code> is made and dropped again.
        </p>
      </ConfirmDialog>
    </Panel>
  )
}
