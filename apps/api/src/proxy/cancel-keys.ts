import { randomBytes, randomInt } from 'node:crypto'
import { connect } from 'node:net'
import type { ComputeAddress } from './proxy-contract.ts'
import { encodeCancelRequest } from './wire.ts'

/** What a compute gave a session to cancel with. */
export interface ComputeKey {
  readonly address: ComputeAddress
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
    await new Promise<void>((resolve) => {
      const socket = connect({ ...computeKey.address, noDelay: true })
      socket.setTimeout(CANCEL_MS_MAX, () => socket.destroy())
      socket.on('error', () => undefined)
      socket.on('connect', () => socket.end(encodeCancelRequest(computeKey.processId, computeKey.key)))
      socket.resume()
      // Postgres closes when it has sent the signal.
      socket.on('close', () => resolve())
    })
    computeKey.onCancel('taken')
    return true
  }
}

function nameOf(processId: number, key: Buffer): string {
  return `${processId}.${key.toString('base64')}`
}
