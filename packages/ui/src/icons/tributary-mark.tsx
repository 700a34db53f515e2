import { classNames } from '../lib/class-names.ts'

/** The mark: three streams that become one, flowing right. */
export function TributaryMark({ className }: { className?: string }) {
  return (
    <svg viewBox="0 0 24 24" fill="none" aria-hidden="true" className={classNames('size-6', className)}>
      <g stroke="currentColor" strokeWidth="2.5" strokeLinecap="round">
        <path d="M2 13h20" />
        <path d="M2.5 4.5c7 0 5.5 8.5 12 8.5" strokeOpacity="0.6" />
        <path d="M7 20.5c6 0 5-7.5 11-7.5" strokeOpacity="0.6" />
      </g>
    </svg>
  )
}
