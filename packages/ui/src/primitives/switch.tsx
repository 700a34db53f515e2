import * as Radix from 'radix-ui/switch'

export interface SwitchProps {
  isOn: boolean
  onChange(isOn: boolean): void
  label?: string
  id?: string
  isDisabled?: boolean
  'aria-describedby'?: string
}

export function Switch({ isOn, onChange, label, id, isDisabled, ...props }: SwitchProps) {
  return (
    <Radix.Root
      id={id}
      checked={isOn}
      onCheckedChange={onChange}
      disabled={isDisabled}
      aria-label={label}
      aria-describedby={props['aria-describedby']}
      className="relative h-5 w-9 shrink-0 rounded-full bg-line-strong transition-colors duration-150 disabled:cursor-not-allowed disabled:opacity-50 data-[state=checked]:bg-stream"
    >
      <Radix.Thumb className="block size-4 translate-x-0.5 rounded-full bg-surface shadow-raised transition-transform duration-150 ease-flow data-[state=checked]:translate-x-4.5" />
    </Radix.Root>
  )
}
