'use client'

import { Sheet } from '@tributary/ui/primitives/sheet'
import { Sidebar } from './sidebar.tsx'

/** The navigation of a phone. */
export default function NavigationSheet({
  isOpen,
  onOpenChange,
}: {
  isOpen: boolean
  onOpenChange(isOpen: boolean): void
}) {
  return (
    <Sheet isOpen={isOpen} onOpenChange={onOpenChange} side="left" title="Navigation" hideTitle className="w-72">
      <Sidebar onNavigate={() => onOpenChange(false)} />
    </Sheet>
  )
}
