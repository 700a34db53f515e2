/** Streams joining, drawn thin: the backdrop of places where nothing flows yet. */
export function Confluence({ className }: { className?: string }) {
  return (
    <svg viewBox="0 0 96 40" fill="none" aria-hidden="true" className={className}>
      <g stroke="currentColor" strokeWidth="1.5" strokeLinecap="round">
        <path d="M2 20h92" />
        <path d="M10 4c20 0 18 16 38 16" strokeDasharray="3 5" />
        <path d="M26 36c18 0 16-16 34-16" strokeDasharray="3 5" />
      </g>
      <circle cx="48" cy="20" r="3" fill="var(--surface)" stroke="currentColor" strokeWidth="1.5" />
      <circle cx="60" cy="20" r="3" fill="var(--surface)" stroke="currentColor" strokeWidth="1.5" />
    </svg>
  )
}
