import type { ReactNode } from 'react'
import { classNames } from '../lib/class-names.ts'

export interface PanelProps {
  title?: ReactNode
  /** Beside the title: a count, a state. */
  meta?: ReactNode
  actions?: ReactNode
  description?: ReactNode
  children?: ReactNode
  /** The content draws its own edges (a table). */
  isFlush?: boolean
  className?: string
}

/** A bordered area with an optional heading. */
export function Panel({ title, meta, actions, description, children, isFlush, className }: PanelProps) {
  return (
    <section className={classNames('overflow-hidden rounded-lg border border-line bg-surface', className)}>
      {title || actions ? (
        <header className="flex min-h-12 flex-wrap items-center gap-x-3 gap-y-2 border-line border-b px-4 py-2">
          <div className="min-w-0 flex-1 basis-40">
            <div className="flex flex-wrap items-center gap-x-2.5">
              {title ? <h2 className="truncate font-semibold text-body">{title}</h2> : null}
              {meta ? <div className="text-ink-faint text-data">{meta}</div> : null}
            </div>
            {description ? <p className="text-ink-faint text-data">{description}</p> : null}
          </div>
          {actions ? <div className="flex items-center gap-2">{actions}</div> : null}
        </header>
      ) : null}
      {isFlush ? children : <div className="p-4">{children}</div>}
    </section>
  )
}
