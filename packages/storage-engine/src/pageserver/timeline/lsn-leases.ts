import { StorageError } from '../../base/errors.ts'
import type { Clock } from '../../io/clock.ts'
import type { Lsn } from '../../postgres/lsn.ts'
import type { LsnLease } from '../remote/index-file.ts'

/** A holder renews well before its lease ends; what nobody renews is given up after this time. */
export const LEASE_SECONDS_MAX = 3600
/** Of one timeline: they are part of its index file. */
const LEASES_MAX = 1000
const LEASE_ID_LENGTH_MAX = 200
/** A lease that was given by another process holds this long at least: its holder renews it within (compute/lsn-lease-keeper.ts). */
export const LOADED_LEASE_MS_MIN = 20 * 60_000

/**
 * Which leases still hold. The wall clock counts only while no process knew the lease: from when this one gave or loaded
 * it on, time is monotonic, so that a clock that is set forward takes nothing away. Nor does a machine whose clock is
 * ahead: what it loads holds until a living holder has had the time to renew it.
 */
export class LsnLeases {
  readonly #clock: Pick<Clock, 'nowMs' | 'monotonicMs'>
  readonly #ends = new WeakMap<LsnLease, number>()

  constructor(clock: Pick<Clock, 'nowMs' | 'monotonicMs'>) {
    this.#clock = clock
  }

  /** Starts the time of a lease that was loaded. */
  loaded(lease: LsnLease): void {
    const leftMs = Math.max(lease.endUnixMs - this.#clock.nowMs(), LOADED_LEASE_MS_MIN)
    this.#start(lease, leftMs)
  }

  /** False for a lease that was neither given nor loaded here. */
  isHeld(lease: LsnLease): boolean {
    return (this.#ends.get(lease) ?? Number.NEGATIVE_INFINITY) > this.#clock.monotonicMs()
  }

  /** `leases` with one given or renewed, and without those that have ended. */
  with(
    leases: readonly LsnLease[],
    lease: { readonly id: string; readonly lsn: Lsn; readonly seconds: number },
  ): LsnLease[] {
    const { id, lsn, seconds } = lease
    if (!(seconds > 0 && seconds <= LEASE_SECONDS_MAX)) {
      throw new StorageError('invalid-input', 'lease seconds out of range', { seconds, secondsMax: LEASE_SECONDS_MAX })
    }
    if (id.length === 0 || id.length > LEASE_ID_LENGTH_MAX) {
      throw new StorageError('invalid-input', 'lease id has a wrong length', { lengthMax: LEASE_ID_LENGTH_MAX })
    }
    const others = leases.filter((other) => other.id !== id && this.isHeld(other))
    if (others.length >= LEASES_MAX) {
      throw new StorageError('exhausted', 'too many leases on one timeline', { leasesMax: LEASES_MAX })
    }
    const given: LsnLease = { id, lsn, endUnixMs: Math.ceil(this.#clock.nowMs() + seconds * 1000) }
    this.#start(given, seconds * 1000)
    return [...others, given]
  }

  #start(lease: LsnLease, leftMs: number): void {
    this.#ends.set(lease, this.#clock.monotonicMs() + Math.min(leftMs, LEASE_SECONDS_MAX * 1000))
  }
}
