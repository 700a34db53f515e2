import { StorageError } from '../../base/errors.ts'
import type { Clock } from '../../io/clock.ts'
import type { TimelineId } from '../../postgres/ids.ts'
import type { Lsn } from '../../postgres/lsn.ts'
import { LEASE_SECONDS_MAX } from './lsn-leases.ts'

/** Of one project, at about 200 bytes each. */
const HOLDS_MAX = 10_000
const HOLD_ID_LENGTH_MAX = 200

export interface ReadHold {
  readonly timelineId: TimelineId
  readonly lsn: Lsn
  readonly endMs: number
}

/** LSNs that readers under way need, known to this process alone. */
export class ReadHolds {
  readonly #clock: Pick<Clock, 'monotonicMs'>
  readonly #holds = new Map<string, ReadHold>()

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock
  }

  /** The same id again replaces its hold. */
  add(timelineId: TimelineId, { id, lsn, seconds }: { id: string; lsn: Lsn; seconds: number }): void {
    if (!(seconds > 0 && seconds <= LEASE_SECONDS_MAX)) {
      throw new StorageError('invalid-input', 'hold seconds out of range', { seconds, secondsMax: LEASE_SECONDS_MAX })
    }
    if (id.length === 0 || id.length > HOLD_ID_LENGTH_MAX) {
      throw new StorageError('invalid-input', 'hold id has a wrong length', { lengthMax: HOLD_ID_LENGTH_MAX })
    }
    if (this.#holds.size >= HOLDS_MAX && this.current().length >= HOLDS_MAX) {
      throw new StorageError('exhausted', 'too many readers hold LSNs', { holdsMax: HOLDS_MAX })
    }
    this.#holds.set(`${timelineId}/${id}`, { timelineId, lsn, endMs: this.#clock.monotonicMs() + seconds * 1000 })
  }

  /** No error when it has ended. */
  remove(timelineId: TimelineId, id: string): void {
    this.#holds.delete(`${timelineId}/${id}`)
  }

  current(): readonly ReadHold[] {
    const nowMs = this.#clock.monotonicMs()
    for (const [name, hold] of this.#holds) if (hold.endMs <= nowMs) this.#holds.delete(name)
    return [...this.#holds.values()]
  }
}
