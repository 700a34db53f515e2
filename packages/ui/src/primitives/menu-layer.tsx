import * as Radix from 'radix-ui/dropdown-menu'
import { cloneElement, useRef } from 'react'
import { classNames } from '../lib/class-names.ts'
import type { MenuEntry, MenuProps } from './menu.tsx'

export interface MenuLayerProps extends Required<MenuProps> {
  isOpen: boolean
  onOpenChange(isOpen: boolean): void
}

/** The half of Menu that is fetched when it is first used. */
export default function MenuLayer({ trigger, entries, align, isOpen, onOpenChange }: MenuLayerProps) {
  const chosen = useRef<() => void>(undefined)
  return (
    <Radix.Root open={isOpen} onOpenChange={onOpenChange}>
      <Radix.Trigger asChild>{trigger}</Radix.Trigger>
      <Radix.Portal>
        <Radix.Content
          align={align}
          sideOffset={4}
          collisionPadding={8}
          // What was chosen happens when the focus is back on the trigger: a dialog returns it there when it closes.
          onCloseAutoFocus={() => {
            if (chosen.current) setTimeout(chosen.current)
            chosen.current = undefined
          }}
          className="z-50 max-h-(--radix-dropdown-menu-content-available-height) min-w-48 animate-surface overflow-y-auto rounded-lg border border-line bg-raised p-1 shadow-raised"
        >
          {entries.map((entry, index) => (
            <Entry
              key={entry.kind === 'separator' ? `separator-${index}` : entry.label}
              entry={entry}
              onChoose={(act) => {
                chosen.current = act
              }}
            />
          ))}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  )
}

const itemClasses =
  'flex cursor-pointer items-center gap-2 rounded-md px-2.5 py-1.5 text-body outline-none data-disabled:cursor-not-allowed data-disabled:opacity-50 data-highlighted:bg-hover [&>svg]:size-4 [&>svg]:shrink-0 [&>svg]:text-ink-faint'

function Entry({ entry, onChoose }: { entry: MenuEntry; onChoose(act: (() => void) | undefined): void }) {
  if (entry.kind === 'separator') return <Radix.Separator className="-mx-1 my-1 h-px bg-line" />
  if (entry.kind === 'note') {
    return <Radix.Label className="px-2.5 pt-1.5 pb-1 text-ink-faint text-label">{entry.label}</Radix.Label>
  }
  const shared = {
    disabled: entry.isDisabled ?? false,
    className: classNames(itemClasses, entry.isDanger && 'text-danger [&>svg]:text-danger'),
  }
  if (entry.link) {
    return (
      <Radix.Item asChild {...shared}>
        {cloneElement(entry.link, {}, entry.icon, entry.label)}
      </Radix.Item>
    )
  }
  return (
    <Radix.Item {...shared} onSelect={() => onChoose(entry.onSelect)}>
      {entry.icon}
      {entry.label}
    </Radix.Item>
  )
}
