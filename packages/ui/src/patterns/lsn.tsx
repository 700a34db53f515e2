'use client'

import { classNames } from '../lib/class-names.ts'
import { CopyText } from './copy-text.tsx'

/** A position in the write-ahead log, as Postgres prints it. */
export function Lsn({
  value,
  align,
  className,
}: {
  value: string | null | undefined
  align?: 'start' | 'end' | undefined
  className?: string
}) {
  if (!value) return <span className="text-ink-faint">–</span>
  return <CopyText text={value} label="Copy LSN" align={align} className={classNames('tabular', className)} />
}
