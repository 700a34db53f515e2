import type { App } from '../../app.ts'
import type { Database, Endpoint, Role } from '../../generated/prisma/client.ts'
import { type ConnectionParts, connectionHost, connectionUri, pooledLabel } from './connection-uri.ts'

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
      isPooled?: boolean
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
      isPooled: wanted.isPooled ?? false,
    })
  }

  forEndpoint(endpointId: string, wanted: ConnectionParts): ConnectionInfo {
    const { proxy } = this.#app.config
    const { role, database, password } = wanted
    const uri = connectionUri(proxy, endpointId, wanted)
    return {
      host: connectionHost(proxy, wanted.isPooled ? pooledLabel(endpointId) : endpointId),
      port: proxy.port,
      database,
      role,
      uri,
      psql: `psql '${uri}'`,
      passwordRevealed: password !== null,
    }
  }
}
