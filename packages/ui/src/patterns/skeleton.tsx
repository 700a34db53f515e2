import { classNames } from '../lib/class-names.ts'

/** A place where something will be. Give it the size of what comes. */
export function Skeleton({ className }: { className?: string }) {
  return <div aria-hidden="true" className={classNames('h-4 animate-glint rounded-sm bg-hover', className)} />
}

/** Lines of text to come. */
export function SkeletonLines({ count = 3 }: { count?: number }) {
  return (
    <div className="flex flex-col gap-2.5" role="status" aria-label="Loading">
      {Array.from({ length: count }, (_, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a fixed number of equal lines
        <Skeleton key={index} className={index === count - 1 ? 'w-2/3' : 'w-full'} />
      ))}
    </div>
  )
}
