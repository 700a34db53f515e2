import { assert } from '../base/assert.ts'
import { StorageError } from '../base/errors.ts'
import type { Timer } from '../io/clock.ts'
import type { Env } from '../io/env.ts'
import type { Address } from '../io/network.ts'
import { WAL_SEGMENT_SIZE } from '../postgres/constants.ts'
import type { ProjectId, TimelineId } from '../postgres/ids.ts'
import { Lsn } from '../postgres/lsn.ts'
import { writeU64 } from '../protocol/byte-fields.ts'
import { FRAME_HEADER_SIZE, sealFrame } from '../protocol/framing.ts'
import {
  APPEND_BYTES_MAX,
  APPEND_FIXED_SIZE,
  APPEND_FRAME_TYPE,
  decodeAcceptorMessage,
  encodeAppend,
  encodeSafekeeperMessage,
  SAFEKEEPER_PROTOCOL_VERSION,
} from '../protocol/safekeeper-messages.ts'
import { AppendGatherer } from './append-gatherer.ts'
import { type CatchUpSource, catchUp } from './catch-up.ts'
import { IngestThrottle } from './ingest-throttle.ts'
import { keepConnected, newPeerLink, type PeerLink } from './peer-link.ts'
import {
  initialProposer,
  type ProposerEffect,
  type ProposerEvent,
  type ProposerState,
  type ProposerStepFunction,
  peerHorizon,
  stepProposer,
} from './proposer.ts'
import { majorityOf } from './quorum.ts'
import { type BufferedAppend, WalBuffer } from './wal-buffer.ts'

/**
 * The proposer of one compute: connections to all SafeKeepers, the election, and the WAL on its way.
 *
 *   append -> AppendGatherer -> WalBuffer -> the same frame to every SafeKeeper at once, several in flight
 *                                         <- flush LSNs -> step -> commit LSN -> onCommit
 *
 * A SafeKeeper that needs WAL from before the buffer gets it through here from the most advanced one of this term.
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

/** How far the PageServer is behind, and what that has cost the writer. */
export interface IngestLag {
  /** Ingested by the PageServer, as the SafeKeepers say; 0 before they have said anything. */
  readonly ingestedLsn: Lsn
  readonly lagBytes: number
  /** Since the proposer was opened. */
  readonly throttledMs: number
}

