import { assert } from '../base/assert.ts'
import { StorageError } from '../base/errors.ts'
import type { Timer } from '../io/clock.ts'
import type { Env } from '../io/env.ts'
import type { Address } from '../io/network.ts'
import type { ProjectId, TimelineId } from '../postgres/ids.ts'
import { Lsn } from '../postgres/lsn.ts'
import { decodeAcceptorMessage, encodeSafekeeperMessage, greetingOf } from '../protocol/safekeeper-messages.ts'
import { AppendRoom, type IngestLag } from './append-room.ts'
import { Heartbeat } from './heartbeat.ts'
import { keepConnected, newPeerLink, type PeerLink } from './peer-link.ts'
import {
  initialProposer,
  type ProposerEffect,
  type ProposerEvent,
  type ProposerState,
  type ProposerStepFunction,
  stepProposer,
} from './proposer.ts'
import { WalSender } from './wal-sender.ts'

/**
 * The proposer of one compute: connections to all SafeKeepers, the election, and the WAL on its way.
 *
 *   append -> AppendGatherer -> WalBuffer -> the same frame to every SafeKeeper at once, several in flight     WalSender
 *                                         <- flush LSNs -> step -> commit LSN -> onCommit
 *
 * What is here runs the steps: the state, and what each effect does. WalSender owns the WAL and each stream, AppendRoom says
 * when more may be appended, Heartbeat notices who does not answer.
 */
export interface ProposerPeerAddress {
  readonly id: number
  readonly address: Address
}

export interface ProposerOptions {
  readonly env: Pick<Env, 'clock' | 'random' | 'network' | 'log'>
  /** All members: the majority is counted over them. */
  readonly peers: readonly ProposerPeerAddress[]
  readonly projectId: ProjectId
  readonly timelineId: TimelineId
  readonly systemIdentifier: bigint
  readonly onCommit?: (commitLsn: Lsn) => void
  /** A higher term rules: nothing appended any more will ever be committed by this proposer. Called once. */
  readonly onFenced?: (term: number) => void
  /** No majority has answered for `leaseMs`: another proposer may have been elected. Called once per loss. */
  readonly onQuorumLost?: () => void
  readonly leaseMs?: number
  /** WAL that the PageServer has not ingested, above which appends are slowed down; by default they never are. */
  readonly ingestLagBytesMax?: number
  /** Only the simulator's broken variants pass another. */
  readonly step?: ProposerStepFunction
}

export interface ProposerPeerStatus {
  readonly id: number
  readonly isConnected: boolean
  readonly isAdopted: boolean
  readonly flushLsn: Lsn
  readonly lagBytes: number
  /** Why the connection was lost last. */
  readonly lastError: string | undefined
}

/** An election that is not won by then starts over with a higher term. */
export const CAMPAIGN_TIMEOUT_MS = 3000
const CAMPAIGN_BACKOFF_MS_MAX = 150
const DEFAULT_LEASE_MS = 10_000

export function openProposer(options: ProposerOptions): Proposer {
  return new Proposer(options)
}

export class Proposer {
  readonly #options: ProposerOptions
  readonly #step: ProposerStepFunction
  readonly #links: PeerLink[]
  readonly #closing = new AbortController()
  #state: ProposerState
  #electing: { resolve: (won: { term: number; startLsn: Lsn }) => void; reject: (error: Error) => void } | undefined
  #campaignTimer: Timer | undefined
  /** From the moment it leads. */
  #sender: WalSender | undefined
  readonly #room: AppendRoom
  readonly #heartbeat: Heartbeat
  #isClosed = false
  #isFenced = false

