'use client'

import { Dialog, DialogBody } from '@tributary/ui/primitives/dialog'
import { Kbd } from '@tributary/ui/primitives/kbd'
import { Fragment } from 'react'
import { navigationFor } from './navigation.ts'
import { usePlace } from './place.ts'

const generalShortcuts = [
  { keys: ['Ctrl', 'K'], label: 'Command menu' },
  { keys: ['/'], label: 'Search in this list' },
  { keys: ['c'], label: 'Create (branch, project, key)' },
  { keys: ['?'], label: 'This help' },
] as const

/** Where the keyboard does more than everywhere else. */
const placeShortcuts = [
  { keys: ['Ctrl', '↵'], label: 'SQL editor: run all, or the selection' },
  { keys: ['←', '→'], label: 'Restore slider: commit by commit; timeline: mark by mark' },
  { keys: ['↑', '↓'], label: 'Timeline: branch by branch' },
  { keys: ['↵'], label: 'Timeline: pick this moment' },
  { keys: ['+', '-', '0'], label: 'Timeline: zoom in, out, show all' },
  { keys: ['Esc'], label: 'Close what is open; empty a search' },
] as const

export default function ShortcutsHelp({
  isOpen,
  onOpenChange,
}: {
  isOpen: boolean
  onOpenChange(isOpen: boolean): void
}) {
  const place = usePlace()
  const pages = navigationFor(place, undefined).flatMap((group) => group.items)
  return (
    <Dialog isOpen={isOpen} onOpenChange={onOpenChange} title="Keyboard shortcuts" width="narrow">
      <DialogBody className="gap-5">
        <ShortcutList rows={generalShortcuts} />
        {place.project ? <ShortcutList rows={placeShortcuts} /> : null}
        {pages.length > 0 ? (
          <ShortcutList
            rows={pages.flatMap((page) =>
              page.shortcut ? [{ keys: ['g', page.shortcut], label: `Go to ${page.label}` }] : [],
            )}
          />
        ) : null}
      </DialogBody>
    </Dialog>
  )
}

function ShortcutList({ rows }: { rows: readonly { keys: readonly string[]; label: string }[] }) {
  return (
    <dl className="grid grid-cols-[1fr_auto] items-center gap-y-2 text-data">
      {rows.map((row) => (
        <Fragment key={row.label}>
          <dt className="text-ink-soft">{row.label}</dt>
          <dd className="flex justify-end gap-1">
            {row.keys.map((key) => (
              <Kbd key={key}>{key}</Kbd>
            ))}
          </dd>
        </Fragment>
      ))}
    </dl>
  )
}
