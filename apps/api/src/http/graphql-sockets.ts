import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { GraphQLError, parse, validate } from 'graphql'
import { useServer } from 'graphql-ws/use/ws'
import { WebSocketServer } from 'ws'
import type { RequestHeaders } from '../auth/authenticate.ts'
import { actorName } from '../auth/permission.ts'
import { makeLoaders } from '../graphql/loaders.ts'
import { schema } from '../graphql/schema.ts'
import { newUuid } from '../shared/ids.ts'
import { formatError } from './graphql-error.ts'
import type { GraphqlParts } from './graphql-server.ts'

const SOCKETS_MAX = 1000
const SOCKETS_PER_ACTOR_MAX = 50
const SUBSCRIPTIONS_PER_SOCKET_MAX = 200
const MESSAGE_BYTES_MAX = 256 * 1024

/** What the person behind a socket showed when it was opened: looked at again for each operation, and while one goes on. */
interface SocketExtra extends Record<PropertyKey, unknown> {
  readonly request: IncomingMessage
  credentials?: RequestHeaders
  /** By whom the socket is counted. */
  name?: string
}

/**
 * GraphQL over a socket (graphql-ws). Who connects is known by cookie, by `authorization` of the request, or by
 * `authorization` in the payload of connection_init. The origin of a browser must be the console's: cookies travel with any
 * page's sockets. A socket gives nobody more than requests would: a key that is revoked, and a member who is removed, end
 * with the next operation, and their subscriptions within seconds.
 */
export function startSockets(
  http: Server,
  parts: GraphqlParts & {
    readonly path: string
    readonly parseOptions: { readonly maxTokens: number }
    readonly validationRules: readonly unknown[]
  },
): { stop: () => Promise<void> } {
  const { app, services, authenticator, limiter, log, parseOptions } = parts
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MESSAGE_BYTES_MAX })
  const countByName = new Map<string, number>()
  const abort = new AbortController()

  const check = (query: string): readonly GraphQLError[] => {
    try {
      const document = parse(query, parseOptions)
      return validate(schema, document, [...(parts.validationRules as Parameters<typeof validate>[2] & object)])
    } catch (error) {
      return [error instanceof GraphQLError ? error : new GraphQLError('not a document')]
    }
  }

  const cleanup = useServer<{ authorization?: string }, SocketExtra>(
    {
      schema,
      async onConnect({ extra, connectionParams }) {
        const { headers } = extra.request
        const given = connectionParams?.authorization
        const credentials = {
          cookie: isOwnOrigin(extra.request, app.config.webOrigin) ? headers.cookie : undefined,
          authorization: typeof given === 'string' ? given : headers.authorization,
        }
        const actor = await authenticator.authenticate(credentials)
        if (!actor) return false
        const name = actorName(actor)
        const count = countByName.get(name) ?? 0
        if (count >= SOCKETS_PER_ACTOR_MAX) return false
        countByName.set(name, count + 1)
        extra.credentials = credentials
        extra.name = name
        return true
      },
      onClose({ extra: { name } }) {
        if (name === undefined) return
        const count = (countByName.get(name) ?? 1) - 1
        if (count > 0) countByName.set(name, count)
        else countByName.delete(name)
      },
      onSubscribe({ extra, subscriptions }, _id, { query }) {
        const isTooMany = Object.keys(subscriptions).length > SUBSCRIPTIONS_PER_SOCKET_MAX
        if (isTooMany || limiter.take(extra.name ?? '') > 0)
          return [new GraphQLError('too many requests', { extensions: { code: 'RATE_LIMITED' } })]
        const errors = check(query)
        return errors.length > 0 ? errors : undefined
      },
      async context({ extra }) {
        const authenticate = () => authenticator.authenticate(extra.credentials ?? {})
        return {
          app,
          services,
          actor: await authenticate(),
          authenticate,
          requestId: newUuid(),
          signal: abort.signal,
          loaders: makeLoaders(app, services, { cache: false }),
        }
      },
      onNext(_context, _id, _payload, _args, result) {
        if (!result.errors) return
        return {
          data: result.data ?? null,
          errors: result.errors.map((error) => formatError(error.toJSON(), error, log)),
        }
      },
    },
    sockets,
  )

  const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost')
    if (pathname !== parts.path || sockets.clients.size >= SOCKETS_MAX) {
      socket.end('HTTP/1.1 404 Not Found\r\nconnection: close\r\n\r\n')
      return
    }
    sockets.handleUpgrade(request, socket, head, (webSocket) => sockets.emit('connection', webSocket, request))
  }
  http.on('upgrade', onUpgrade)
  return {
    async stop() {
      abort.abort()
      http.off('upgrade', onUpgrade)
      await cleanup.dispose()
    },
  }
}

function isOwnOrigin(request: IncomingMessage, webOrigin: string): boolean {
  const { origin } = request.headers
  // Programs send none, and have no cookies of somebody else.
  return origin === undefined || origin === new URL(webOrigin).origin
}
