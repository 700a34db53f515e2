import { GraphQLError } from 'graphql'
import type { Actor, App } from '../app.ts'
import type { Services } from '../services.ts'
import type { Loaders } from './loaders.ts'

/** One per request, or per operation of a socket. */
export interface GraphContext {
  readonly app: App
  readonly services: Services
  readonly loaders: Loaders
  /** Null: nobody we know; only `serverInfo` answers then. Of a subscription: who it was when last looked at. */
  actor: Actor | null
  /** Who the caller is by now. */
  authenticate(): Promise<Actor | null>
  readonly requestId: string
  readonly signal: AbortSignal
}

export function actorOf(context: GraphContext): Actor {
  if (context.actor) return context.actor
  throw new GraphQLError('sign in, or send an API key', {
    extensions: { code: 'UNAUTHENTICATED', http: { status: 401 } },
  })
}

export function callOf(context: GraphContext): { signal: AbortSignal; requestId: string } {
  return { signal: context.signal, requestId: context.requestId }
}
