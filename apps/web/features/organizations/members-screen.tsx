'use client'

import { PageHeader } from '@tributary/ui/patterns/page-header'
import { MembersPanel } from '@/domain/members-panel.tsx'

export function MembersScreen({ slug }: { slug: string }) {
  return (
    <>
      <PageHeader title="Members" description="Who works in this organization, and what they may do." />
      <MembersPanel slug={slug} />
    </>
  )
}
