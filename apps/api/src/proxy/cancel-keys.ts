import { randomBytes, randomInt } from 'node:crypto'
import { type ComputePlace, dialCompute } from './dial-compute.ts'
import { encodeCancelRequest } from './wire.ts'

/** What a compute gave a session to cancel with. */
export interface ComputeKey {
  readonly place: ComputePlace
  readonly processId: number
  readonly key: Buffer
  /** Called before the request goes to the compute, and again when the compute has taken it. */
  onCancel(step: 'sent' | 'taken'): void
}

const CANCEL_MS_MAX = 5_000

/**
 * Clients get process ids and keys of the proxy's own, of the length their protocol has (4 bytes under 3.0, 32 under 3.2):
 * the numbers of two computes may be the same.
 */
export class CancelKeys {
  readonly #byKey = new Map<string, ComputeKey>()

  get size(): number {
    return this.#byKey.size
  }

  issue(computeKey: ComputeKey): { processId: number; key: Buffer; forget(): void } {
    for (;;) {
      const processId = randomInt(1, 2 ** 31 - 1)
      const key = randomBytes(computeKey.key.length)
      const name = nameOf(processId, key)
      if (this.#byKey.has(name)) continue
      this.#byKey.set(name, computeKey)
      return { processId, key, forget: () => this.#byKey.delete(name) }
    }
  }

  /** Passes a cancel request on; resolves when the compute has taken it. An unknown key does nothing: true if it was known. */
  async cancel(processId: number, key: Buffer): Promise<boolean> {
    const computeKey = this.#byKey.get(nameOf(processId, key))
    if (!computeKey) return false
    computeKey.onCancel('sent')
    await this.#pass(computeKey)
    computeKey.onCancel('taken')
    return true
  }

  /** Resolves when Postgres has closed, which it does when it has sent the signal; or when it cannot be reached. */
  async #pass({ place, processId, key }: ComputeKey): Promise<void> {
    const socket = await dialCompute(place, AbortSignal.timeout(CANCEL_MS_MAX)).catch(() => undefined)
    if (socket === undefined) return
    await new Promise<void>((resolve) => {
      socket.once('close', () => resolve())
      socket.setTimeout(CANCEL_MS_MAX, () => socket.destroy())
      // Not ended from here: PgBouncer drops the request of a client that has left.
      socket.write(encodeCancelRequest(processId, key))
      socket.resume()
    })
  }
}

function nameOf(processId: number, key: Buffer): string {
  return `${processId}.${key.toString('base64')}`
}
