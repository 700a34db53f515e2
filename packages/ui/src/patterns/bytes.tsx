import { formatBytes, formatCount } from '../lib/format.ts'
import { Tooltip } from '../primitives/tooltip.tsx'

/** A size with its unit; the exact number of bytes on hover. */
export function Bytes({ value }: { value: string | number | null | undefined }) {
  if (value === null || value === undefined) return <span className="text-ink-faint">–</span>
  return (
    <Tooltip content={`${formatCount(value)} bytes`}>
      <span className="tabular whitespace-nowrap">{formatBytes(value)}</span>
    </Tooltip>
  )
}
