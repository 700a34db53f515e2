import { callJson } from '../io/http-client.ts'

export interface SupervisorAddress {
  readonly url: string
  readonly token: string
}

export type SupervisorCall = (
  method: string,
  path: string,
  more?: { readonly body?: unknown; readonly timeoutMs?: number; readonly signal?: AbortSignal },
) => Promise<unknown>

export const CALL_TIMEOUT_MS = 10_000
export const STOP_TIMEOUT_MS = 60_000
/** How long the supervisor holds a poll open. */
export const POLL_WAIT_MS = 20_000

/** Calls to the supervisor of one machine, by default of CALL_TIMEOUT_MS. */
export function supervisorCall({ url, token }: SupervisorAddress): SupervisorCall {
  const base = url.replace(/\/$/, '')
  return (method, path, { body, timeoutMs = CALL_TIMEOUT_MS, signal } = {}) =>
    callJson(`${base}${path}`, {
      method,
      token,
      timeoutMs,
      ...(body === undefined ? {} : { body }),
      ...(signal === undefined ? {} : { signal }),
    })
}
