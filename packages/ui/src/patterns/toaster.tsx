'use client'

import { Toaster as Sonner } from 'sonner'

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
