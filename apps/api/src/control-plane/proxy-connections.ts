import type { ConnectionsReport } from '../proxy/proxy-contract.ts'

/** A proxy that says nothing for so long has no connections any more. */
const REPORT_MS_MAX = 60_000

interface Entry {
  readonly connections: number
  readonly lastActivityMs: number
}

/** What the proxies last said of their live connections. Kept in memory: a proxy repeats it every few seconds. */
export class ProxyConnections {
  readonly #reports = new Map<string, { readonly atMs: number; readonly endpoints: ReadonlyMap<string, Entry> }>()

  accept(report: ConnectionsReport): void {
    const endpoints = new Map(
      report.endpoints.map((entry) => [
        entry.endpointId,
        { connections: entry.connections, lastActivityMs: entry.lastActivityMs ?? 0 },
      ]),
    )
    this.#reports.set(report.proxyId, { atMs: performance.now(), endpoints })
  }

  of(endpointId: string): Entry {
    let connections = 0
    let lastActivityMs = 0
    for (const [proxyId, { atMs, endpoints }] of this.#reports) {
      if (performance.now() - atMs > REPORT_MS_MAX) {
        this.#reports.delete(proxyId)
        continue
      }
      const entry = endpoints.get(endpointId)
      if (!entry) continue
      connections += entry.connections
      lastActivityMs = Math.max(lastActivityMs, entry.lastActivityMs)
    }
    return { connections, lastActivityMs }
  }
}
