import * as Radix from 'radix-ui/tabs'
import type { ReactNode } from 'react'

export interface TabsProps<Value extends string> {
  value: NoInfer<Value>
  onChange(value: NoInfer<Value>): void
  tabs: readonly { value: Value; label: ReactNode; content: ReactNode }[]
  /** Accessible name of the row of tabs. */
  label: string
}

export function Tabs<Value extends string>({ value, onChange, tabs, label }: TabsProps<Value>) {
  return (
    <Radix.Root value={value} onValueChange={(next) => onChange(next as Value)}>
      <Radix.List aria-label={label} className="-mx-1 flex gap-3 overflow-x-auto border-line border-b">
        {tabs.map((tab) => (
          <Radix.Trigger
            key={tab.value}
            value={tab.value}
            className="-mb-px whitespace-nowrap rounded-t-sm px-1 border-transparent border-b-2 py-2 font-medium text-body text-ink-soft outline-offset-[-2px] transition-colors hover:text-ink data-[state=active]:border-stream data-[state=active]:text-ink"
          >
            {tab.label}
          </Radix.Trigger>
        ))}
      </Radix.List>
      {tabs.map((tab) => (
        <Radix.Content key={tab.value} value={tab.value} className="pt-4 outline-none">
          {tab.content}
        </Radix.Content>
      ))}
    </Radix.Root>
  )
}
