import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { App } from '../app.ts'
import { AUTH_PATH, type Auth } from '../auth/auth.ts'
import { FIRST_RUN_PATH, type FirstRun } from '../modules/first-run/first-run.ts'

/**
 * What of the log-in library is served. Its other routes (keys, members, organizations, accounts) would go past our own
 * rules and the audit log.
 */
const AUTH_ROUTES = [
  ['POST', 'sign-up/email'],
  ['POST', 'sign-in/email'],
  ['POST', 'sign-out'],
  ['GET', 'get-session'],
  ['POST', 'change-password'],
  ['POST', 'organization/accept-invitation'],
] as const

/** The log-in library's own routes, and the one-time sign-in link of each start. */
export function registerAuthRoutes(
  server: FastifyInstance,
  parts: { readonly app: App; readonly auth: Auth; readonly firstRun: FirstRun },
): void {
  const { app, auth, firstRun } = parts

  for (const [method, path] of AUTH_ROUTES)
    server.route({
      method,
      url: `${AUTH_PATH}/${path}`,
      handler: async (request, reply) =>
        sendResponse(reply, await auth.handler(asRequest(request, app.config.webOrigin))),
    })

  server.get<{ Params: { token: string } }>(`${FIRST_RUN_PATH}/:token`, async (request, reply) => {
    const response = await firstRun.signIn(request.params.token)
    reply.header('cache-control', 'no-store').header('referrer-policy', 'no-referrer')
    if (response) for (const cookie of response.headers.getSetCookie()) reply.header('set-cookie', cookie)
    // A link that was used, or never was one, leads to the sign-in page.
    return reply.redirect(response ? `${app.config.webOrigin}/` : `${app.config.webOrigin}/sign-in?link=used`, 303)
  })
}

function asRequest(request: FastifyRequest, origin: string): Request {
  const headers = new Headers()
  for (const [name, value] of Object.entries(request.headers)) {
    if (value === undefined || name === 'content-length') continue
    for (const one of Array.isArray(value) ? value : [value]) headers.append(name, one)
  }
  const body = request.method === 'POST' && request.body !== undefined ? { body: JSON.stringify(request.body) } : {}
  if (request.method === 'POST') headers.set('content-type', 'application/json')
  return new Request(new URL(request.url, origin), { method: request.method, headers, ...body })
}

async function sendResponse(reply: FastifyReply, response: Response): Promise<FastifyReply> {
  reply.status(response.status)
  for (const [name, value] of response.headers) if (name !== 'set-cookie') reply.header(name, value)
  for (const cookie of response.headers.getSetCookie()) reply.header('set-cookie', cookie)
  return reply.send(response.body === null ? '' : Buffer.from(await response.arrayBuffer()))
}
