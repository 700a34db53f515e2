'use client'

import { useMutation, useQueryClient } from '@tanstack/react-query'
import { FormField } from '@tributary/ui/patterns/form-field'
import { toast } from '@tributary/ui/patterns/toast'
import { Button } from '@tributary/ui/primitives/button'
import { Input } from '@tributary/ui/primitives/input'
import { Popover } from '@tributary/ui/primitives/popover'
import { Bookmark } from 'lucide-react'
import { type FormEvent, useState } from 'react'
import { type QueryEngine, SaveQueryDocument, SqlSideDocument } from '@/gql/graphql.ts'
import { errorText } from '@/lib/api-errors.ts'
import { operationName, request } from '@/lib/graphql-client.ts'

/** Keeps the text of the editor under a name. */
export function SaveQueryPopover({ projectId, sql, engine }: { projectId: string; sql: string; engine: QueryEngine }) {
  const [isOpen, setIsOpen] = useState(false)
  const [name, setName] = useState('')
  const client = useQueryClient()
  const save = useMutation({
    mutationFn: () => request(SaveQueryDocument, { projectId, name: name.trim(), sql, engine }),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: [operationName(SqlSideDocument)] })
      toast.success(`Saved as ${name.trim()}`)
      setIsOpen(false)
      setName('')
    },
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (name.trim() !== '') save.mutate()
  }
  return (
    <Popover
      isOpen={isOpen}
      onOpenChange={setIsOpen}
      align="end"
      className="w-72"
      trigger={
        <Button disabled={sql.trim() === ''}>
          <Bookmark /> Save
        </Button>
      }
    >
      <form onSubmit={submit} className="flex flex-col gap-3">
        <FormField label="Name" error={save.error ? errorText(save.error) : undefined}>
          {(control) => <Input {...control} value={name} onChange={(event) => setName(event.target.value)} />}
        </FormField>
        <Button type="submit" variant="primary" size="small" isBusy={save.isPending} disabled={name.trim() === ''}>
          Save query
        </Button>
      </form>
    </Popover>
  )
}
