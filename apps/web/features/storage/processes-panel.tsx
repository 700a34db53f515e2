'use client'

import { type Column, DataTable } from '@tributary/ui/patterns/data-table'
import { EmptyState } from '@tributary/ui/patterns/empty-state'
import { StatusBadge } from '@tributary/ui/patterns/status-badge'
import { toast } from '@tributary/ui/patterns/toast'
import { Button } from '@tributary/ui/primitives/button'
import { Panel } from '@tributary/ui/primitives/panel'
import { useState } from 'react'
import { ConfirmDialog } from '@/domain/confirm-dialog.tsx'
import { type ProcessAction, ProcessActionDocument } from '@/gql/graphql.ts'
import { useAction } from '@/lib/use-action.ts'
import { isMoving, stateTone } from './storage-words.ts'
import type { StorageState } from './use-storage-state.ts'

type Process = StorageState['processes'][number]

const verbs: Record<ProcessAction, { label: string; done: string }> = {
  START: { label: 'Start', done: 'is starting' },
  STOP: { label: 'Stop', done: 'is stopping' },
  KILL: { label: 'Kill', done: 'was killed' },
}

/** What this page may do to a process; the API refuses the rest. */
function actionsOf({ kind, state }: Process): readonly ProcessAction[] {
  if (kind === 'supervisor') return []
  if (state === 'stopped') return ['START']
  return kind === 'api' ? ['KILL'] : ['STOP', 'KILL']
}

interface ProcessesPanelProps {
  processes: readonly Process[] | undefined
  canOperate: boolean
}

/** The processes of the local stack. */
export function ProcessesPanel({ processes, canOperate }: ProcessesPanelProps) {
  const act = useAction(ProcessActionDocument, (data) => data.processAction)
  const [asked, setAsked] = useState<{ process: Process; action: ProcessAction }>()

  async function run(process: Process, action: ProcessAction) {
    if (!(await act.run({ name: process.name, action }))) return
    setAsked(undefined)
    toast.success(`${process.name} ${verbs[action].done}`)
  }
  const ask = (process: Process, action: ProcessAction) => {
    act.reset()
    setAsked({ process, action })
  }
  const columns: Column<Process>[] = [
    { key: 'name', header: 'Process', cell: (row) => <span className="font-mono">{row.name}</span> },
    {
      key: 'state',
      header: 'State',
      cell: (row) => (
        <StatusBadge tone={stateTone(row.state)} isLive={isMoving(row.state)}>
          {row.state}
        </StatusBadge>
      ),
    },
    {
      key: 'pid',
      header: 'PID',
      hideBelow: 'md',
      cell: (row) => <span className="tabular font-mono">{row.pid ?? '–'}</span>,
    },
    {
      key: 'restarts',
      header: 'Restarts',
      align: 'end',
      hideBelow: 'sm',
      cell: (row) => <span className="tabular">{row.restarts}</span>,
    },
    {
      key: 'actions',
      header: <span className="sr-only">Actions</span>,
      align: 'end',
      cell: (row) => (
        <span className="inline-flex gap-1">
          {actionsOf(row).map((action) => (
            <Button
              key={action}
              size="small"
              variant="quiet"
              disabled={!canOperate}
              title={canOperate ? undefined : 'Only operators of this system may do this.'}
              aria-label={`${verbs[action].label} ${row.name}`}
              onClick={() => ask(row, action)}
            >
              {verbs[action].label}
            </Button>
          ))}
        </span>
      ),
    },
  ]
  return (
    <Panel title="Processes" description="Of this machine's stack. A killed process is started again." isFlush>
      <DataTable
        label="Processes"
        columns={columns}
        rows={processes}
        rowKey={(row) => row.name}
        skeletonRows={6}
        empty={
          <EmptyState title="Processes are for operators">
            Operators of this system see here what runs, and can stop and start it.
          </EmptyState>
        }
      />
      {asked ? (
        <ConfirmDialog
          isOpen
          onOpenChange={(isOpen) => (isOpen ? undefined : setAsked(undefined))}
          title={`${verbs[asked.action].label} ${asked.process.name}`}
          action={verbs[asked.action].label}
          isDanger={asked.action !== 'START'}
          isBusy={act.isBusy}
          error={act.error?.message}
          onConfirm={() => void run(asked.process, asked.action)}
        >
          <p>{consequence(asked.process, asked.action)}</p>
        </ConfirmDialog>
      ) : null}
    </Panel>
  )
}

function consequence({ kind, name }: Process, action: ProcessAction): string {
  if (action === 'START') return `${name} is started and takes up its work again.`
  const end = action === 'STOP' ? 'It stays stopped until you start it.' : 'The supervisor starts it again.'
  switch (kind) {
    case 'safekeeper':
      return `Commits go on as long as two SafeKeepers are up; with fewer they wait. ${end}`
    case 'pageserver':
      return `Pages that computes do not hold cannot be read meanwhile, in all projects. ${end}`
    case 'compute':
      return `Its clients are cut off; what was committed stays. ${end}`
    case 'web':
      return `This console is unreachable meanwhile. ${end}`
    default:
      return `All projects of this system are affected. ${end}`
  }
}
