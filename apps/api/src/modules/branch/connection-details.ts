import type { App } from '../../app.ts'
import type { Endpoint } from '../../generated/prisma/client.ts'
import { clientHost } from '../endpoint/endpoint-view.ts'
import { hasSubdomains, hostInUri } from './connection-service.ts'

/** A connection string and its parts, as the public document has them. */
export function connectionDetails(
  app: App,
  endpoint: Pick<Endpoint, 'id'>,
  parts: { readonly role: string; readonly database: string; readonly password: string },
) {
  const { role, database, password } = parts
  const host = clientHost(app, endpoint.id)
  return {
    connection_uri: connectionUri(app, endpoint.id, parts),
    connection_parameters: { database, password, role, host, pooler_host: clientHost(app, `${endpoint.id}-pooler`) },
  }
}

/** The endpoint is named by the host where such a host resolves, else in `options`. */
export function connectionUri(
  app: App,
  endpointId: string,
  parts: { readonly role: string; readonly database: string; readonly password: string },
): string {
  const [role, password, database] = [parts.role, parts.password, parts.database].map(encodeURIComponent)
  const { publicHost, port } = app.config.proxy
  const byName = hasSubdomains(publicHost)
  const host = byName ? clientHost(app, endpointId) : `${hostInUri(publicHost)}:${port}`
  const options = byName ? '' : `&options=${encodeURIComponent(`endpoint=${endpointId}`)}`
  return `postgresql://${role}:${password}@${host}/${database}?sslmode=require&channel_binding=require${options}`
}
