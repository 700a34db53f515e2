'use client'

import { EmptyState } from '@tributary/ui/patterns/empty-state'
import { FormField } from '@tributary/ui/patterns/form-field'
import { PageHeader } from '@tributary/ui/patterns/page-header'
import { SkeletonLines } from '@tributary/ui/patterns/skeleton'
import { Panel } from '@tributary/ui/primitives/panel'
import { Select } from '@tributary/ui/primitives/select'
import { useState } from 'react'
import { type Moment, tip } from '@/domain/moment.ts'
import { MomentField } from '@/domain/moment-field.tsx'
import { SchemaDiffView } from '@/domain/schema-diff-view.tsx'
import { routes } from '@/lib/routes.ts'
import { NotAvailable } from '@/shell/load-failure.tsx'
import { useProjectNav } from '@/shell/place.ts'

export function SchemaDiffScreen({ projectId, branchId }: { projectId: string; branchId: string }) {
  const project = useProjectNav()
  const branch = project?.branches.nodes.find((each) => each.id === branchId)
  const [chosenDatabase, setDatabase] = useState<string>()
  const [chosenBranch, setChosenBranch] = useState<string>()
  const [moment, setMoment] = useState<Moment | undefined>(tip)
  if (!project) return <SkeletonLines count={8} />
  if (!branch) {
    return (
      <NotAvailable
        what="this branch"
        back={{ label: 'All branches', href: routes.projectPage(projectId, 'branches') }}
      />
    )
  }
  const database = chosenDatabase ?? branch.databases[0]?.name
  const withBranchId = chosenBranch ?? branch.parent?.id ?? branch.id
  return (
    <>
      <PageHeader
        title={`Schema of ${branch.name}, compared`}
        description="What stands in this branch now against another branch, or against a moment of it."
      />
      <div className="grid items-start gap-6 lg:grid-cols-[20rem_minmax(0,1fr)]">
        <Panel title="With">
          <div className="flex flex-col gap-4">
            <FormField label="Branch">
              {(control) => (
                <Select
                  {...control}
                  value={withBranchId}
                  onChange={setChosenBranch}
                  options={project.branches.nodes.map((each) => ({ value: each.id, label: each.name }))}
                />
              )}
            </FormField>
            <MomentField
              key={withBranchId}
              projectId={projectId}
              branchId={withBranchId}
              value={moment}
              onChange={setMoment}
            />
            <FormField label="Database">
              {(control) => (
                <Select
                  {...control}
                  value={database ?? ''}
                  onChange={setDatabase}
                  options={branch.databases.map((each) => ({ value: each.name, label: each.name }))}
                />
              )}
            </FormField>
          </div>
        </Panel>
        <Panel title="Difference">
          {database && moment ? (
            <SchemaDiffView
              projectId={projectId}
              branchId={branchId}
              database={database}
              withBranchId={withBranchId}
              withMoment={moment}
            />
          ) : (
            <EmptyState title={database ? 'Choose a moment to compare with' : 'This branch has no databases'} />
          )}
        </Panel>
      </div>
    </>
  )
}
