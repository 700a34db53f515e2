import { type ComputeConnection, ComputeUnreachable } from './compute-connection.ts'
import type { EndpointAddress } from './endpoint-address.ts'
import type { ComputeAddress, RouteAnswer } from './proxy-contract.ts'
import type { WakeQueue } from './wake-queue.ts'
import { ProxyError, SQLSTATE } from './wire.ts'

/** A compute that answers "starting up" is asked again after this, doubling. */
const NOT_READY_DELAY_MS = 50
const NOT_READY_DELAY_MS_MAX = 1000
/** Addresses tried for one connection: the one that was said to run, and those of wakes. */
const ADDRESSES_MAX = 3

export interface ReachedCompute {
  readonly compute: ComputeConnection
  readonly at: ComputeAddress
  readonly isWoken: boolean
}

/** Goes to the address that is said to run, else wakes; wakes again when nobody answers there. Rejects with ProxyError or what `connect` throws. */
export async function reachCompute(options: {
  readonly route: RouteAnswer
  readonly address: EndpointAddress
  readonly clientAddress: string
  readonly proxyId: string
  readonly wakes: WakeQueue
  connect(address: ComputeAddress): Promise<ComputeConnection>
  onWoken(address: ComputeAddress): void
  readonly signal: AbortSignal
}): Promise<ReachedCompute> {
  const { route, address, signal } = options
  if (route.state === 'disabled')
    throw new ProxyError(SQLSTATE.cannotConnectNow, 'the endpoint is disabled', {
      hint: 'Enable it in the console or with the API.',
    })
  let at = route.address
  let deadAddress: ComputeAddress | null = null
  let isWoken = false
  let delayMs = NOT_READY_DELAY_MS
  let addresses = 0
  for (;;) {
    if (!at) {
      isWoken = true
      const cause = {
        kind: 'connect' as const,
        user: address.user,
        database: address.database,
        clientAddress: options.clientAddress,
        applicationName: address.parameters.get('application_name')?.slice(0, 128) || null,
        proxyId: options.proxyId,
      }
      at = await options.wakes.wake({ endpointId: route.endpointId, cause, deadAddress }, { signal })
      options.onWoken(at)
    }
    try {
      return { compute: await options.connect(at), at, isWoken }
    } catch (error) {
      if (!(error instanceof ComputeUnreachable)) throw error
      if (error.isStarting && delayMs <= NOT_READY_DELAY_MS_MAX) {
        await delay(delayMs, signal)
        delayMs *= 2
        continue
      }
      if (++addresses >= ADDRESSES_MAX)
        throw new ProxyError(SQLSTATE.cannotConnectNow, 'the compute of this endpoint does not answer', {
          hint: 'Try again in a few seconds.',
          cause: error,
        })
      deadAddress = at
      at = null
    }
  }
}

function delay(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    const onAbort = () => {
      clearTimeout(timer)
      reject(signal.reason)
    }
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', onAbort)
      resolve()
    }, ms)
    signal.addEventListener('abort', onAbort, { once: true })
  })
}
