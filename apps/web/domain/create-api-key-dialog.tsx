'use client'

import { Callout } from '@tributary/ui/patterns/callout'
import { CodeBlock } from '@tributary/ui/patterns/code-block'
import { CopyField } from '@tributary/ui/patterns/copy-field'
import { FormDialog } from '@tributary/ui/patterns/form-dialog'
import { FormField } from '@tributary/ui/patterns/form-field'
import { Button } from '@tributary/ui/primitives/button'
import { Checkbox } from '@tributary/ui/primitives/checkbox'
import { Dialog, DialogBody, DialogFooter } from '@tributary/ui/primitives/dialog'
import { Input } from '@tributary/ui/primitives/input'
import { Select } from '@tributary/ui/primitives/select'
import { useState } from 'react'
import { CreateApiKeyDocument } from '@/gql/graphql.ts'
import { useAction } from '@/lib/use-action.ts'
import { validateName } from '@/lib/validate.ts'

const lifetimes = [
  { value: '30', label: '30 days' },
  { value: '90', label: '90 days' },
  { value: '365', label: '1 year' },
  { value: 'never', label: 'Never' },
] as const

type Lifetime = (typeof lifetimes)[number]['value']

export interface CreateApiKeyDialogProps {
  isOpen: boolean
  onOpenChange(isOpen: boolean): void
  scope: { organizationId?: string; projectId?: string }
}

/** Makes a key and shows it, once: it is kept only as a hash. */
export function CreateApiKeyDialog({ isOpen, onOpenChange, scope }: CreateApiKeyDialogProps) {
  const [name, setName] = useState('')
  const [lifetime, setLifetime] = useState<Lifetime>('90')
  const [isReadOnly, setIsReadOnly] = useState(false)
  const [wasSubmitted, setWasSubmitted] = useState(false)
  const [secret, setSecret] = useState<string>()
  const create = useAction(CreateApiKeyDocument, (data) => data.createApiKey)

  function close(next: boolean) {
    onOpenChange(next)
    if (next) return
    setName('')
    setSecret(undefined)
    setWasSubmitted(false)
    create.reset()
  }
  async function submit() {
    setWasSubmitted(true)
    if (validateName(name, 'key')) return
    const payload = await create.run({
      input: {
        ...scope,
        name: name.trim(),
        expiresInDays: lifetime === 'never' ? null : Number(lifetime),
        readOnly: isReadOnly,
      },
    })
    if (payload?.secret) setSecret(payload.secret)
  }

  if (secret !== undefined) {
    return (
      <Dialog isOpen={isOpen} onOpenChange={close} title="Key created">
        <DialogBody>
          <Callout tone="caution" title="Copy it now">
            It is shown this once. Only a hash of it is kept.
          </Callout>
          <CopyField label="API key" text={secret} />
          <CodeBlock
            label="Example call"
            text={`curl ${typeof window === 'undefined' ? '' : window.location.origin}/api/v2/projects \\\n  -H 'authorization: Bearer ${secret}'`}
          />
        </DialogBody>
        <DialogFooter>
          <Button variant="primary" onClick={() => close(false)}>
            I have it
          </Button>
        </DialogFooter>
      </Dialog>
    )
  }
  return (
    <FormDialog
      isOpen={isOpen}
      onOpenChange={close}
      title="New API key"
      width="narrow"
      action="Create key"
      isBusy={create.isBusy}
      error={create.formError('name', 'expiresInDays')}
      onSubmit={() => void submit()}
    >
      <FormField
        label="Name"
        hint="Says where it is used: ci, backup, terraform."
        error={(wasSubmitted ? validateName(name, 'key') : undefined) ?? create.fieldError('name')}
      >
        {(control) => <Input {...control} value={name} onChange={(event) => setName(event.target.value)} />}
      </FormField>
      <FormField label="Expires after" error={create.fieldError('expiresInDays')}>
        {(control) => <Select {...control} value={lifetime} onChange={setLifetime} options={lifetimes} />}
      </FormField>
      <Checkbox
        isChecked={isReadOnly}
        onChange={setIsReadOnly}
        label="Read only"
        hint="It may look, and change nothing."
      />
    </FormDialog>
  )
}
