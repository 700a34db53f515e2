import type { ReactNode } from 'react'
import { classNames } from '../lib/class-names.ts'

export interface DefinitionListProps {
  items: readonly { term: string; value: ReactNode }[]
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
      {items.map(({ term, value }) => (
        <div key={term} className="min-w-0">
          <dt className="text-ink-faint text-label">{term}</dt>
          <dd className="mt-0.5 min-w-0 truncate text-body">{value}</dd>
        </div>
      ))}
    </dl>
  )
}
