'use client'

import { CopyField } from '@tributary/ui/patterns/copy-field'
import { FormDialog } from '@tributary/ui/patterns/form-dialog'
import { FormField } from '@tributary/ui/patterns/form-field'
import { Button } from '@tributary/ui/primitives/button'
import { Dialog, DialogBody, DialogFooter } from '@tributary/ui/primitives/dialog'
import { Input } from '@tributary/ui/primitives/input'
import { Select } from '@tributary/ui/primitives/select'
import { useState } from 'react'
import { InviteMemberDocument } from '@/gql/graphql.ts'
import { routes } from '@/lib/routes.ts'
import { useAction } from '@/lib/use-action.ts'
import { validateEmail } from '@/lib/validate.ts'
import { roleText } from './organization-roles.ts'

const invitable = (['ADMIN', 'MEMBER', 'VIEWER'] as const).map((value) => ({ value, label: roleText[value].label }))

export interface InviteMemberDialogProps {
  isOpen: boolean
  onOpenChange(isOpen: boolean): void
  organizationId: string
}

/** Invites by address. No mail is sent from here: the link is given to whoever invites. */
export function InviteMemberDialog({ isOpen, onOpenChange, organizationId }: InviteMemberDialogProps) {
  const invite = useAction(InviteMemberDocument, (data) => data.inviteMember)
  const [email, setEmail] = useState('')
  const [role, setRole] = useState<(typeof invitable)[number]['value']>('MEMBER')
  const [wasSubmitted, setWasSubmitted] = useState(false)
  const [link, setLink] = useState<string>()

  function close(next: boolean) {
    onOpenChange(next)
    if (next) return
    setEmail('')
    setLink(undefined)
    setWasSubmitted(false)
    invite.reset()
  }
  async function submit() {
    setWasSubmitted(true)
    if (validateEmail(email)) return
    const payload = await invite.run({ input: { organizationId, email: email.trim(), role } })
    if (payload?.invitation) setLink(`${window.location.origin}${routes.invitation(payload.invitation.id)}`)
  }

  if (link !== undefined) {
    return (
      <Dialog isOpen={isOpen} onOpenChange={close} title="Invitation ready">
        <DialogBody>
          <p className="text-ink-soft">
            Send this link to <b className="text-ink">{email}</b>. It works for that address alone, after signing in or
            up.
          </p>
          <CopyField label="Invitation link" text={link} />
        </DialogBody>
        <DialogFooter>
          <Button variant="primary" onClick={() => close(false)}>
            Done
          </Button>
        </DialogFooter>
      </Dialog>
    )
  }
  return (
    <FormDialog
      isOpen={isOpen}
      onOpenChange={close}
      title="Invite to the organization"
      width="narrow"
      action="Invite"
      isBusy={invite.isBusy}
      error={invite.formError('email', 'role')}
      onSubmit={() => void submit()}
    >
      <FormField label="Email" error={(wasSubmitted ? validateEmail(email) : undefined) ?? invite.fieldError('email')}>
        {(control) => (
          <Input {...control} type="email" value={email} onChange={(event) => setEmail(event.target.value)} />
        )}
      </FormField>
      <FormField label="Role" hint={roleText[role].hint} error={invite.fieldError('role')}>
        {(control) => <Select {...control} value={role} onChange={setRole} options={invitable} />}
      </FormField>
    </FormDialog>
  )
}
