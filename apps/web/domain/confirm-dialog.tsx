'use client'

import dynamic from 'next/dynamic'

/** The confirmation of a destructive step. It opens over a page, so its code comes after the page. */
export const ConfirmDialog = dynamic(
  () => import('@tributary/ui/patterns/confirm-dialog').then((module) => module.ConfirmDialog),
  { ssr: false },
)
