import type { Timer } from '../io/clock.ts'
import type { Env } from '../io/env.ts'
import type { PeerLink } from './peer-link.ts'
import { majorityOf } from './quorum.ts'

export interface HeartbeatOptions {
  readonly env: Pick<Env, 'clock' | 'log'>
  readonly links: readonly PeerLink[]
  readonly leaseMs: number
  readonly isLeading: () => boolean
  /** Asks each SafeKeeper for an answer. */
  readonly ask: () => void
  /** Called once per loss. */
  readonly onQuorumLost: () => void
}

const INTERVAL_MS = 1000
/** A SafeKeeper that a leader has not heard for so long is connected anew: until then what it has flushed counts. */
const LINK_SILENT_MS_MAX = 4000

/** How a leader notices who does not answer: single SafeKeepers are connected anew, and without a majority its lease ends. */
export class Heartbeat {
  readonly #options: HeartbeatOptions
  #timer: Timer | undefined
  #isQuorumLost = false
  #isEnded = false

  constructor(options: HeartbeatOptions) {
    this.#options = options
  }

  start(): void {
    this.#timer = this.#options.env.clock.setTimer(INTERVAL_MS, () => {
      if (this.#isEnded) return
      if (this.#options.isLeading()) {
        this.#options.ask()
        this.#dropSilent()
        this.#checkLease()
      }
      this.start()
    })
  }

  end(): void {
    this.#isEnded = true
    this.#timer?.cancel()
  }

  #dropSilent(): void {
    const nowMs = this.#options.env.clock.monotonicMs()
    for (const link of this.#options.links) {
      if (link.connection === undefined) continue
      if (nowMs - Math.max(link.connectedMs, link.lastHeardMs) <= LINK_SILENT_MS_MAX) continue
      link.lastError = 'no answer'
      link.connection.destroy()
    }
  }

  #checkLease(): void {
    const { env, links, leaseMs, onQuorumLost } = this.#options
    const newestFirst = links.map((link) => link.lastHeardMs).sort((a, b) => b - a)
    const quorumHeardMs = newestFirst[majorityOf(newestFirst.length) - 1]!
    const isLost = env.clock.monotonicMs() - quorumHeardMs > leaseMs
    if (isLost && !this.#isQuorumLost) {
      env.log.warn('no majority of safekeepers has answered', { leaseMs })
      onQuorumLost()
    }
    this.#isQuorumLost = isLost
  }
}
