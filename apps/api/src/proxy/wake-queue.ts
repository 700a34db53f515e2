import type { ComputeAddress, WakeRequest } from './proxy-contract.ts'
import type { RouteProvider } from './route-provider.ts'
import { ProxyError, SQLSTATE } from './wire.ts'

export interface WakeLimits {
  /** Clients that wait for one endpoint. */
  readonly waitersMax: number
  /** Endpoints being woken at one time. */
  readonly wakesMax: number
  /** How long a client waits for a compute. */
  readonly wakeMsMax: number
}

interface SharedWake {
  readonly promise: Promise<ComputeAddress>
  readonly stop: AbortController
  waiters: number
}

/**
 * One wake per endpoint, shared by all who wait for it. It ends when it settles, or when nobody waits any longer. Nothing
 * is remembered: the next one asks the control plane again.
 */
export class WakeQueue {
  readonly #provider: Pick<RouteProvider, 'wake'>
  readonly #limits: WakeLimits
  readonly #wakes = new Map<string, SharedWake>()
  wakesTotal = 0

  constructor(provider: Pick<RouteProvider, 'wake'>, limits: WakeLimits) {
    this.#provider = provider
    this.#limits = limits
  }

  get waiting(): number {
    let sum = 0
    for (const { waiters } of this.#wakes.values()) sum += waiters
    return sum
  }

  /** Rejects with a ProxyError (53300 too many wait, 57P03 too slow, or what the control plane says), or with the signal's reason. */
  async wake(request: WakeRequest, options: { signal: AbortSignal }): Promise<ComputeAddress> {
    const shared = this.#join(request)
    shared.waiters++
    try {
      return await until(shared.promise, options.signal)
    } finally {
      shared.waiters--
      if (shared.waiters === 0) shared.stop.abort(new Error('nobody waits'))
    }
  }

  #join(request: WakeRequest): SharedWake {
    const running = this.#wakes.get(request.endpointId)
    if (running) {
      if (running.waiters >= this.#limits.waitersMax)
        throw tooMany('too many connections wait for this endpoint to start')
      return running
    }
    if (this.#wakes.size >= this.#limits.wakesMax) throw tooMany('too many endpoints are being started')
    this.wakesTotal++
    const stop = new AbortController()
    const timer = setTimeout(
      () =>
        stop.abort(
          new ProxyError(SQLSTATE.cannotConnectNow, 'the endpoint did not start in time', {
            detail: `Waited ${Math.round(this.#limits.wakeMsMax / 1000)} s.`,
            hint: 'Try again in a few seconds.',
          }),
        ),
      this.#limits.wakeMsMax,
    )
    // The provider may be slow to notice the signal; those who wait are told at once.
    const promise = until(this.#provider.wake(request, { signal: stop.signal }), stop.signal).finally(() => {
      clearTimeout(timer)
      if (this.#wakes.get(request.endpointId) === shared) this.#wakes.delete(request.endpointId)
    })
    promise.catch(() => undefined)
    const shared: SharedWake = { promise, stop, waiters: 0 }
    this.#wakes.set(request.endpointId, shared)
    return shared
  }
}

function until<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    const onAbort = () => reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}

function tooMany(message: string): ProxyError {
  return new ProxyError(SQLSTATE.tooManyConnections, message, { hint: 'Try again in a few seconds.' })
}
