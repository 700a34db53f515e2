import type { Timer } from '../io/clock.ts'
import type { Env } from '../io/env.ts'
import type { ProjectId, TimelineId } from '../postgres/ids.ts'
import { Lsn } from '../postgres/lsn.ts'
import { writeU64 } from '../protocol/byte-fields.ts'
import { FRAME_HEADER_SIZE, sealFrame } from '../protocol/framing.ts'
import {
  APPEND_BYTES_MAX,
  APPEND_FIXED_SIZE,
  APPEND_FRAME_TYPE,
  encodeAppend,
} from '../protocol/safekeeper-messages.ts'
import { AppendGatherer } from './append-gatherer.ts'
import { type CatchUpSource, catchUp } from './catch-up.ts'
import type { PeerLink } from './peer-link.ts'
import { type ProposerState, peerHorizon } from './proposer.ts'
import { type BufferedAppend, WalBuffer } from './wal-buffer.ts'

export interface WalSenderOptions {
  readonly env: Pick<Env, 'clock' | 'network' | 'log'>
  readonly projectId: ProjectId
  readonly timelineId: TimelineId
  readonly links: readonly PeerLink[]
  /** Where the term begins. */
  readonly startLsn: Lsn
  readonly state: () => ProposerState
  /** Fires when the proposer is closed. */
  readonly signal: AbortSignal
}

/** Frames kept for SafeKeepers that come back soon. */
const BUFFER_BYTES_MAX = 64 * 1024 * 1024
/** Sent to one SafeKeeper and not yet answered. */
const IN_FLIGHT_BYTES_MAX = 16 * 1024 * 1024
const COMMIT_PUSH_DELAY_MS = 5

/**
 * The WAL of a leader on its way to all SafeKeepers: gathered, made into frames once, and sent to each as it takes them.
 * Owns how far each link's stream is. A SafeKeeper that needs WAL from before the buffer gets it through here from the most
 * advanced one of this term.
 */
export class WalSender {
  readonly #options: WalSenderOptions
  readonly #buffer: WalBuffer
  /** Holds what lies behind the end of the buffer. */
  readonly #gatherer: AppendGatherer
  /** The commit LSN that every SafeKeeper was told last. */
  #pushedCommitLsn: Lsn = Lsn.zero
  #pushTimer: Timer | undefined
  #isClosed = false

