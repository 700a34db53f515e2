'use client'

import { Callout } from '@tributary/ui/patterns/callout'
import { FormField } from '@tributary/ui/patterns/form-field'
import { PageHeader } from '@tributary/ui/patterns/page-header'
import { Button } from '@tributary/ui/primitives/button'
import { Input } from '@tributary/ui/primitives/input'
import { Panel } from '@tributary/ui/primitives/panel'
import { useRouter } from 'next/navigation'
import { useState } from 'react'
import { CreateOrganizationDocument } from '@/gql/graphql.ts'
import { routes } from '@/lib/routes.ts'
import { useAction } from '@/lib/use-action.ts'
import { slugFrom, validateName, validateSlug } from '@/lib/validate.ts'

export function CreateOrganizationScreen() {
  const router = useRouter()
  const create = useAction(CreateOrganizationDocument, (data) => data.createOrganization)
  const [name, setName] = useState('')
  const [ownSlug, setOwnSlug] = useState<string>()
  const [wasSubmitted, setWasSubmitted] = useState(false)
  const slug = ownSlug ?? slugFrom(name)
  const nameError = wasSubmitted ? validateName(name, 'organization') : undefined
  const slugError = wasSubmitted ? validateSlug(slug) : undefined

  async function submit() {
    setWasSubmitted(true)
    if (validateName(name, 'organization') || validateSlug(slug)) return
    const payload = await create.run({ input: { name: name.trim(), slug } })
    if (payload?.organization) router.push(routes.organization(payload.organization.slug))
  }

  return (
    <div className="mx-auto max-w-xl">
      <PageHeader
        title="New organization"
        description="An organization holds projects, the people who work on them, and their API keys. You will be its owner."
      />
      <Panel>
        <form
          noValidate
          className="flex flex-col gap-4"
          onSubmit={(event) => {
            event.preventDefault()
            void submit()
          }}
        >
          <FormField label="Name" error={nameError ?? create.fieldError('name')}>
            {(control) => (
              <Input {...control} autoFocus value={name} onChange={(event) => setName(event.target.value)} />
            )}
          </FormField>
          <FormField
            label="Address"
            hint="Part of the console's addresses. It does not change when the name does."
            error={slugError ?? create.fieldError('slug')}
          >
            {(control) => (
              <Input {...control} isMonospace value={slug} onChange={(event) => setOwnSlug(event.target.value)} />
            )}
          </FormField>
          {create.formError('name', 'slug') ? <Callout tone="danger">{create.error?.message}</Callout> : null}
          <div className="flex justify-end">
            <Button type="submit" variant="primary" isBusy={create.isBusy}>
              Create organization
            </Button>
          </div>
        </form>
      </Panel>
    </div>
  )
}
