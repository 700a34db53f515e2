import type {
  ComputeAddress,
  ConnectionsAnswer,
  ConnectionsReport,
  RouteAnswer,
  RouteQuery,
  WakeRequest,
} from './proxy-contract.ts'

/** What the proxy asks the control plane. Rejections are ProxyErrors with a SQLSTATE for the client. */
export interface RouteProvider {
  route(query: RouteQuery, options: { signal: AbortSignal }): Promise<RouteAnswer>
  /** Resolves when Postgres accepts connections at the address. */
  wake(request: WakeRequest, options: { signal: AbortSignal }): Promise<ComputeAddress>
  reportConnections(report: ConnectionsReport, options: { signal: AbortSignal }): Promise<ConnectionsAnswer>
}
