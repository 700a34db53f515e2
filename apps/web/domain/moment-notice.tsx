import { Callout } from '@tributary/ui/patterns/callout'

/** Says that the address names a moment that is none, and what is shown instead. */
export function MomentNotice({ unreadable }: { unreadable: string | undefined }) {
  if (unreadable === undefined) return null
  return (
    <Callout tone="caution" className="mb-4" title={`“${unreadable.slice(0, 60)}” is not a moment`}>
      An address names an LSN, such as 0/16B3748, or a time. The present is shown instead.
    </Callout>
  )
}
