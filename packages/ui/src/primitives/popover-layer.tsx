import * as Radix from 'radix-ui/popover'
import { classNames } from '../lib/class-names.ts'
import type { PopoverProps } from './popover.tsx'

/** The half of Popover that is fetched when it is first used. */
export default function PopoverLayer({
  trigger,
  children,
  isOpen,
  onOpenChange,
  align = 'start',
  className,
}: PopoverProps) {
  return (
    <Radix.Root open={isOpen} onOpenChange={onOpenChange}>
      <Radix.Trigger asChild>{trigger}</Radix.Trigger>
      <Radix.Portal>
        <Radix.Content
          align={align}
          sideOffset={4}
          collisionPadding={8}
          className={classNames(
            'z-50 animate-surface rounded-lg border border-line bg-raised p-3 shadow-raised outline-none',
            className,
          )}
        >
          {children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  )
}
