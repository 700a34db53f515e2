import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

/** `/metrics` of the proxy. */
export function openProxyMetrics(read: {
  sessions(): number
  connections(): number
  logins(): number
  waiting(): number
}) {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const gauge = (name: string, help: string, value: () => number) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(value())
      },
    })
  gauge('tributary_proxy_sessions', 'Sessions connected to a compute.', read.sessions)
  gauge('tributary_proxy_connections', 'Connections of clients.', read.connections)
  gauge('tributary_proxy_logins', 'Connections that have not logged in.', read.logins)
  gauge('tributary_proxy_waiting', 'Clients that wait for a compute to start.', read.waiting)
  const counter = (name: string, help: string, labelNames: string[] = []) =>
    new Counter({ name, help, labelNames, registers: [registry] })
  return {
    registry,
    accepted: counter('tributary_proxy_accepted_total', 'Connections accepted.'),
    refused: counter('tributary_proxy_refused_total', 'Connections refused, by SQLSTATE.', ['sqlstate']),
    loggedIn: counter('tributary_proxy_logged_in_total', 'Log-ins accepted, by TLS and channel binding.', ['security']),
    cancels: counter('tributary_proxy_cancels_total', 'Cancel requests, by whether their key was known.', ['known']),
    brokenWaits: counter('tributary_proxy_broken_waits_total', 'Commits whose wait for the quorum was broken off.'),
    wakes: counter('tributary_proxy_wakes_total', 'Endpoints woken for a connection.'),
    bytes: counter('tributary_proxy_bytes_total', 'Bytes of ended sessions, by direction.', ['direction']),
    connectSeconds: new Histogram({
      name: 'tributary_proxy_connect_seconds',
      help: 'From the first byte of a client to its first ReadyForQuery, by whether a compute had to be woken.',
      labelNames: ['woken'],
      buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
      registers: [registry],
    }),
  }
}
export type ProxyMetrics = ReturnType<typeof openProxyMetrics>
