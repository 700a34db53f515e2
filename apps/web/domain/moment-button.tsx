'use client'

import { formatExactTime } from '@tributary/ui/lib/format'
import { Button } from '@tributary/ui/primitives/button'
import { Popover } from '@tributary/ui/primitives/popover'
import { History } from 'lucide-react'
import { useState } from 'react'
import { type Moment, tip } from './moment.ts'
import { MomentField } from './moment-field.tsx'

export interface MomentButtonProps {
  projectId: string
  branchId: string
  moment: Moment
  onChange(moment: Moment): void
}

/** The moment one looks at; coloured while it is not the present. */
export function MomentButton({ projectId, branchId, moment, onChange }: MomentButtonProps) {
  const [isOpen, setIsOpen] = useState(false)
  const [draft, setDraft] = useState<Moment | undefined>(moment)
  const label =
    moment.kind === 'tip' ? 'Now' : moment.kind === 'lsn' ? moment.lsn : formatExactTime(Date.parse(moment.time))
  return (
    <Popover
      isOpen={isOpen}
      onOpenChange={(next) => {
        setIsOpen(next)
        if (next) setDraft(moment)
      }}
      align="end"
      className="w-80"
      trigger={
        <Button className={moment.kind === 'tip' ? '' : 'border-stream bg-stream-soft text-stream-strong'}>
          <History /> <span className="max-w-56 truncate">{label}</span>
        </Button>
      }
    >
      <MomentField projectId={projectId} branchId={branchId} value={draft} onChange={setDraft} />
      <div className="mt-4 flex justify-end gap-2">
        {moment.kind === 'tip' ? null : (
          <Button
            size="small"
            onClick={() => {
              onChange(tip)
              setIsOpen(false)
            }}
          >
            Back to now
          </Button>
        )}
        <Button
          size="small"
          variant="primary"
          disabled={!draft}
          onClick={() => {
            if (!draft) return
            onChange(draft)
            setIsOpen(false)
          }}
        >
          Look at this moment
        </Button>
      </div>
    </Popover>
  )
}
