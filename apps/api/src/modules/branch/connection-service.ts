import { isIP } from 'node:net'
import type { App } from '../../app.ts'
import type { Database, Endpoint, Role } from '../../generated/prisma/client.ts'

export interface ConnectionInfo {
  readonly host: string
  readonly port: number
  readonly database: string
  readonly role: string
  readonly uri: string
  readonly psql: string
  readonly passwordRevealed: boolean
}

/** How clients reach a branch: through the proxy, by the endpoint's name. */
export class ConnectionService {
  readonly #app: App

  constructor(app: App) {
    this.#app = app
  }

  /** `ep-….<public host>`; its first label names the endpoint. */
  hostOf(endpointId: string): string {
    return `${endpointId}.${this.#app.config.proxy.publicHost}`
  }

  /** Null when the branch has no endpoint, role or database to connect with. */
  infoFor(
    parts: {
      readonly endpoints: readonly Endpoint[]
      readonly roles: readonly Role[]
      readonly databases: readonly Database[]
    },
    wanted: {
      role?: string | null | undefined
      database?: string | null | undefined
      password?: string | null
    } = {},
  ): ConnectionInfo | null {
    const endpoint = parts.endpoints.find((candidate) => candidate.type === 'READ_WRITE') ?? parts.endpoints[0]
    const database = wanted.database
      ? parts.databases.find((candidate) => candidate.name === wanted.database)
      : parts.databases[0]
    const roleName = wanted.role ?? database?.ownerName ?? parts.roles[0]?.name
    const role = parts.roles.find((candidate) => candidate.name === roleName)
    if (!endpoint || !database || !role) return null
    return this.forEndpoint(endpoint.id, {
      role: role.name,
      database: database.name,
      password: wanted.password ?? null,
    })
  }

  forEndpoint(
    endpointId: string,
    wanted: {
      readonly role: string
      readonly database: string
      readonly password: string | null
    },
  ): ConnectionInfo {
    const { port, publicHost } = this.#app.config.proxy
    const byName = hasSubdomains(publicHost)
    const host = byName ? this.hostOf(endpointId) : publicHost
    const { role, database, password } = wanted
    const credentials = `${encodeURIComponent(role)}${password === null ? '' : `:${encodeURIComponent(password)}`}`
    const options = byName ? '' : `&options=${encodeURIComponent(`endpoint=${endpointId}`)}`
    const uri = `postgresql://${credentials}@${hostInUri(host)}:${port}/${encodeURIComponent(database)}?sslmode=require${options}`
    return { host, port, database, role, uri, psql: `psql '${uri}'`, passwordRevealed: password !== null }
  }
}

/**
 * Names below a host must resolve for clients to use them. Below `localhost` they do in browsers and not in most systems'
 * resolvers, and below an IP address there are none: there the endpoint is named in `options` instead.
 */
export function hasSubdomains(publicHost: string): boolean {
  return publicHost !== 'localhost' && isIP(publicHost) === 0
}

export function hostInUri(host: string): string {
  return isIP(host) === 6 ? `[${host}]` : host
}
