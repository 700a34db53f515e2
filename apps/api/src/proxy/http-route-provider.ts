import type { z } from 'zod'
import {
  computeAddress,
  connectionsAnswer,
  PROXY_CONNECTIONS_PATH,
  PROXY_ROUTE_PATH,
  PROXY_WAKE_PATH,
  type ProxyProblem,
  proxyProblem,
  type RouteAnswer,
  type RouteQuery,
  routeAnswer,
} from './proxy-contract.ts'
import type { RouteProvider } from './route-provider.ts'
import { ProxyError, SQLSTATE } from './wire.ts'

const ANSWER_BYTES_MAX = 1024 * 1024
const ROUTE_MS_MAX = 5_000
const REPORT_MS_MAX = 5_000
/** Routes remembered for the time the API is away. */
const REMEMBERED_MAX = 10_000
const REMEMBERED_MS_MAX = 60 * 60_000

export interface HttpRouteProviderOptions {
  readonly url: string
  /** Read at every call: the API may make it after the proxy has started. Throws while there is none. */
  token(): string
  nowMs(): number
}

/**
 * The API's internal routes. While the API cannot be reached, connections to endpoints that run go on with the route
 * learned last: the compute itself still checks the log-in, so an old verifier opens nothing.
 */
export class HttpRouteProvider implements RouteProvider {
  readonly #options: HttpRouteProviderOptions
  readonly #remembered = new Map<string, { answer: RouteAnswer; atMs: number }>()

  constructor(options: HttpRouteProviderOptions) {
    this.#options = options
  }

  async route(query: RouteQuery, { signal }: { signal: AbortSignal }): Promise<RouteAnswer> {
    const search = new URLSearchParams()
    for (const [name, value] of Object.entries(query)) if (value !== undefined) search.set(name, value)
    const key = search.toString()
    try {
      const answer = await this.#call(`${PROXY_ROUTE_PATH}?${key}`, routeAnswer, { signal, timeoutMs: ROUTE_MS_MAX })
      this.#remember(key, answer)
      return answer
    } catch (error) {
      if (!(error instanceof ApiUnreachable)) {
        if (error instanceof ProxyError) this.#remembered.delete(key)
        throw error
      }
      const remembered = this.#remembered.get(key)
      if (remembered && this.#options.nowMs() - remembered.atMs < REMEMBERED_MS_MAX && remembered.answer.address)
        return remembered.answer
      throw unreachable(error)
    }
  }

  async wake(request: Parameters<RouteProvider['wake']>[0], { signal }: { signal: AbortSignal }) {
    try {
      return await this.#call(PROXY_WAKE_PATH, computeAddress, { signal, body: request })
    } catch (error) {
      throw error instanceof ApiUnreachable ? unreachable(error) : error
    }
  }

  reportConnections(report: Parameters<RouteProvider['reportConnections']>[0], { signal }: { signal: AbortSignal }) {
    return this.#call(PROXY_CONNECTIONS_PATH, connectionsAnswer, { signal, body: report, timeoutMs: REPORT_MS_MAX })
  }

  /** Of roles that exist: names that strangers make up push nothing out. */
  #remember(key: string, answer: RouteAnswer): void {
    this.#remembered.delete(key)
    if (answer.verifier === null) return
    this.#remembered.set(key, { answer, atMs: this.#options.nowMs() })
    if (this.#remembered.size > REMEMBERED_MAX) {
      const [oldest] = this.#remembered.keys()
      if (oldest !== undefined) this.#remembered.delete(oldest)
    }
  }

  async #call<Schema extends z.ZodType>(
    path: string,
    schema: Schema,
    options: { signal: AbortSignal; body?: unknown; timeoutMs?: number },
  ): Promise<z.infer<Schema>> {
    const signals = [options.signal]
    if (options.timeoutMs !== undefined) signals.push(AbortSignal.timeout(options.timeoutMs))
    let status: number
    let text: string
    try {
      const token = this.#options.token()
      const response = await fetch(`${this.#options.url}${path}`, {
        method: options.body === undefined ? 'GET' : 'POST',
        headers: {
          authorization: `Bearer ${token}`,
          ...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
        redirect: 'error',
        signal: AbortSignal.any(signals),
      })
      status = response.status
      text = await response.text()
    } catch (cause) {
      options.signal.throwIfAborted()
      throw new ApiUnreachable('the API does not answer', { cause })
    }
    if (text.length > ANSWER_BYTES_MAX) throw new ApiUnreachable(`the API's answer to ${path} is too long`)
    const value = parseJson(text)
    if (status >= 400) {
      const problem = proxyProblem.safeParse(value)
      if (!problem.success) throw new ApiUnreachable(`the API answered ${status} without a reason`)
      throw problemToError(problem.data)
    }
    const answer = schema.safeParse(value)
    if (!answer.success)
      throw new ApiUnreachable(`the API's answer to ${path} breaks the contract: ${answer.error.message}`)
    return answer.data
  }
}

/** No answer, or none that can be used. */
export class ApiUnreachable extends Error {
  override readonly name = 'ApiUnreachable'
}

function unreachable(cause: ApiUnreachable): ProxyError {
  return new ProxyError(SQLSTATE.cannotConnectNow, 'the control plane does not answer', {
    hint: 'Try again in a few seconds.',
    cause,
  })
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const SQLSTATE_BY_CODE: Readonly<Record<ProxyProblem['code'], string>> = {
  endpoint_not_found: SQLSTATE.connectionRejected,
  endpoint_disabled: SQLSTATE.cannotConnectNow,
  out_of_range: SQLSTATE.invalidParameter,
  quota_exceeded: SQLSTATE.quotaExceeded,
  too_many: SQLSTATE.tooManyConnections,
  unavailable: SQLSTATE.cannotConnectNow,
  invalid_input: SQLSTATE.invalidParameter,
  unauthorized: SQLSTATE.cannotConnectNow,
}

const HINT_BY_CODE: Readonly<Partial<Record<ProxyProblem['code'], string>>> = {
  endpoint_not_found: 'Check the endpoint in the connection string.',
  endpoint_disabled: 'Enable the endpoint in the console or with the API.',
  too_many: 'Try again in a few seconds.',
  unavailable: 'Try again in a few seconds; the reason is in the log of the compute.',
}

export function problemToError(problem: ProxyProblem): ProxyError {
  // What the operator got wrong is nothing for a client of Postgres.
  const message = problem.code === 'unauthorized' ? 'the proxy may not ask the control plane' : problem.message
  return new ProxyError(SQLSTATE_BY_CODE[problem.code], message, { hint: HINT_BY_CODE[problem.code] })
}
