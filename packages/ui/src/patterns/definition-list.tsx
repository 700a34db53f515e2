import type { ReactNode } from 'react'
import { classNames } from '../lib/class-names.ts'

export interface DefinitionListProps {
  /** A sentence is `isWide`: it takes two places and may wrap. */
  items: readonly { term: string; value: ReactNode; isWide?: boolean }[]
  className?: string
}

/** Names and values; as many columns as fit. */
export function DefinitionList({ items, className }: DefinitionListProps) {
  return (
    <dl
      className={classNames(
        'grid grid-cols-[repeat(auto-fill,minmax(8.75rem,1fr))] gap-x-4 sm:gap-x-6 gap-y-4',
        className,
      )}
    >
      {items.map(({ term, value, isWide }) => (
        <div key={term} className={classNames('min-w-0', isWide && 'col-span-2')}>
          <dt className="text-ink-faint text-label">{term}</dt>
          <dd className={classNames('mt-0.5 min-w-0 text-body', isWide ? 'text-pretty' : 'truncate')}>{value}</dd>
        </div>
      ))}
    </dl>
  )
}
