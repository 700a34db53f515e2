'use client'

import { classNames } from '@tributary/ui/lib/class-names'
import { Input } from '@tributary/ui/primitives/input'
import { Popover } from '@tributary/ui/primitives/popover'
import { Check, ChevronsUpDown, Plus } from 'lucide-react'
import Link from 'next/link'
import { type ReactNode, useState } from 'react'

export interface SwitcherItem {
  id: string
  label: string
  href: string
  badge?: ReactNode
}

export interface SwitcherProps {
  /** What is switched: "Project". */
  kind: string
  icon: ReactNode
  current: { id: string; label: string } | undefined
  items: readonly SwitcherItem[]
  create?: { label: string; href: string } | undefined
}

/** The place one is at, and the others one can go to. A search field comes with the ninth. */
export function Switcher({ kind, icon, current, items, create }: SwitcherProps) {
  const [isOpen, setIsOpen] = useState(false)
  const [search, setSearch] = useState('')
  const shown = items.filter((item) => item.label.toLowerCase().includes(search.trim().toLowerCase()))
  const close = () => {
    setIsOpen(false)
    setSearch('')
  }
  return (
    <Popover
      isOpen={isOpen}
      onOpenChange={(next) => (next ? setIsOpen(true) : close())}
      className="w-64 p-1"
      trigger={
        <button
          type="button"
          className="flex h-8.5 w-full min-w-0 items-center gap-2 rounded-md px-2 text-left text-data hover:bg-hover data-[state=open]:bg-hover"
        >
          <span className="text-ink-faint [&>svg]:size-4">{icon}</span>
          <span className="min-w-0 flex-1 truncate font-medium">
            <span className="sr-only">{kind}: </span>
            {current?.label ?? <span className="text-ink-faint">Choose {withArticle(kind)}</span>}
          </span>
          <ChevronsUpDown className="size-3.5 shrink-0 text-ink-faint" aria-hidden="true" />
        </button>
      }
    >
      {items.length > 8 ? (
        <Input
          aria-label={`Find ${withArticle(kind)}`}
          placeholder={`Find ${withArticle(kind)}`}
          value={search}
          onChange={(event) => setSearch(event.target.value)}
          className="mb-1 h-8"
        />
      ) : null}
      <ul className="max-h-72 overflow-y-auto">
        {shown.map((item) => (
          <li key={item.id}>
            <Link
              href={item.href}
              onClick={close}
              className={classNames(
                'flex items-center gap-2 rounded-md px-2.5 py-1.5 text-data outline-offset-[-2px] hover:bg-hover',
                item.id === current?.id && 'font-medium',
              )}
            >
              <span className="min-w-0 flex-1 truncate">{item.label}</span>
              {item.badge}
              {item.id === current?.id ? <Check className="size-3.5 text-stream-strong" aria-label="current" /> : null}
            </Link>
          </li>
        ))}
        {shown.length === 0 ? <li className="px-2.5 py-2 text-data text-ink-faint">Nothing found</li> : null}
      </ul>
      {create ? (
        <Link
          href={create.href}
          onClick={close}
          className="mt-1 flex items-center gap-2 border-line border-t px-2.5 pt-2 pb-1.5 text-data text-ink-soft outline-offset-[-2px] hover:text-ink"
        >
          <Plus className="size-3.5" /> {create.label}
        </Link>
      ) : null}
    </Popover>
  )
}

/** `Organization` -> `an organization`. */
function withArticle(kind: string): string {
  const word = kind.toLowerCase()
  return /^[aeiou]/.test(word) ? `an ${word}` : `a ${word}`
}