  constructor(options: ProposerOptions) {
    this.#options = options
    this.#step = options.step ?? stepProposer
    this.#state = initialProposer(options.peers.map((peer) => peer.id))
    this.#links = options.peers.map(({ id, address }, index) => newPeerLink(index, id, address))
    const { env, leaseMs = DEFAULT_LEASE_MS } = options
    this.#room = new AppendRoom({
      clock: env.clock,
      ingestLagBytesMax: options.ingestLagBytesMax ?? Number.POSITIVE_INFINITY,
      endLsn: () => this.endLsn,
      commitLsn: () => this.#state.commitLsn,
      signal: this.#closing.signal,
    })
    this.#heartbeat = new Heartbeat({
      env,
      links: this.#links,
      leaseMs,
      isLeading: () => this.#state.phase === 'leading',
      ask: () => this.#sender!.sendEmptyAppends(),
      onQuorumLost: () => options.onQuorumLost?.(),
    })
  }

  get term(): number {
    return this.#state.term
  }

  get commitLsn(): Lsn {
    return this.#state.commitLsn
  }

  /** End of all WAL appended. */
  get endLsn(): Lsn {
    return this.#sender?.endLsn ?? Lsn.zero
  }

  get isFenced(): boolean {
    return this.#isFenced
  }

  get ingestLag(): IngestLag {
    return this.#room.ingestLag
  }

  /**
   * Wins a term and settles the end of the log: resolves when a majority holds all WAL up to `startLsn` in this term's
   * history and it is committed. Waits as long as no majority answers. Rejects with `aborted` by the signal.
   */
  elect(options: { signal?: AbortSignal } = {}): Promise<{ term: number; startLsn: Lsn }> {
    assert(this.#electing === undefined && this.#sender === undefined, 'elect is called once')
    return new Promise((resolve, reject) => {
      this.#electing = { resolve, reject }
      options.signal?.addEventListener('abort', () => this.#abandon(new StorageError('aborted', 'election aborted')), {
        once: true,
      })
      for (const link of this.#links) void this.#keepConnected(link)
      this.#armCampaign(CAMPAIGN_TIMEOUT_MS)
      this.#heartbeat.start()
    })
  }

  /**
   * Takes WAL that continues exactly at `endLsn`, and sends it soon. The bytes are the proposer's from now on. False when too
   * much is uncommitted, or not ingested: then wait for `hasRoom` before the next. Throws `fenced` once a higher term rules.
   */
  append(lsn: Lsn, bytes: Uint8Array): boolean {
    if (this.#isFenced) throw new StorageError('fenced', 'a higher term rules', { term: this.#state.highestTermSeen })
    if (this.#isClosed) throw new StorageError('aborted', 'proposer is closed')
    if (this.#sender === undefined) throw new StorageError('invalid-input', 'append before the election')
    if (lsn !== this.endLsn) {
      throw new StorageError('invalid-input', 'wal does not continue', {
        end: Lsn.format(this.endLsn),
        given: Lsn.format(lsn),
      })
    }
    this.#sender.append(bytes)
    return this.#room.appended(bytes.length)
  }

  /** Appends are not slowed down any more: for the last WAL of a compute that stops. */
  endThrottle(): void {
    this.#room.endThrottle()
  }

  /** Resolves when `append` may go on; also when fenced or closed. */
  hasRoom(): Promise<void> {
    return this.#room.wait()
  }

  peerStatuses(): ProposerPeerStatus[] {
    return this.#links.map((link) => {
      const peer = this.#state.peers[link.index]!
      const flushLsn = Math.max(0, peer.flushLsn) as Lsn
      return {
        id: link.id,
        isConnected: link.connection !== undefined,
        isAdopted: peer.adopted,
        flushLsn,
        lagBytes: Math.max(0, this.endLsn - flushLsn),
        lastError: link.lastError,
      }
    })
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#abandon(new StorageError('aborted', 'proposer is closed'))
  }

  #abandon(error: Error): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#closing.abort()
    this.#campaignTimer?.cancel()
    this.#sender?.close()
    this.#heartbeat.end()
    for (const link of this.#links) link.connection?.end()
    this.#electing?.reject(error)
    this.#electing = undefined
    this.#room.open()
  }

  /** Resolves when this proposer has ended. */
  #keepConnected(link: PeerLink): Promise<void> {
    return keepConnected(link, {
      env: this.#options.env,
      signal: this.#closing.signal,
      isOver: () => this.#isClosed || this.#isFenced,
      onConnected: () => this.#run({ kind: 'connected', peer: link.index }),
      onFrame: (type, payload) => this.#onFrame(link, type, payload),
      onDisconnected: () => this.#run({ kind: 'disconnected', peer: link.index }),
    })
  }

  #onFrame(link: PeerLink, type: number, payload: Uint8Array): void {
    const message = decodeAcceptorMessage(type, payload)
    link.lastHeardMs = this.#options.env.clock.monotonicMs()
    if (message.kind === 'append-response') {
      this.#room.ingested(message.pageserverReceivedLsn, link.lastHeardMs)
    }
    this.#run({ kind: 'received', peer: link.index, message })
    this.#sender?.pump(link)
  }

  #run(event: ProposerEvent): void {
    if (this.#isClosed) return
    const step = this.#step(this.#state, event)
    this.#state = step.state
    for (const effect of step.effects) this.#runEffect(effect)
  }

  #runEffect(effect: ProposerEffect): void {
    switch (effect.kind) {
      case 'send':
        this.#links[effect.peer]!.connection?.send(encodeSafekeeperMessage(effect.message))
        return
      case 'send-greeting':
        this.#sendGreeting(this.#links[effect.peer]!)
        return
      case 'leads':
        this.#options.env.log.info('elected', { term: effect.term, startLsn: Lsn.format(effect.termStartLsn) })
        this.#campaignTimer?.cancel()
        this.#openSender(effect.termStartLsn)
        return
      case 'stream':
        this.#sender!.startStream(this.#links[effect.peer]!, effect.fromLsn)
        return
      case 'committed':
        this.#onCommitted(effect.lsn)
        return
      case 'campaign-lost':
        this.#armCampaign(1 + this.#options.env.random.below(CAMPAIGN_BACKOFF_MS_MAX))
        return
      case 'fenced':
        this.#onFenced(effect.term)
        return
      case 'drop': {
        const link = this.#links[effect.peer]!
        // A refusal that stays the same is said once, and asked for less often.
        if (link.lastError !== effect.message) {
          const fields = { peer: link.id, code: effect.code, reason: effect.message }
          this.#options.env.log.warn('safekeeper refuses', fields)
        }
        link.lastError = effect.message
        if (effect.code === 'not-found') link.attempt = Math.max(link.attempt, 6)
        link.connection?.destroy()
        return
      }
      default:
        return effect satisfies never
    }
  }

  #openSender(startLsn: Lsn): void {
    const { env, projectId, timelineId } = this.#options
    this.#sender = new WalSender({
      env,
      projectId,
      timelineId,
      links: this.#links,
      startLsn,
      state: () => this.#state,
      signal: this.#closing.signal,
    })
  }

  #sendGreeting(link: PeerLink): void {
    link.connection?.send(encodeSafekeeperMessage(greetingOf(this.#options)))
  }

  #armCampaign(delayMs: number): void {
    this.#campaignTimer?.cancel()
    this.#campaignTimer = this.#options.env.clock.setTimer(delayMs, () => {
      this.#armCampaign(CAMPAIGN_TIMEOUT_MS)
      this.#run({ kind: 'campaign' })
      if (this.#state.phase === 'leading' || this.#isFenced) this.#campaignTimer?.cancel()
    })
  }

  #onCommitted(lsn: Lsn): void {
    if (this.#electing !== undefined) {
      const { term, termStartLsn } = this.#state
      this.#electing.resolve({ term, startLsn: termStartLsn })
      this.#electing = undefined
    }
    this.#options.onCommit?.(lsn)
    this.#room.onCommit()
    this.#sender!.onCommit()
  }

  #onFenced(term: number): void {
    this.#isFenced = true
    this.#campaignTimer?.cancel()
    this.#sender?.close()
    this.#heartbeat.end()
    this.#options.env.log.warn('fenced by a higher term', { term, ownTerm: this.#state.term })
    for (const link of this.#links) link.connection?.destroy()
    this.#electing?.reject(new StorageError('fenced', 'a higher term rules', { term }))
    this.#electing = undefined
    this.#room.open()
    this.#options.onFenced?.(term)
  }
}
