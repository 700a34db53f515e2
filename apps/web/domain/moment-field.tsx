'use client'

import { FormField } from '@tributary/ui/patterns/form-field'
import { Input } from '@tributary/ui/primitives/input'
import { Segmented } from '@tributary/ui/primitives/segmented'
import { useState } from 'react'
import { parseLsn } from '@/lib/lsn.ts'
import { fromLocalInput, type Moment, tip, toLocalInput } from './moment.ts'
import { ResolvedMoment } from './resolved-moment.tsx'

export interface MomentFieldProps {
  projectId: string
  branchId: string
  /** undefined: what is typed is not a moment yet. */
  value: Moment | undefined
  onChange(moment: Moment | undefined): void
  /** Where the choice of the present makes no sense. */
  hideTip?: boolean
  /** Where the page says itself which commit the moment comes to. */
  hideResolved?: boolean
  error?: string | undefined
}

/** A moment of a branch: now, a time, or an LSN; says which commit it comes to. */
export function MomentField({ projectId, branchId, value, onChange, hideTip, hideResolved, error }: MomentFieldProps) {
  const [kind, setKind] = useState<Moment['kind']>(value?.kind ?? (hideTip ? 'time' : 'tip'))
  const [lsnText, setLsnText] = useState(value?.kind === 'lsn' ? value.lsn : '')
  const [timeText, setTimeText] = useState(value?.kind === 'time' ? toLocalInput(value.time) : '')

  function changeLsn(text: string) {
    setLsnText(text)
    onChange(parseLsn(text) === undefined ? undefined : { kind: 'lsn', lsn: text.trim().toUpperCase() })
  }
  function changeTime(text: string) {
    setTimeText(text)
    const time = fromLocalInput(text)
    onChange(time === undefined ? undefined : { kind: 'time', time })
  }
  function changeKind(next: Moment['kind']) {
    setKind(next)
    if (next === 'tip') onChange(tip)
    else if (next === 'lsn') changeLsn(lsnText)
    else changeTime(timeText || toLocalInput(new Date(Date.now() - 60_000).toISOString()))
  }
  const lsnError =
    kind === 'lsn' && lsnText !== '' && parseLsn(lsnText) === undefined ? 'An LSN looks like 0/16B3748.' : undefined

  return (
    <div className="flex flex-col gap-3">
      <Segmented
        label="Point in history"
        className="self-start"
        value={kind}
        onChange={changeKind}
        options={[
          ...(hideTip ? [] : [{ value: 'tip' as const, label: 'Now' }]),
          { value: 'time' as const, label: 'At a time' },
          { value: 'lsn' as const, label: 'At an LSN' },
        ]}
      />
      {kind === 'time' ? (
        <FormField label="Time" error={error} hint="In your time zone. Taken is the last commit at or before it.">
          {(control) => (
            <Input
              {...control}
              type="datetime-local"
              step="0.001"
              value={timeText}
              onChange={(event) => changeTime(event.target.value)}
            />
          )}
        </FormField>
      ) : null}
      {kind === 'lsn' ? (
        <FormField label="LSN" error={error ?? lsnError}>
          {(control) => (
            <Input
              {...control}
              isMonospace
              placeholder="0/16B3748"
              spellCheck={false}
              value={lsnText}
              onChange={(event) => changeLsn(event.target.value)}
            />
          )}
        </FormField>
      ) : null}
      {value && value.kind !== 'tip' && !hideResolved ? (
        <ResolvedMoment projectId={projectId} branchId={branchId} moment={value} />
      ) : null}
    </div>
  )
}
