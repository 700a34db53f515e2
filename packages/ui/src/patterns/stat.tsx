import type { ReactNode } from 'react'

export interface StatProps {
  label: string
  value: ReactNode
  /** Context: a limit, a change, a moment. */
  note?: ReactNode
  /** A small picture of the recent past. */
  chart?: ReactNode
}

export function Stat({ label, value, note, chart }: StatProps) {
  return (
    <div className="flex min-w-0 flex-col gap-1 bg-surface px-4 py-3.5">
      <span className="text-ink-faint text-label">{label}</span>
      <span className="tabular min-w-0 truncate font-medium text-h3">{value}</span>
      {note ? <span className="text-pretty text-ink-faint text-data">{note}</span> : null}
      {chart}
    </div>
  )
}

/** Stats side by side, parted by hairlines. */
export function StatRow({ children }: { children: ReactNode }) {
  return (
    <div className="grid grid-cols-[repeat(auto-fit,minmax(10rem,1fr))] gap-px overflow-hidden rounded-lg border border-line bg-line">
      {children}
    </div>
  )
}
