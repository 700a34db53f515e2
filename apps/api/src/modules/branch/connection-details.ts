import type { Endpoint } from '../../generated/prisma/client.ts'
import { clientHost } from '../endpoint/endpoint-view.ts'
import type { App } from '../../app.ts'

/** A connection string and its parts, as the public document has them. */
export function connectionDetails(
  app: App,
  endpoint: Pick<Endpoint, 'id'>,
  parts: { readonly role: string; readonly database: string; readonly password: string },
) {
  const { role, database, password } = parts
  const host = clientHost(app, endpoint.id)
  return {
    connection_uri: connectionUri(host, parts),
    connection_parameters: { database, password, role, host, pooler_host: clientHost(app, `${endpoint.id}-pooler`) },
  }
}

export function connectionUri(
  host: string,
  parts: { readonly role: string; readonly database: string; readonly password: string },
): string {
  const [role, password, database] = [parts.role, parts.password, parts.database].map(encodeURIComponent)
  return `postgresql://${role}:${password}@${host}/${database}?sslmode=require&channel_binding=require`
}