  constructor(options: WalSenderOptions) {
    this.#options = options
    this.#buffer = new WalBuffer(options.startLsn)
    this.#gatherer = new AppendGatherer({
      clock: options.env.clock,
      commitLsn: () => options.state().commitLsn,
      send: (bytes) => this.#sendGathered(bytes),
    })
  }

  /** End of all WAL appended. */
  get endLsn(): Lsn {
    return Lsn.add(this.#buffer.endLsn, this.#gatherer.byteCount)
  }

  /** Sends soon what continues at `endLsn`. The bytes are the sender's from now on. */
  append(bytes: Uint8Array): void {
    this.#gatherer.add(bytes)
  }

  /** The SafeKeeper's log ends at `fromLsn`: it gets all after it. */
  startStream(link: PeerLink, fromLsn: Lsn): void {
    link.attempt = 0
    link.sentLsn = fromLsn
    this.#place(link)
    this.pump(link)
  }

  /** Sends what the buffer holds and the SafeKeeper can take. */
  pump(link: PeerLink): void {
    const buffer = this.#buffer
    if (link.sentLsn === undefined || link.isBlocked || this.#isClosed) return
    if (link.sentLsn < buffer.startLsn) {
      if (!link.isCatchingUp) void this.#catchUp(link)
      return
    }
    if (link.isCatchingUp) return
    const peer = this.#options.state().peers[link.index]!
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
    buffer.trim(this.#leastSent(), this.#options.state().commitLsn, BUFFER_BYTES_MAX)
  }

  /** To be called when the commit LSN has moved. */
  onCommit(): void {
    this.#gatherer.onCommit()
    this.#pushTimer ??= this.#pushCommitLater()
  }

  /** Tells the commit LSN, and asks each SafeKeeper for an answer. */
  sendEmptyAppends(): void {
    this.#pushedCommitLsn = this.#options.state().commitLsn
    for (const link of this.#options.links) {
      // Behind a sender that waits for room an empty append says nothing new.
      if (link.sentLsn === undefined || link.connection === undefined || link.isBlocked || link.isCatchingUp) continue
      this.#sendWal(link, link.sentLsn, EMPTY)
    }
  }

  /** Nothing is sent any more. */
  close(): void {
    this.#isClosed = true
    this.#pushTimer?.cancel()
    this.#gatherer.close()
  }

  /** Makes frames of what was gathered; returns their end. */
  #sendGathered(bytes: Uint8Array): Lsn {
    const buffer = this.#buffer
    for (let at = 0; at < bytes.length; at += APPEND_BYTES_MAX) {
      buffer.add(this.#frame(buffer.endLsn, bytes.subarray(at, at + APPEND_BYTES_MAX)))
    }
    this.#pushedCommitLsn = this.#options.state().commitLsn
    for (const link of this.#options.links) this.pump(link)
    return buffer.endLsn
  }

  #frame(beginLsn: Lsn, bytes: Uint8Array): BufferedAppend {
    const state = this.#options.state()
    const frame = new Uint8Array(FRAME_HEADER_SIZE + APPEND_FIXED_SIZE + bytes.length)
    writeU64(frame, FRAME_HEADER_SIZE, state.term)
    writeU64(frame, FRAME_HEADER_SIZE + 8, beginLsn)
    writeU64(frame, FRAME_HEADER_SIZE + 16, state.commitLsn)
    writeU64(frame, FRAME_HEADER_SIZE + 24, peerHorizon(state))
    frame.set(bytes, FRAME_HEADER_SIZE + APPEND_FIXED_SIZE)
    sealFrame(frame, APPEND_FRAME_TYPE)
    return { beginLsn, endLsn: (beginLsn + bytes.length) as Lsn, frame }
  }

  /** While WAL flows the commit LSN goes along with it: it is told by itself only where no frame has been sent meanwhile. */
  #pushCommitLater(): Timer {
    const { endSequence } = this.#buffer
    return this.#options.env.clock.setTimer(COMMIT_PUSH_DELAY_MS, () => {
      this.#pushTimer = undefined
      if (this.#pushedCommitLsn >= this.#options.state().commitLsn) return
      if (endSequence === this.#buffer.endSequence) this.sendEmptyAppends()
      else this.#pushTimer = this.#pushCommitLater()
    })
  }

  /** Finds the frame to send next after `sentLsn` jumped. A cut inside a frame is evened out by `pump`. */
  #place(link: PeerLink): void {
    const buffer = this.#buffer
    if (link.sentLsn! < buffer.startLsn) return
    link.sequence = buffer.find(link.sentLsn!)?.sequence ?? buffer.endSequence
  }

  #sendFrom(link: PeerLink, append: BufferedAppend): boolean {
    if (append.beginLsn === link.sentLsn) return link.connection!.send(append.frame)
    const skipped = link.sentLsn! - append.beginLsn
    const bytes = append.frame.subarray(FRAME_HEADER_SIZE + APPEND_FIXED_SIZE + skipped)
    return this.#sendWal(link, link.sentLsn!, bytes)
  }

  #sendWal(link: PeerLink, beginLsn: Lsn, bytes: Uint8Array): boolean {
    const state = this.#options.state()
    const { term, commitLsn } = state
    const message = { kind: 'append', term, beginLsn, commitLsn, peerHorizonLsn: peerHorizon(state), bytes } as const
    return link.connection!.send(encodeAppend(message), bytes)
  }

  #waitForDrain(link: PeerLink): void {
    const { connection } = link
    link.isBlocked = true
    void connection!.drained().then(() => {
      if (link.connection !== connection) return
      link.isBlocked = false
      this.pump(link)
    })
  }

  #leastSent(): Lsn {
    let least = this.#buffer.endLsn
    for (const link of this.#options.links) {
      if (link.sentLsn === undefined) return Lsn.zero
      least = Lsn.min(least, link.sentLsn)
    }
    return least
  }

  /** Feeds WAL from before the buffer to a SafeKeeper, read from the most advanced other one of this term. */
  async #catchUp(link: PeerLink): Promise<void> {
    const { env, projectId, timelineId, signal, state } = this.#options
    link.isCatchingUp = true
    await catchUp(link, {
      env,
      signal,
      projectId,
      timelineId,
      term: () => state().term,
      endLsn: () => this.#buffer.startLsn,
      source: () => this.#mostAdvanced(link),
      send: (lsn, bytes) => this.#sendWal(link, lsn, bytes),
    })
    link.isCatchingUp = false
    if (this.#isClosed || link.connection === undefined || link.sentLsn === undefined) return
    this.#place(link)
    this.pump(link)
  }

  #mostAdvanced(except: PeerLink): CatchUpSource | undefined {
    let best: CatchUpSource | undefined
    for (const [index, peer] of this.#options.state().peers.entries()) {
      if (index === except.index || !peer.adopted) continue
      if (best === undefined || peer.flushLsn > best.flushLsn) {
        best = { id: peer.nodeId, address: this.#options.links[index]!.address, flushLsn: peer.flushLsn }
      }
    }
    return best
  }
}

const EMPTY = new Uint8Array(0)
