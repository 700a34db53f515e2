import { useMutation, useQueryClient } from '@tanstack/react-query'
import { toast } from '@tributary/ui/patterns/toast'
import type { TypedDocumentString } from '@/gql/graphql.ts'
import { errorText } from './api-errors.ts'
import { request } from './graphql-client.ts'
import { refreshAll } from './use-graphql.ts'

/** An expected refusal: said by the API in the payload, with the field it is about. */
export interface UserError {
  code: string
  message: string
  field?: string | null
}

interface Payload {
  error?: UserError | null
}

export interface Action<Variables, Result> {
  /** Resolves to the payload, or to undefined when it failed: then `error` says why. */
  run(variables: Variables): Promise<Result | undefined>
  isBusy: boolean
  error: UserError | undefined
  /** The error's text when it is about this field of the form. */
  fieldError(field: string): string | undefined
  /** The error's text when no field of the form shows it. */
  formError(...fields: string[]): string | undefined
  reset(): void
}

class Refusal extends Error {
  readonly userError: UserError
  constructor(userError: UserError) {
    super(userError.message)
    this.userError = userError
  }
}

/**
 * A change through the API. What it touched is asked for again when it is done. `failureTitle` is for changes without a form:
 * a failure then shows as a toast.
 */
export function useAction<Data, Variables, Result extends Payload>(
  document: TypedDocumentString<Data, Variables>,
  pick: (data: Data) => Result,
  options: { failureTitle?: string } = {},
): Action<Variables, Result> {
  const client = useQueryClient()
  const mutation = useMutation({
    mutationFn: async (variables: Variables) => {
      const payload = pick(await request(document, variables))
      if (payload.error) throw new Refusal(payload.error)
      return payload
    },
    onSuccess: () => void refreshAll(client),
    onError: (failure) => {
      if (options.failureTitle) toast.failure(options.failureTitle, asUserError(failure).message)
    },
  })
  const error = mutation.error ? asUserError(mutation.error) : undefined
  return {
    run: (variables) => mutation.mutateAsync(variables).catch(() => undefined),
    isBusy: mutation.isPending,
    error,
    fieldError: (field) => (error?.field === field ? error.message : undefined),
    formError: (...fields) => (error && !fields.includes(error.field ?? '') ? error.message : undefined),
    reset: mutation.reset,
  }
}

function asUserError(error: Error): UserError {
  return error instanceof Refusal ? error.userError : { code: error.name, message: errorText(error) }
}
