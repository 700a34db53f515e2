'use client'

import { formatBytes, formatDuration } from '@tributary/ui/lib/format'
import { CalendarDay } from '@tributary/ui/patterns/calendar-day'
import { Callout } from '@tributary/ui/patterns/callout'
import { FormField } from '@tributary/ui/patterns/form-field'
import { Meter } from '@tributary/ui/patterns/meter'
import { SkeletonLines } from '@tributary/ui/patterns/skeleton'
import { toast } from '@tributary/ui/patterns/toast'
import { Button } from '@tributary/ui/primitives/button'
import { Input } from '@tributary/ui/primitives/input'
import { Panel } from '@tributary/ui/primitives/panel'
import { useState } from 'react'
import { ProjectSettingsDocument, type ProjectSettingsQuery, UpdateProjectDocument } from '@/gql/graphql.ts'
import { useAction } from '@/lib/use-action.ts'
import { useGraphql } from '@/lib/use-graphql.ts'
import { LoadFailure } from '@/shell/load-failure.tsx'
import { ViewOnlyNote } from '@/shell/view-only-badge.tsx'
import { bytesToGib, gibToBytes, hoursToSeconds, parseLimit, secondsToHours } from './quota-fields.ts'

type Project = NonNullable<ProjectSettingsQuery['project']>

export function QuotasScreen({ projectId }: { projectId: string }) {
  const { data, error, refetch } = useGraphql(ProjectSettingsDocument, { id: projectId })
  if (error && !data) return <LoadFailure error={error} what="the quotas" onRetry={() => void refetch()} />
  const project = data?.project
  if (!project) return <SkeletonLines count={6} />
  const { usage, quotas } = project
  return (
    <div className="grid max-w-4xl items-start gap-6 lg:grid-cols-2">
      <QuotasForm key={project.id} project={project} />
      <Panel
        title="Used"
        description={'What runs over a limit is refused with an error that says so. Committed data is never touched.'}
      >
        <div className="flex flex-col gap-4">
          <Meter
            label="Storage"
            value={Number(usage.storageBytes)}
            max={quotas.storageBytes === null ? undefined : Number(quotas.storageBytes)}
            valueText={formatBytes(usage.storageBytes)}
          />
          <Meter
            label="Compute time"
            value={usage.computeSeconds}
            max={quotas.computeSeconds ?? undefined}
            valueText={formatDuration(usage.computeSeconds * 1000)}
          />
          <Meter
            label="Written"
            value={Number(usage.writtenBytes)}
            max={quotas.writtenBytes === null ? undefined : Number(quotas.writtenBytes)}
            valueText={formatBytes(usage.writtenBytes)}
          />
          <Meter
            label="Branches"
            value={usage.branches}
            max={quotas.branches ?? undefined}
            valueText={String(usage.branches)}
          />
          <p className="text-data text-ink-faint">
            Counted since <CalendarDay at={usage.from} />.
          </p>
        </div>
      </Panel>
    </div>
  )
}

function QuotasForm({ project }: { project: Project }) {
  const update = useAction(UpdateProjectDocument, (data) => data.updateProject)
  const [values, setValues] = useState({
    storageBytes: bytesToGib(project.quotas.storageBytes),
    computeSeconds: secondsToHours(project.quotas.computeSeconds),
    writtenBytes: bytesToGib(project.quotas.writtenBytes),
    branches: project.quotas.branches === null ? '' : String(project.quotas.branches),
  })
  type Field = keyof typeof values
  const problem = (field: Field) =>
    parseLimit(values[field]) === undefined ? 'A number, or nothing for no limit.' : update.fieldError(field)
  const fields: [Field, string][] = [
    ['storageBytes', 'Storage, in GiB'],
    ['computeSeconds', 'Compute time, in hours'],
    ['writtenBytes', 'Written, in GiB'],
    ['branches', 'Branches'],
  ]

  async function submit() {
    const limits = {
      storage: parseLimit(values.storageBytes),
      compute: parseLimit(values.computeSeconds),
      written: parseLimit(values.writtenBytes),
      branches: parseLimit(values.branches),
    }
    if (Object.values(limits).includes(undefined)) return
    const done = await update.run({
      id: project.id,
      input: {
        quotas: {
          storageBytes: gibToBytes(limits.storage ?? null),
          computeSeconds: hoursToSeconds(limits.compute ?? null),
          writtenBytes: gibToBytes(limits.written ?? null),
          branches: limits.branches === null || limits.branches === undefined ? null : Math.round(limits.branches),
        },
      },
    })
    if (done) toast.success('Quotas saved')
  }
  return (
    <Panel title="Limits" description="Empty: no limit.">
      <form
        noValidate
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault()
          void submit()
        }}
      >
        {fields.map(([field, label]) => (
          <FormField key={field} label={label} error={problem(field)}>
            {(control) => (
              <Input
                {...control}
                inputMode="decimal"
                placeholder="no limit"
                disabled={!project.viewerCanWrite}
                value={values[field]}
                onChange={(event) => setValues({ ...values, [field]: event.target.value })}
              />
            )}
          </FormField>
        ))}
        {update.formError(...fields.map(([field]) => field)) ? (
          <Callout tone="danger">{update.error?.message}</Callout>
        ) : null}
        {project.viewerCanWrite ? (
          <div className="flex justify-end">
            <Button type="submit" variant="primary" isBusy={update.isBusy}>
              Save limits
            </Button>
          </div>
        ) : (
          <ViewOnlyNote>
            Your role may look at the limits. Owners, admins and members of {project.organization.name} set them.
          </ViewOnlyNote>
        )}
      </form>
    </Panel>
  )
}
