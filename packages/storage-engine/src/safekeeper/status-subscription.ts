import type { Clock, Timer } from '../io/clock.ts'
import type { Connection } from '../io/network.ts'
import { encodeWalServiceMessage, STATUS_INTERVAL_MS } from '../protocol/wal-service-messages.ts'
import type { AcceptorService } from './acceptor-service.ts'
import type { TimelineRegistry } from './timeline-registry.ts'

/** Tells one subscriber of every timeline's status: all at once, then what changed, at most every STATUS_INTERVAL_MS. */
export class StatusSubscription {
  readonly #connection: Connection
  readonly #clock: Clock
  readonly #changed = new Set<AcceptorService>()
  readonly #stops: (() => void)[] = []
  #timer: Timer | undefined
  #isClosed = false

  constructor(registry: TimelineRegistry, connection: Connection, clock: Clock, nodeId: number) {
    this.#connection = connection
    this.#clock = clock
    for (const timeline of registry.list()) {
      this.#follow(timeline)
      this.#send(timeline)
    }
    connection.send(encodeWalServiceMessage({ kind: 'subscribed', nodeId, unusableCount: registry.unusableCount }))
    this.#stops.push(
      registry.onCreate((timeline) => {
        this.#follow(timeline)
        this.#onChange(timeline)
      }),
    )
  }

  close(): void {
    this.#isClosed = true
    this.#timer?.cancel()
    for (const stop of this.#stops) stop()
  }

  #follow(timeline: AcceptorService): void {
    this.#stops.push(timeline.onChange(() => this.#onChange(timeline)))
  }

  #onChange(timeline: AcceptorService): void {
    this.#changed.add(timeline)
    this.#timer ??= this.#clock.setTimer(STATUS_INTERVAL_MS, () => {
      this.#timer = undefined
      if (this.#isClosed) return
      for (const changed of this.#changed) this.#send(changed)
      this.#changed.clear()
    })
  }

  #send(timeline: AcceptorService): void {
    if (timeline.failure === undefined) this.#connection.send(encodeWalServiceMessage(timeline.status()))
  }
}
