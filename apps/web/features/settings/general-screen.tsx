'use client'

import { formatBytes } from '@tributary/ui/lib/format'
import { Callout } from '@tributary/ui/patterns/callout'
import { CopyField } from '@tributary/ui/patterns/copy-field'
import { FormField } from '@tributary/ui/patterns/form-field'
import { SkeletonLines } from '@tributary/ui/patterns/skeleton'
import { toast } from '@tributary/ui/patterns/toast'
import { Button } from '@tributary/ui/primitives/button'
import { Input } from '@tributary/ui/primitives/input'
import { Panel } from '@tributary/ui/primitives/panel'
import { useRouter } from 'next/navigation'
import { useState } from 'react'
import { ConfirmDialog } from '@/domain/confirm-dialog.tsx'
import {
  DeleteProjectDocument,
  ProjectSettingsDocument,
  type ProjectSettingsQuery,
  UpdateProjectDocument,
} from '@/gql/graphql.ts'
import { routes } from '@/lib/routes.ts'
import { useAction } from '@/lib/use-action.ts'
import { useGraphql } from '@/lib/use-graphql.ts'
import { validateName } from '@/lib/validate.ts'
import { LoadFailure } from '@/shell/load-failure.tsx'
import { ViewOnlyNote } from '@/shell/view-only-badge.tsx'
import { daySeconds, parseDays } from './quota-fields.ts'

type Project = NonNullable<ProjectSettingsQuery['project']>

export function GeneralScreen({ projectId }: { projectId: string }) {
  const { data, error, refetch } = useGraphql(ProjectSettingsDocument, { id: projectId })
  if (error && !data) return <LoadFailure error={error} what="the settings" onRetry={() => void refetch()} />
  const project = data?.project
  if (!project) return <SkeletonLines count={6} />
  return (
    <div className="flex max-w-2xl flex-col gap-6">
      {project.viewerCanWrite ? null : (
        <ViewOnlyNote>
          Your role may look at these settings. Owners, admins and members of {project.organization.name} change them.
        </ViewOnlyNote>
      )}
      <ProjectForm key={project.id} project={project} />
      <Panel title="For programs">
        <div className="flex flex-col gap-4">
          <CopyField label="Project id" text={project.id} />
          <CopyField label="GraphQL" text={`${window.location.origin}/graphql`} />
          <CopyField label="REST" text={`${window.location.origin}/api/v2`} />
        </div>
      </Panel>
      <DeleteProject project={project} />
    </div>
  )
}

function ProjectForm({ project }: { project: Project }) {
  const update = useAction(UpdateProjectDocument, (data) => data.updateProject)
  const [name, setName] = useState(project.name)
  const [days, setDays] = useState(String(project.pitrWindowSeconds / daySeconds))
  const windowSeconds = parseDays(days)
  const windowError = windowSeconds === undefined ? 'From 1 hour (0.05) to 30 days.' : undefined

  async function submit() {
    if (validateName(name, 'project') || windowSeconds === undefined) return
    const done = await update.run({ id: project.id, input: { name: name.trim(), pitrWindowSeconds: windowSeconds } })
    if (done) toast.success('Saved')
  }
  return (
    <Panel title="Project">
      <form
        noValidate
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault()
          void submit()
        }}
      >
        <FormField label="Name" error={validateName(name, 'project') ?? update.fieldError('name')}>
          {(control) => (
            <Input
              {...control}
              disabled={!project.viewerCanWrite}
              value={name}
              onChange={(event) => setName(event.target.value)}
            />
          )}
        </FormField>
        <FormField
          label="History, in days"
          hint="Shortening it lets history beyond it be deleted for good. Lengthening it does not bring deleted history back."
          error={windowError ?? update.fieldError('pitrWindowSeconds')}
        >
          {(control) => (
            <Input
              {...control}
              inputMode="decimal"
              disabled={!project.viewerCanWrite}
              value={days}
              onChange={(event) => setDays(event.target.value)}
            />
          )}
        </FormField>
        {update.formError('name', 'pitrWindowSeconds') ? (
          <Callout tone="danger">{update.error?.message}</Callout>
        ) : null}
        {project.viewerCanWrite ? (
          <div className="flex justify-end">
            <Button type="submit" variant="primary" isBusy={update.isBusy}>
              Save
            </Button>
          </div>
        ) : null}
      </form>
    </Panel>
  )
}

function DeleteProject({ project }: { project: Project }) {
  const router = useRouter()
  const [isAsking, setIsAsking] = useState(false)
  const remove = useAction(DeleteProjectDocument, (data) => data.deleteProject)
  return (
    <Panel title="Delete project" description="All branches, their history and snapshots go with it.">
      <Button variant="danger" disabled={!project.viewerCanDelete} onClick={() => setIsAsking(true)}>
        Delete project
      </Button>
      {project.viewerCanDelete ? null : (
        <p className="mt-2 text-data text-ink-faint">
          Owners and admins of {project.organization.name} delete projects.
        </p>
      )}
      <ConfirmDialog
        isOpen={isAsking}
        onOpenChange={setIsAsking}
        title={`Delete ${project.name}`}
        action="Delete project"
        confirmName={project.name}
        isBusy={remove.isBusy}
        error={remove.error?.message}
        onConfirm={async () => {
          if (!(await remove.run({ id: project.id }))) return
          toast.success(`${project.name} is being deleted`)
          router.push(routes.organization(project.organization.slug))
        }}
      >
        <p>
          {project.branches.totalCount} branches with {formatBytes(project.usage.storageBytes)} and{' '}
          {project.endpoints.length} computes are deleted, with all history and snapshots. Connections are cut at once.
          This cannot be undone.
        </p>
      </ConfirmDialog>
    </Panel>
  )
}
