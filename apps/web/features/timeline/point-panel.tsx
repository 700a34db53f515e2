'use client'

import { Callout } from '@tributary/ui/patterns/callout'
import { DefinitionList } from '@tributary/ui/patterns/definition-list'
import { FormField } from '@tributary/ui/patterns/form-field'
import { Lsn } from '@tributary/ui/patterns/lsn'
import { RelativeTime } from '@tributary/ui/patterns/relative-time'
import { SkeletonLines } from '@tributary/ui/patterns/skeleton'
import { toast } from '@tributary/ui/patterns/toast'
import { Button } from '@tributary/ui/primitives/button'
import { IconButton } from '@tributary/ui/primitives/icon-button'
import { Input } from '@tributary/ui/primitives/input'
import { GitBranch, Rows3, SquareTerminal, StepBack, Undo2, X } from 'lucide-react'
import Link from 'next/link'
import { type FormEvent, useRef, useState } from 'react'
import { momentText } from '@/domain/moment.ts'
import { useResolvedMoment } from '@/domain/resolved-moment.tsx'
import { BranchFromPointDocument } from '@/gql/graphql.ts'
import { errorText } from '@/lib/api-errors.ts'
import { routes } from '@/lib/routes.ts'
import { useAction } from '@/lib/use-action.ts'
import { MarkGlyph } from './timeline-legend.tsx'
import type { Lane, Mark } from './timeline-model.ts'
import { markWords, type PickedPoint, pointMoment } from './timeline-words.ts'

export interface PointPanelProps {
  projectId: string
  lane: Lane
  point: PickedPoint
  /** Marks at this very place. */
  marks: readonly Mark[]
  canWrite: boolean
  onMove(point: PickedPoint): void
  onClose(): void
}

/** What these did is undone by going back to just before them. */
const changesOfData: ReadonlySet<Mark['kind']> = new Set(['DDL', 'LARGE_TRANSACTION'])

/** What can be done from a picked moment of a branch. */
export function PointPanel({ projectId, lane, point, marks, canWrite, onMove, onClose }: PointPanelProps) {
  const panel = useRef<HTMLElement>(null)
  const moment = pointMoment(point)
  const { lsn, commitTime, isLoading, error } = useResolvedMoment({ projectId, branchId: point.branchId, moment })
  const at = lsn ?? momentText(moment)
  const place = { branch: lane.branchId, at }
  return (
    <section ref={panel} tabIndex={-1} aria-label="Picked moment" className="flex flex-col gap-4 p-4 outline-none">
      <header className="flex items-start justify-between gap-3">
        <div className="min-w-0">
          <p className="text-ink-faint text-label">Picked moment on</p>
          <h2 className="truncate font-semibold text-h3">{lane.name}</h2>
        </div>
        <IconButton label="Clear the picked moment" onClick={onClose}>
          <X />
        </IconButton>
      </header>
      {error ? (
        <Callout tone="danger" title="This moment cannot be used">
          {errorText(error)}
        </Callout>
      ) : isLoading ? (
        <SkeletonLines count={2} />
      ) : (
        <DefinitionList
          items={[
            { term: 'LSN', value: <Lsn value={lsn} /> },
            { term: 'Last commit before it', value: <RelativeTime at={commitTime} /> },
          ]}
        />
      )}
      {marks.map((mark) => (
        <div key={`${mark.kind}-${mark.lsn}-${mark.summary}`} className="flex gap-2 text-data">
          <MarkGlyph kind={mark.kind} />
          <div className="min-w-0">
            <p className="font-medium">{markWords[mark.kind].label}</p>
            <p className="break-words text-ink-soft">{mark.summary}</p>
          </div>
        </div>
      ))}
      {marks.some(({ kind }) => changesOfData.has(kind)) ? (
        // A mark stands where its commit ends: a byte less, and the commit has not happened.
        <Button
          size="small"
          onClick={() => {
            onMove({ ...point, position: point.position - 1 })
            // The button goes with the mark it belongs to.
            panel.current?.focus()
          }}
        >
          <StepBack /> Just before this change
        </Button>
      ) : null}
      <div className="grid grid-cols-2 gap-2">
        <Button asChild size="small">
          <Link href={routes.projectPage(projectId, 'tables', place)}>
            <Rows3 /> Preview tables
          </Link>
        </Button>
        <Button asChild size="small">
          <Link href={routes.projectPage(projectId, 'sql', place)}>
            <SquareTerminal /> Query here
          </Link>
        </Button>
      </div>
      {canWrite ? (
        <>
          <BranchHere projectId={projectId} lane={lane} lsn={lsn} />
          <div className="border-line border-t pt-4">
            <Button asChild className="w-full">
              <Link href={routes.projectPage(projectId, 'restore', place)}>
                <Undo2 /> Restore {lane.name} to here …
              </Link>
            </Button>
            <p className="mt-1.5 text-ink-faint text-label">
              Opens a preview first. What the branch is now stays as a branch of its own.
            </p>
          </div>
        </>
      ) : (
        <p className="text-ink-faint text-data">
          Your role may look at this moment, and not branch or restore from it.
        </p>
      )}
    </section>
  )
}

function BranchHere({ projectId, lane, lsn }: { projectId: string; lane: Lane; lsn: string | undefined }) {
  const [name, setName] = useState('')
  const create = useAction(BranchFromPointDocument, (data) => data.createBranch)
  const submit = async (event: FormEvent) => {
    event.preventDefault()
    if (!lsn) return
    const payload = await create.run({
      input: { projectId, parentId: lane.branchId, name: name.trim() || null, at: { lsn } },
    })
    if (!payload?.branch) return
    toast.success(`Branch ${payload.branch.name} is being created`)
    setName('')
  }
  return (
    <form onSubmit={submit} className="flex flex-col gap-2 border-line border-t pt-4">
      <FormField
        label="Branch from here"
        isOptional
        hint="Empty: a name is made for you."
        error={create.error?.message}
      >
        {(control) => (
          <Input
            {...control}
            value={name}
            placeholder="name"
            onChange={(event) => {
              setName(event.target.value)
              if (create.error) create.reset()
            }}
          />
        )}
      </FormField>
      <Button type="submit" variant="primary" isBusy={create.isBusy} disabled={!lsn}>
        <GitBranch /> Create branch
      </Button>
    </form>
  )
}
