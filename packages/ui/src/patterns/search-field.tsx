'use client'

import { Search, X } from 'lucide-react'
import { Input } from '../primitives/input.tsx'

export interface SearchFieldProps {
  value: string
  onChange(value: string): void
  label: string
  placeholder?: string
  className?: string
}

export function SearchField({ value, onChange, label, placeholder, className }: SearchFieldProps) {
  return (
    <search className={`relative block ${className ?? 'w-full sm:w-64'}`}>
      <Search
        className="-translate-y-1/2 pointer-events-none absolute top-1/2 left-2.5 size-4 text-ink-faint"
        aria-hidden="true"
      />
      <Input
        type="text"
        inputMode="search"
        data-search
        aria-label={label}
        placeholder={placeholder ?? label}
        value={value}
        onChange={(event) => onChange(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Escape' && value) onChange('')
        }}
        className="pr-8 pl-8.5"
      />
      {value ? (
        <button
          type="button"
          aria-label="Clear search"
          onClick={() => onChange('')}
          className="-translate-y-1/2 absolute top-1/2 right-2 rounded-sm p-0.5 text-ink-faint hover:text-ink"
        >
          <X className="size-3.5" />
        </button>
      ) : null}
    </search>
  )
}
