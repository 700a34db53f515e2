import { describe, expect, test } from 'vitest'
import type { ComputeAddress, WakeRequest } from './proxy-contract.ts'
import { WakeQueue } from './wake-queue.ts'
import { ProxyError } from './wire.ts'

const request = (endpointId: string): WakeRequest => ({
  endpointId,
  cause: { kind: 'connect', user: 'u', database: 'd', clientAddress: 'c', applicationName: null, proxyId: 'p' },
  deadAddress: null,
})
const limits = { waitersMax: 3, wakesMax: 2, wakeMsMax: 10_000 }
const never = new AbortController().signal
const address: ComputeAddress = { host: '127.0.0.1', port: 1 }

/** A control plane whose wakes end when the test says so. */
function controlled() {
  const calls: { signal: AbortSignal; resolve(value: ComputeAddress): void; reject(error: Error): void }[] = []
  return {
    calls,
    wake: (_request: WakeRequest, { signal }: { signal: AbortSignal }) =>
      new Promise<ComputeAddress>((resolve, reject) => calls.push({ signal, resolve, reject })),
  }
}

describe('waking an endpoint', () => {
  test('all who wait at the same time share one wake, the next one asks again', async () => {
    const plane = controlled()
    const queue = new WakeQueue(plane, limits)
    const waits = [1, 2, 3].map(() => queue.wake(request('a'), { signal: never }))
    expect(queue.waiting).toBe(3)
    plane.calls[0]?.resolve(address)
    expect(await Promise.all(waits)).toEqual([address, address, address])
    expect(plane.calls).toHaveLength(1)
    const again = queue.wake(request('a'), { signal: never })
    expect(plane.calls).toHaveLength(2)
    plane.calls[1]?.resolve(address)
    await again
    expect(queue.waiting).toBe(0)
  })

  test('a failed wake fails all who wait, and is not remembered', async () => {
    const plane = controlled()
    const queue = new WakeQueue(plane, limits)
    const waits = [1, 2].map(() => queue.wake(request('a'), { signal: never }))
    plane.calls[0]?.reject(new ProxyError('57P03', 'no'))
    for (const wait of waits) await expect(wait).rejects.toMatchObject({ sqlstate: '57P03' })
    const again = queue.wake(request('a'), { signal: never })
    plane.calls[1]?.resolve(address)
    expect(await again).toEqual(address)
  })

  test('more waiters or wakes than the bounds are refused at once', async () => {
    const plane = controlled()
    const queue = new WakeQueue(plane, limits)
    const waits = [1, 2, 3].map(() => queue.wake(request('a'), { signal: never }))
    await expect(queue.wake(request('a'), { signal: never })).rejects.toMatchObject({ sqlstate: '53300' })
    waits.push(queue.wake(request('b'), { signal: never }))
    await expect(queue.wake(request('c'), { signal: never })).rejects.toMatchObject({ sqlstate: '53300' })
    for (const call of plane.calls) call.resolve(address)
    await Promise.all(waits)
  })

  test('one who goes away leaves the others waiting; the last one ends the wake', async () => {
    const plane = controlled()
    const queue = new WakeQueue(plane, limits)
    const [first, second] = [new AbortController(), new AbortController()]
    const waits = [first, second].map(({ signal }) => queue.wake(request('a'), { signal }))
    first.abort(new Error('gone'))
    await expect(waits[0]).rejects.toThrow('gone')
    expect(plane.calls[0]?.signal.aborted).toBe(false)
    second.abort(new Error('gone too'))
    await expect(waits[1]).rejects.toThrow('gone too')
    expect(plane.calls[0]?.signal.aborted).toBe(true)
  })

  test('a wake that takes too long ends with 57P03, even when the control plane never answers', async () => {
    const queue = new WakeQueue(controlled(), { ...limits, wakeMsMax: 20 })
    await expect(queue.wake(request('a'), { signal: never })).rejects.toMatchObject({ sqlstate: '57P03' })
  })
})
