import { StorageError } from '../base/errors.ts'
import type { Clock } from '../io/clock.ts'
import type { Lsn } from '../postgres/lsn.ts'

/** A holder renews well before this; after a restart nothing is collected until leases of this length have run out. */
export const LEASE_SECONDS_MAX = 3600
const LEASES_MAX = 10_000

interface Lease {
  readonly lsn: Lsn
  readonly endMs: number
}

/** LSNs of one timeline that GC must leave readable for a while. */
export class LsnLeases {
  readonly #clock: Clock
  readonly #leases = new Map<string, Lease>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  set(leaseId: string, lsn: Lsn, seconds: number): void {
    if (!(seconds > 0 && seconds <= LEASE_SECONDS_MAX)) {
      throw new StorageError('invalid-input', 'lease seconds out of range', { seconds, secondsMax: LEASE_SECONDS_MAX })
    }
    this.#dropEnded()
    if (!this.#leases.has(leaseId) && this.#leases.size >= LEASES_MAX) {
      throw new StorageError('exhausted', 'too many leases on one timeline', { leasesMax: LEASES_MAX })
    }
    this.#leases.set(leaseId, { lsn, endMs: this.#clock.monotonicMs() + seconds * 1000 })
  }

  lsns(): Lsn[] {
    this.#dropEnded()
    return [...this.#leases.values()].map(({ lsn }) => lsn)
  }

  #dropEnded(): void {
    const nowMs = this.#clock.monotonicMs()
    for (const [id, lease] of this.#leases) if (lease.endMs <= nowMs) this.#leases.delete(id)
  }
}
