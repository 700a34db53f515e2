'use client'

import { Toaster as Sonner, toast as sonner } from 'sonner'

/** Once in the application. */
export function Toaster() {
  return (
    <Sonner
      position="bottom-right"
      gap={8}
      toastOptions={{
        unstyled: true,
        classNames: {
          toast:
            'flex w-full items-start gap-2.5 rounded-lg border border-line bg-raised px-4 py-3 text-ink text-data shadow-raised sm:w-90',
          title: 'font-medium',
          description: 'mt-0.5 text-ink-soft',
          icon: 'mt-0.5 size-4 shrink-0',
          success: '[&_[data-icon]]:text-positive',
          error: '[&_[data-icon]]:text-danger',
          actionButton: 'ml-auto shrink-0 font-medium text-stream-strong',
        },
      }}
    />
  )
}

export const toast = {
  success: (title: string, description?: string) => sonner.success(title, { description }),
  failure: (title: string, description?: string) => sonner.error(title, { description, duration: 10_000 }),
  note: (title: string, description?: string) => sonner(title, { description }),
}
