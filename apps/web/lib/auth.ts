import { ApiError, ConnectionLostError } from './api-errors.ts'

/** The calls of the log-in that the console makes; the API's library serves them under /api/auth. */
async function post(path: string, body: unknown): Promise<unknown> {
  let response: Response
  try {
    response = await fetch(`/api/auth/${path}`, {
      method: 'POST',
      credentials: 'same-origin',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  } catch (error) {
    throw new ConnectionLostError('no answer from the API', { cause: error })
  }
  const answer: unknown = await response.json().catch(() => undefined)
  if (response.ok) return answer
  if (response.status >= 502 && response.status <= 504) throw new ConnectionLostError('the API is away')
  const { code, message } = readFailure(answer)
  throw new ApiError(response.status === 429 ? 'Too many attempts. Wait a minute, then try again.' : message, code)
}

function readFailure(answer: unknown): { code: string; message: string } {
  const fields = typeof answer === 'object' && answer !== null ? (answer as Record<string, unknown>) : {}
  return {
    code: typeof fields.code === 'string' ? fields.code : 'INTERNAL',
    message: typeof fields.message === 'string' ? fields.message : 'The API refused without saying why.',
  }
}

export const auth = {
  signIn: (input: { email: string; password: string }) => post('sign-in/email', input),
  signUp: (input: { name: string; email: string; password: string }) => post('sign-up/email', input),
  signOut: () => post('sign-out', {}),
  acceptInvitation: (invitationId: string) => post('organization/accept-invitation', { invitationId }),
}
