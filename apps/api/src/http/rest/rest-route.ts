import { z } from 'zod'
import type { Actor, App, CallOptions } from '../../app.ts'
import type { Services } from '../../services.ts'

/** One operation of the REST interface, as data: the routes and the served OpenAPI document are both made of it. */
export interface RestRoute {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE'
  /** Below /api/v2, parameters in braces: "/projects/{project_id}". */
  readonly path: string
  /** As in the public document. */
  readonly operationId: string
  readonly summary: string
  /** Of a success. */
  readonly status: number
  readonly query: z.ZodObject
  /** Undefined: the body, if any, is not read. */
  readonly body: z.ZodType | undefined
  /** Top-level fields of the answer; 'list' for a bare array, 'empty' for none. */
  readonly returns: readonly string[] | 'list' | 'empty'
  handle(call: RestCall): Promise<unknown>
}

export interface RestCall<Query = Record<string, unknown>, Body = unknown> {
  readonly app: App
  readonly services: Services
  readonly actor: Exclude<Actor, { kind: 'system' }>
  readonly params: Readonly<Record<string, string>>
  readonly query: Query
  readonly body: Body
  readonly options: CallOptions & { readonly signal: AbortSignal; readonly requestId: string }
}

/** An answer with another status than the route's own. */
export class OtherStatus {
  readonly status: number
  readonly body: unknown

  constructor(status: number, body?: unknown) {
    this.status = status
    this.body = body
  }
}

const noQuery = z.object({})

/** Gives `handle` the types of the schemas beside it. */
export function restRoute<Query extends z.ZodObject = typeof noQuery, Body extends z.ZodType = z.ZodUndefined>(route: {
  readonly method: RestRoute['method']
  readonly path: string
  readonly operationId: string
  readonly summary: string
  readonly status?: number
  readonly query?: Query
  readonly body?: Body
  readonly returns: RestRoute['returns']
  handle(call: RestCall<z.infer<Query>, z.infer<Body>>): Promise<unknown>
}): RestRoute {
  return {
    ...route,
    status: route.status ?? 200,
    query: route.query ?? noQuery,
    body: route.body,
    // The server hands over what the schemas above have parsed.
    handle: (call) => route.handle(call as RestCall<z.infer<Query>, z.infer<Body>>),
  }
}
