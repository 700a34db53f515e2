import { isIP } from 'node:net'

export interface ConnectionParts {
  readonly role: string
  readonly database: string
  /** Null: not known here, or not to be shown. */
  readonly password: string | null
  /** Through the endpoint's pool. */
  readonly isPooled?: boolean
  /** Drivers that do not know `channel_binding` take it for a setting of Postgres: only for clients that asked for it. */
  readonly requiresChannelBinding?: boolean
}

export interface ProxyPlace {
  readonly publicHost: string
  readonly port: number
}

/** The one way a connection string is made: the endpoint is named by the host where such a host resolves, else in `options`. */
export function connectionUri(proxy: ProxyPlace, endpointId: string, parts: ConnectionParts): string {
  const { role, database, password } = parts
  const label = parts.isPooled ? pooledLabel(endpointId) : endpointId
  const isByName = hasSubdomains(proxy.publicHost)
  const credentials = [role, ...(password === null ? [] : [password])].map(encodeURIComponent).join(':')
  const query = [
    'sslmode=require',
    ...(parts.requiresChannelBinding ? ['channel_binding=require'] : []),
    ...(isByName ? [] : [`options=${encodeURIComponent(`endpoint=${label}`)}`]),
  ].join('&')
  return `postgresql://${credentials}@${hostInUri(connectionHost(proxy, label))}:${proxy.port}/${encodeURIComponent(database)}?${query}`
}

/** What names the pool of an endpoint: proxy/endpoint-address.ts. */
export function pooledLabel(endpointId: string): string {
  return `${endpointId}-pooler`
}

/** What a client connects to. */
export function connectionHost({ publicHost }: ProxyPlace, label: string): string {
  return hasSubdomains(publicHost) ? `${label}.${publicHost}` : publicHost
}

/**
 * Names below a host must resolve for clients to use them. Below `localhost` they do in browsers and not in most systems'
 * resolvers, and below an IP address there are none: there the endpoint is named in `options` instead.
 */
function hasSubdomains(publicHost: string): boolean {
  return publicHost !== 'localhost' && isIP(publicHost) === 0
}

function hostInUri(host: string): string {
  return isIP(host) === 6 ? `[${host}]` : host
}
