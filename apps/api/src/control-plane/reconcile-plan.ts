import type { ComputeInfo } from '@tributary/storage-engine/admin'
import { restartPauseMs } from '../modules/endpoint/endpoint-rules.ts'

/** What an endpoint should be and was last seen to be; see prisma/schema/endpoint.prisma. */
export interface EndpointView {
  readonly id: string
  readonly desiredState: string
  readonly state: string
  readonly computeId: string | null
  readonly restartCount: number
  /** Its last death was noticed then. */
  readonly restartAfterMs: number | null
  /** An operation works on it: nothing is done beside. */
  readonly isBusy: boolean
}

export type ReconcileStep =
  /** The catalog learns what runs: after a restart of the API. */
  | { readonly kind: 'adopt'; readonly endpointId: string; readonly info: ComputeInfo }
  | {
      readonly kind: 'replace'
      readonly endpointId: string
      readonly computeId: string
      readonly reason: string
      readonly diedAt: string | null
    }
  | { readonly kind: 'start'; readonly endpointId: string }
  | { readonly kind: 'mark-stopped'; readonly endpointId: string; readonly computeId: string }
  /** Serves nobody that the catalog knows, though it was made for `endpointId`. */
  | { readonly kind: 'stop-stray'; readonly endpointId: string; readonly computeId: string }

const LABELS_OF_OWN_COMPUTES = ['time-travel', 'apply-config']

/** Compares all computes with all endpoints. Pure; the order of steps does not matter. */
export function planReconcile(
  endpoints: readonly EndpointView[],
  computes: readonly ComputeInfo[],
  nowMs: number,
): ReconcileStep[] {
  const steps: ReconcileStep[] = []
  const byId = new Map(computes.map((info) => [info.computeId, info]))
  const wanted = new Set<string>()
  for (const endpoint of endpoints) {
    if (endpoint.computeId !== null) wanted.add(endpoint.computeId)
    if (endpoint.isBusy) continue
    const info = endpoint.computeId === null ? undefined : byId.get(endpoint.computeId)
    const step = planEndpoint(endpoint, info, nowMs)
    if (step) steps.push(step)
  }
  const busy = new Set(endpoints.filter((endpoint) => endpoint.isBusy).map((endpoint) => endpoint.id))
  for (const info of computes) {
    const isAlive = info.state === 'running' || info.state === 'starting'
    const owner = info.labels['endpoint']
    const isOurs = owner !== undefined && !LABELS_OF_OWN_COMPUTES.includes(info.labels['purpose'] ?? '')
    if (isAlive && isOurs && !wanted.has(info.computeId) && !busy.has(owner))
      steps.push({ kind: 'stop-stray', endpointId: owner, computeId: info.computeId })
  }
  return steps
}

function planEndpoint(endpoint: EndpointView, info: ComputeInfo | undefined, nowMs: number): ReconcileStep | null {
  const { id: endpointId, computeId } = endpoint
  const isRunning = info?.state === 'running'
  if (endpoint.desiredState !== 'RUNNING') {
    if (computeId === null) return null
    // Suspended on paper, but a stop was never recorded.
    if (isRunning) return { kind: 'stop-stray', endpointId, computeId }
    return endpoint.state === 'IDLE' ? null : { kind: 'mark-stopped', endpointId, computeId }
  }
  if (isRunning) return endpoint.state === 'ACTIVE' ? null : { kind: 'adopt', endpointId, info }
  if (info?.state === 'starting' || info?.state === 'stopping') return null
  if (endpoint.restartAfterMs !== null && endpoint.restartAfterMs > nowMs) return null
  if (computeId === null) return { kind: 'start', endpointId }
  const reason = info ? `the compute is ${info.state}: ${info.lastError ?? 'it ended'}` : 'the compute is gone'
  return { kind: 'replace', endpointId, computeId, reason, diedAt: info?.endedAt ?? null }
}

/** When a compute that died at `nowMs` may be replaced; `count` deaths came before in a row. */
export function nextRestartAt(nowMs: number, count: number): number {
  return nowMs + restartPauseMs(count)
}
