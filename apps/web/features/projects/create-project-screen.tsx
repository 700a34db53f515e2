'use client'

import { Callout } from '@tributary/ui/patterns/callout'
import { FormField } from '@tributary/ui/patterns/form-field'
import { PageHeader } from '@tributary/ui/patterns/page-header'
import { Button } from '@tributary/ui/primitives/button'
import { Input } from '@tributary/ui/primitives/input'
import { Panel } from '@tributary/ui/primitives/panel'
import { Select } from '@tributary/ui/primitives/select'
import Link from 'next/link'
import { useState } from 'react'
import { CreateProjectDocument, type CreateProjectMutation } from '@/gql/graphql.ts'
import { routes } from '@/lib/routes.ts'
import { useAction } from '@/lib/use-action.ts'
import { validateName, validateSqlName } from '@/lib/validate.ts'
import { NotAvailable } from '@/shell/load-failure.tsx'
import { useViewer } from '@/shell/session-guard.tsx'
import { ProjectCreated } from './project-created.tsx'

const windows = [
  { value: '86400', label: '1 day' },
  { value: '604800', label: '7 days' },
  { value: '1209600', label: '14 days' },
  { value: '2592000', label: '30 days' },
] as const

export function CreateProjectScreen({ slug }: { slug: string }) {
  const viewer = useViewer()
  const organization = viewer?.organizations.find((each) => each.slug === slug)
  const create = useAction(CreateProjectDocument, (data) => data.createProject)
  const [name, setName] = useState('')
  const [database, setDatabase] = useState('app')
  const [role, setRole] = useState('app_owner')
  const [pitrWindow, setPitrWindow] = useState<(typeof windows)[number]['value']>('604800')
  const [wasSubmitted, setWasSubmitted] = useState(false)
  const [created, setCreated] = useState<CreateProjectMutation['createProject']>()

  if (viewer && !organization) return <NotAvailable what="this organization" />
  if (organization && !organization.viewerCanCreateProject) {
    return (
      <NotAvailable
        what="creating projects here"
        back={{ label: 'Back to projects', href: routes.organization(slug) }}
      />
    )
  }
  if (created?.project) return <ProjectCreated created={created} project={created.project} />

  const problems = {
    name: validateName(name, 'project'),
    databaseName: validateSqlName(database, 'database'),
    roleName: validateSqlName(role, 'role'),
  }
  const problem = (field: keyof typeof problems) =>
    (wasSubmitted ? problems[field] : undefined) ?? create.fieldError(field)

  async function submit() {
    setWasSubmitted(true)
    if (!organization || Object.values(problems).some(Boolean)) return
    const payload = await create.run({
      input: {
        organizationId: organization.id,
        name: name.trim(),
        databaseName: database,
        roleName: role,
        pitrWindowSeconds: Number(pitrWindow),
      },
    })
    if (payload) setCreated(payload)
  }

  return (
    <div className="mx-auto max-w-xl">
      <PageHeader title="New project" description="Postgres 18, ready in seconds. It starts with one branch, main." />
      <Panel>
        <form
          noValidate
          className="flex flex-col gap-4"
          onSubmit={(event) => {
            event.preventDefault()
            void submit()
          }}
        >
          <FormField label="Project name" error={problem('name')}>
            {(control) => (
              <Input
                {...control}
                autoFocus
                placeholder="orders"
                value={name}
                onChange={(event) => setName(event.target.value)}
              />
            )}
          </FormField>
          <div className="grid gap-4 sm:grid-cols-2">
            <FormField label="Database" error={problem('databaseName')}>
              {(control) => (
                <Input
                  {...control}
                  isMonospace
                  value={database}
                  onChange={(event) => setDatabase(event.target.value)}
                />
              )}
            </FormField>
            <FormField label="Role" hint="Owns the database." error={problem('roleName')}>
              {(control) => (
                <Input {...control} isMonospace value={role} onChange={(event) => setRole(event.target.value)} />
              )}
            </FormField>
          </div>
          <FormField
            label="History"
            hint="How far back you can branch, restore and query. Longer keeps more storage."
            error={create.fieldError('pitrWindowSeconds')}
          >
            {(control) => <Select {...control} value={pitrWindow} onChange={setPitrWindow} options={windows} />}
          </FormField>
          {create.formError('name', 'databaseName', 'roleName', 'pitrWindowSeconds') ? (
            <Callout tone="danger">{create.error?.message}</Callout>
          ) : null}
          <div className="flex justify-end gap-2 pt-1">
            <Button asChild>
              <Link href={routes.organization(slug)}>Cancel</Link>
            </Button>
            <Button type="submit" variant="primary" isBusy={create.isBusy}>
              Create project
            </Button>
          </div>
        </form>
      </Panel>
    </div>
  )
}