/** Uncommitted WAL above which `append` asks the caller to wait. */
const UNCOMMITTED_BYTES_MAX = 16 * 1024 * 1024
/** Frames kept for SafeKeepers that come back soon. */
const BUFFER_BYTES_MAX = 64 * 1024 * 1024
/** Sent to one SafeKeeper and not yet answered. */
const IN_FLIGHT_BYTES_MAX = 16 * 1024 * 1024
const COMMIT_PUSH_DELAY_MS = 5
const HEARTBEAT_INTERVAL_MS = 1000
/** An election that is not won by then starts over with a higher term. */
export const CAMPAIGN_TIMEOUT_MS = 3000
const CAMPAIGN_BACKOFF_MS_MAX = 150
/** A SafeKeeper that a leader has not heard for so long is connected anew: until then what it has flushed counts. */
export const LINK_SILENT_MS_MAX = 4000
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
  #buffer: WalBuffer | undefined
  #electing: { resolve: (won: { term: number; startLsn: Lsn }) => void; reject: (error: Error) => void } | undefined
  #campaignTimer: Timer | undefined
  #pushTimer: Timer | undefined
  /** Holds what lies behind the end of the buffer. */
  #gatherer: AppendGatherer | undefined
  #heartbeatTimer: Timer | undefined
  /** The commit LSN that every SafeKeeper was told last. */
  #pushedCommitLsn: Lsn = Lsn.zero
  #roomWaiters: (() => void)[] = []
  #isQuorumLost = false
  #isClosed = false
  #isFenced = false
  readonly #throttle: IngestThrottle
  #throttledMs = 0

  constructor(options: ProposerOptions) {
    this.#options = options
    this.#step = options.step ?? stepProposer
    this.#throttle = new IngestThrottle(options.ingestLagBytesMax ?? Number.POSITIVE_INFINITY)
    this.#state = initialProposer(options.peers.map((peer) => peer.id))
    this.#links = options.peers.map(({ id, address }, index) => newPeerLink(index, id, address))
  }

  get term(): number {
    return this.#state.term
  }

  get commitLsn(): Lsn {
    return this.#state.commitLsn
  }

  /** End of all WAL appended. */
  get endLsn(): Lsn {
    return Lsn.add(this.#buffer?.endLsn ?? Lsn.zero, this.#gatherer?.byteCount ?? 0)
  }

  get isFenced(): boolean {
    return this.#isFenced
  }

  get ingestLag(): IngestLag {
    const { ingestedLsn } = this.#throttle
    return { ingestedLsn, lagBytes: this.#throttle.lagBytes(this.endLsn), throttledMs: this.#throttledMs }
  }

  /**
   * Wins a term and settles the end of the log: resolves when a majority holds all WAL up to `startLsn` in this term's
   * history and it is committed. Waits as long as no majority answers. Rejects with `aborted` by the signal.
   */
  elect(options: { signal?: AbortSignal } = {}): Promise<{ term: number; startLsn: Lsn }> {
    assert(this.#electing === undefined && this.#buffer === undefined, 'elect is called once')
    return new Promise((resolve, reject) => {
      this.#electing = { resolve, reject }
      options.signal?.addEventListener('abort', () => this.#abandon(new StorageError('aborted', 'election aborted')), {
        once: true,
      })
      for (const link of this.#links) void this.#keepConnected(link)
      this.#armCampaign(CAMPAIGN_TIMEOUT_MS)
      this.#heartbeat()
    })
  }

  /**
   * Takes WAL that continues exactly at `endLsn`, and sends it soon. The bytes are the proposer's from now on. False when too
   * much is uncommitted, or not ingested: then wait for `hasRoom` before the next. Throws `fenced` once a higher term rules.
   */
  append(lsn: Lsn, bytes: Uint8Array): boolean {
    if (this.#isFenced) throw new StorageError('fenced', 'a higher term rules', { term: this.#state.highestTermSeen })
    if (this.#isClosed) throw new StorageError('aborted', 'proposer is closed')
    if (this.#buffer === undefined) throw new StorageError('invalid-input', 'append before the election')
    if (lsn !== this.endLsn) {
      throw new StorageError('invalid-input', 'wal does not continue', {
        end: Lsn.format(this.endLsn),
        given: Lsn.format(lsn),
      })
    }
    this.#gatherer!.add(bytes)
    const nowMs = this.#options.env.clock.monotonicMs()
    this.#throttle.appended(bytes.length, this.endLsn, nowMs)
    return this.#hasRoomNow() && this.#throttle.pauseMs(nowMs) === 0
  }

  /** Makes frames of what was gathered; returns their end. */
  #sendGathered(buffer: WalBuffer, bytes: Uint8Array): Lsn {
    for (let at = 0; at < bytes.length; at += APPEND_BYTES_MAX) {
      buffer.add(this.#frame(buffer.endLsn, bytes.subarray(at, at + APPEND_BYTES_MAX)))
    }
    this.#pushedCommitLsn = this.#state.commitLsn
    for (const link of this.#links) this.#pump(link)
    return buffer.endLsn
  }

  /** Appends are not slowed down any more: for the last WAL of a compute that stops. */
  endThrottle(): void {
    this.#throttle.end()
  }

  /** Resolves when `append` may go on; also when fenced or closed. */
  async hasRoom(): Promise<void> {
    const { clock } = this.#options.env
    if (!this.#hasRoomNow()) await new Promise<void>((resolve) => this.#roomWaiters.push(resolve))
    const pauseMs = this.#throttle.pauseMs(clock.monotonicMs())
    if (pauseMs === 0 || this.#isClosed || this.#isFenced) return
    this.#throttledMs += pauseMs
    await clock.sleep(pauseMs, { signal: this.#closing.signal }).catch(() => undefined)
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
    this.#pushTimer?.cancel()
    this.#gatherer?.close()
    this.#heartbeatTimer?.cancel()
    for (const link of this.#links) link.connection?.end()
    this.#electing?.reject(error)
    this.#electing = undefined
    this.#wakeRoom()
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
      this.#throttle.report(message.pageserverReceivedLsn, this.endLsn, link.lastHeardMs)
    }
    this.#run({ kind: 'received', peer: link.index, message })
    this.#pump(link)
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
        this.#openBuffer(effect.termStartLsn)
        return
      case 'stream': {
        const link = this.#links[effect.peer]!
        link.attempt = 0
        link.sentLsn = effect.fromLsn
        this.#place(link)
        this.#pump(link)
        return
      }
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

  #openBuffer(startLsn: Lsn): void {
    const buffer = new WalBuffer(startLsn)
    this.#buffer = buffer
    this.#gatherer = new AppendGatherer({
      clock: this.#options.env.clock,
      commitLsn: () => this.#state.commitLsn,
      send: (bytes) => this.#sendGathered(buffer, bytes),
    })
  }

  #sendGreeting(link: PeerLink): void {
    const { projectId, timelineId, systemIdentifier } = this.#options
    link.connection?.send(
      encodeSafekeeperMessage({
        kind: 'greeting',
        protocolVersion: SAFEKEEPER_PROTOCOL_VERSION,
        projectId,
        timelineId,
        systemIdentifier,
        pgMajorVersion: 18,
        segmentSize: WAL_SEGMENT_SIZE,
      }),
    )
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
    this.#gatherer?.onCommit()
    if (this.#hasRoomNow()) this.#wakeRoom()
    this.#pushTimer ??= this.#pushCommitLater()
  }

  /** While WAL flows the commit LSN goes along with it: it is told by itself only where no frame has been sent meanwhile. */
  #pushCommitLater(): Timer {
    const { endSequence } = this.#buffer!
    return this.#options.env.clock.setTimer(COMMIT_PUSH_DELAY_MS, () => {
      this.#pushTimer = undefined
      if (this.#pushedCommitLsn >= this.#state.commitLsn) return
      if (endSequence === this.#buffer!.endSequence) this.#sendEmptyAppends()
      else this.#pushTimer = this.#pushCommitLater()
    })
  }

  #onFenced(term: number): void {
    this.#isFenced = true
    this.#campaignTimer?.cancel()
    this.#pushTimer?.cancel()
    this.#gatherer?.close()
    this.#options.env.log.warn('fenced by a higher term', { term, ownTerm: this.#state.term })
    for (const link of this.#links) link.connection?.destroy()
    this.#electing?.reject(new StorageError('fenced', 'a higher term rules', { term }))
    this.#electing = undefined
    this.#wakeRoom()
    this.#options.onFenced?.(term)
  }

  #frame(beginLsn: Lsn, bytes: Uint8Array): BufferedAppend {
    const frame = new Uint8Array(FRAME_HEADER_SIZE + APPEND_FIXED_SIZE + bytes.length)
    writeU64(frame, FRAME_HEADER_SIZE, this.#state.term)
    writeU64(frame, FRAME_HEADER_SIZE + 8, beginLsn)
    writeU64(frame, FRAME_HEADER_SIZE + 16, this.#state.commitLsn)
    writeU64(frame, FRAME_HEADER_SIZE + 24, peerHorizon(this.#state))
    frame.set(bytes, FRAME_HEADER_SIZE + APPEND_FIXED_SIZE)
    sealFrame(frame, APPEND_FRAME_TYPE)
    return { beginLsn, endLsn: (beginLsn + bytes.length) as Lsn, frame }
  }

  /** Finds the frame to send next after `sentLsn` jumped. A cut inside a frame is evened out by `#pump`. */
  #place(link: PeerLink): void {
    const buffer = this.#buffer!
    if (link.sentLsn! < buffer.startLsn) return
    link.sequence = buffer.find(link.sentLsn!)?.sequence ?? buffer.endSequence
  }

  /** Sends what the buffer holds and the SafeKeeper can take. */
  #pump(link: PeerLink): void {
    const buffer = this.#buffer
    if (buffer === undefined || link.sentLsn === undefined || link.isBlocked || this.#isClosed) return
    if (link.sentLsn < buffer.startLsn) {
      if (!link.isCatchingUp) void this.#catchUp(link)
      return
    }
    if (link.isCatchingUp) return
    const peer = this.#state.peers[link.index]!
    while (link.sentLsn < buffer.endLsn) {
      if (peer.adopted && link.sentLsn - peer.flushLsn > IN_FLIGHT_BYTES_MAX) return
      const append = buffer.at(link.sequence)!
      const hasRoom = this.#sendFrom(link, append)
      link.sentLsn = append.endLsn
      link.sequence++
      if (!hasRoom) {
        this.#waitForDrain(link)
        return
      }
    }
    buffer.trim(this.#leastSent(), this.#state.commitLsn, BUFFER_BYTES_MAX)
  }

  #sendFrom(link: PeerLink, append: BufferedAppend): boolean {
    if (append.beginLsn === link.sentLsn) return link.connection!.send(append.frame)
    const skipped = link.sentLsn! - append.beginLsn
    const bytes = append.frame.subarray(FRAME_HEADER_SIZE + APPEND_FIXED_SIZE + skipped)
    return this.#sendWal(link, link.sentLsn!, bytes)
  }

  #sendWal(link: PeerLink, beginLsn: Lsn, bytes: Uint8Array): boolean {
    const { term, commitLsn } = this.#state
    const message = {
      kind: 'append',
      term,
      beginLsn,
      commitLsn,
      peerHorizonLsn: peerHorizon(this.#state),
      bytes,
    } as const
    return link.connection!.send(encodeAppend(message), bytes)
  }

  #waitForDrain(link: PeerLink): void {
    const { connection } = link
    link.isBlocked = true
    void connection!.drained().then(() => {
      if (link.connection !== connection) return
      link.isBlocked = false
      this.#pump(link)
    })
  }

  #leastSent(): Lsn {
    let least = this.#buffer!.endLsn
    for (const link of this.#links) {
      if (link.sentLsn === undefined) return Lsn.zero
      least = Lsn.min(least, link.sentLsn)
    }
    return least
  }

  /** Feeds WAL from before the buffer to a SafeKeeper, read from the most advanced other one of this term. */
  async #catchUp(link: PeerLink): Promise<void> {
    const { env, projectId, timelineId } = this.#options
    link.isCatchingUp = true
    await catchUp(link, {
      env,
      signal: this.#closing.signal,
      projectId,
      timelineId,
      term: () => this.#state.term,
      endLsn: () => this.#buffer!.startLsn,
      source: () => this.#mostAdvanced(link),
      send: (lsn, bytes) => this.#sendWal(link, lsn, bytes),
    })
    link.isCatchingUp = false
    if (this.#isClosed || link.connection === undefined || link.sentLsn === undefined) return
    this.#place(link)
    this.#pump(link)
  }

  #mostAdvanced(except: PeerLink): CatchUpSource | undefined {
    let best: CatchUpSource | undefined
    for (const [index, peer] of this.#state.peers.entries()) {
      if (index === except.index || !peer.adopted) continue
      if (best === undefined || peer.flushLsn > best.flushLsn) {
        best = { id: peer.nodeId, address: this.#links[index]!.address, flushLsn: peer.flushLsn }
      }
    }
    return best
  }

  /** Tells the commit LSN, and asks each SafeKeeper for an answer. */
  #sendEmptyAppends(): void {
    this.#pushedCommitLsn = this.#state.commitLsn
    for (const link of this.#links) {
      // Behind a sender that waits for room an empty append says nothing new.
      if (link.sentLsn === undefined || link.connection === undefined || link.isBlocked || link.isCatchingUp) continue
      this.#sendWal(link, link.sentLsn, EMPTY)
    }
  }

  #heartbeat(): void {
    const { clock } = this.#options.env
    this.#heartbeatTimer = clock.setTimer(HEARTBEAT_INTERVAL_MS, () => {
      if (this.#isClosed || this.#isFenced) return
      if (this.#state.phase === 'leading') {
        this.#sendEmptyAppends()
        this.#dropSilent()
        this.#checkLease()
      }
      this.#heartbeat()
    })
  }

  #dropSilent(): void {
    const nowMs = this.#options.env.clock.monotonicMs()
    for (const link of this.#links) {
      if (link.connection === undefined) continue
      if (nowMs - Math.max(link.connectedMs, link.lastHeardMs) <= LINK_SILENT_MS_MAX) continue
      link.lastError = 'no answer'
      link.connection.destroy()
    }
  }

  #checkLease(): void {
    const { leaseMs = DEFAULT_LEASE_MS, env } = this.#options
    const newestFirst = this.#links.map((link) => link.lastHeardMs).sort((a, b) => b - a)
    const quorumHeardMs = newestFirst[majorityOf(newestFirst.length) - 1]!
    const isLost = env.clock.monotonicMs() - quorumHeardMs > leaseMs
    if (isLost && !this.#isQuorumLost) {
      env.log.warn('no majority of safekeepers has answered', { leaseMs })
      this.#options.onQuorumLost?.()
    }
    this.#isQuorumLost = isLost
  }

  #hasRoomNow(): boolean {
    return this.#isClosed || this.#isFenced || this.endLsn - this.#state.commitLsn < UNCOMMITTED_BYTES_MAX
  }

  #wakeRoom(): void {
    const waiters = this.#roomWaiters
    this.#roomWaiters = []
    for (const wake of waiters) wake()
  }
}

const EMPTY = new Uint8Array(0)
