import type { App } from '../../app.ts'
import type { Endpoint } from '../../generated/prisma/client.ts'
import { clientHost } from '../endpoint/endpoint-view.ts'
import { connectionUri, pooledLabel } from './connection-uri.ts'

/** A connection string and its parts, as the public document has them. */
export function connectionDetails(
  app: App,
  endpoint: Pick<Endpoint, 'id'>,
  parts: { readonly role: string; readonly database: string; readonly password: string },
) {
  const { role, database, password } = parts
  const host = clientHost(app, endpoint.id)
  return {
    connection_uri: connectionUri(app.config.proxy, endpoint.id, { ...parts, requiresChannelBinding: true }),
    connection_parameters: { database, password, role, host, pooler_host: clientHost(app, pooledLabel(endpoint.id)) },
  }
}
