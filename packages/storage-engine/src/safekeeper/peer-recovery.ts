import { errorText, StorageError } from '../base/errors.ts'
import type { Env } from '../io/env.ts'
import type { Address } from '../io/network.ts'
import { Lsn } from '../postgres/lsn.ts'
import type { VoteResponse } from '../protocol/safekeeper-messages.ts'
import type { TimelineStatus } from '../protocol/wal-service-messages.ts'
import type { AcceptorService } from './acceptor-service.ts'
import { probeLog } from './log-probe.ts'
import { openNodeIdentity, writeNodeIdentity } from './node-identity.ts'
import { CAMPAIGN_TIMEOUT_MS } from './proposer-service.ts'
import { historyUpTo, lastLogTerm } from './term-history.ts'
import type { TimelineIdentity } from './timeline-identity.ts'
import type { TimelineRegistry } from './timeline-registry.ts'
import { readStatuses, readWal } from './wal-reader-client.ts'

/**
 * How a SafeKeeper with an empty disk comes back without ever voting for what it has forgotten.
 *
 *   fresh folder --pause--> --heard from ALL others, rebuilt what they know--> joined --vote pause--> joined (durable)
 *
 * A leader may still count WAL that only the lost disk had flushed. It forgets a member that does not answer; so what is
 * copied is asked for after that time, and holds all that was committed with the help of the lost disk.
 *
 * The rebuilt log is a copy of the donor's, the peer with the greatest (last log term, flush LSN); the term taken is the
 * greatest that any peer has promised. The node had perhaps promised a higher one before it lost its disk; so that no
 * campaign of that time can still count the lost promise, it grants no vote until such campaigns have timed out. A restart
 * before then begins again.
 */
export interface PeerRecoveryOptions {
  readonly env: Pick<Env, 'clock' | 'disk' | 'network' | 'log'>
  readonly nodeId: number
  readonly dataDirectory: string
  /** The other members. */
  readonly peers: readonly { readonly id: number; readonly address: Address }[]
  readonly registry: TimelineRegistry
}

const RETRY_MS_MIN = 200
const RETRY_MS_MAX = 3000
/** A campaign ends after CAMPAIGN_TIMEOUT_MS; twice that leaves room for a clock that runs slow. */
const VOTE_PAUSE_MS = 2 * CAMPAIGN_TIMEOUT_MS
/** As long, and longer than LINK_SILENT_MS_MAX and a heartbeat. */
const FORGET_PAUSE_MS = 2 * CAMPAIGN_TIMEOUT_MS

export class PeerRecovery {
  readonly #options: PeerRecoveryOptions
  readonly #closing = new AbortController()
  readonly #startMs: number
  #hasJoined: boolean
  #voteFromMs = 0
  #lastError: string | undefined
  readonly #done: Promise<void>

  private constructor(options: PeerRecoveryOptions, hasJoined: boolean) {
    this.#options = options
    this.#startMs = options.env.clock.monotonicMs()
    this.#hasJoined = hasJoined
    // What is here was rebuilt in an earlier life, perhaps a moment ago.
    if (!hasJoined && options.registry.list().length > 0) this.#pauseVotes()
    this.#done = hasJoined ? Promise.resolve() : this.#run()
  }

  static async open(options: PeerRecoveryOptions): Promise<PeerRecovery> {
    const { disk } = options.env
    const identity = await openNodeIdentity(disk, options.dataDirectory, options.nodeId)
    return new PeerRecovery(options, identity.hasJoined)
  }

  /** Until then only timelines that were rebuilt here are served. */
  get hasJoined(): boolean {
    return this.#hasJoined
  }

  get lastError(): string | undefined {
    return this.#lastError
  }

  mayVote(): boolean {
    return this.#options.env.clock.monotonicMs() >= this.#voteFromMs
  }

  /**
   * Makes a timeline that this node does not have. A node that has not joined might have forgotten it: rejects with
   * `unavailable` until it has.
   */
  async create(identity: TimelineIdentity): Promise<AcceptorService> {
    const known = this.#options.registry.get(identity.timelineId)
    if (known === undefined && !this.#hasJoined) {
      throw new StorageError('unavailable', 'this safekeeper has not yet heard from all its peers', {
        reason: this.#lastError,
      })
    }
    return this.#options.registry.create(identity)
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await this.#done
  }

  async #run(): Promise<void> {
    const { env, nodeId, dataDirectory } = this.#options
    const { signal } = this.#closing
    for (let waitMs = RETRY_MS_MIN; !signal.aborted; waitMs = Math.min(RETRY_MS_MAX, waitMs * 2)) {
      try {
        await this.#join()
        this.#hasJoined = true
        this.#lastError = undefined
        env.log.info('joined the safekeepers', { timelines: this.#options.registry.list().length })
        const pauseMs = this.#voteFromMs - env.clock.monotonicMs()
        if (pauseMs > 0) await env.clock.sleep(pauseMs, { signal })
        await writeNodeIdentity(env.disk, dataDirectory, { nodeId, hasJoined: true })
        return
      } catch (error) {
        if (signal.aborted) return
        this.#lastError = errorText(error)
        env.log.warn('waiting for all peers', { error: this.#lastError })
      }
      await env.clock.sleep(waitMs, { signal }).catch(() => undefined)
    }
  }

  async #join(): Promise<void> {
    const { env, peers, registry } = this.#options
    const heard = await Promise.all(peers.map(async (peer) => ({ peer, ...(await readStatuses(env, peer.address)) })))
    for (const { peer, nodeId } of heard) {
      if (nodeId !== peer.id) {
        throw new StorageError('invalid-input', 'another safekeeper answers at the address', { id: peer.id, nodeId })
      }
    }
    const known = new Set(heard.flatMap(({ timelines }) => timelines.map((status) => status.timelineId)))
    const missing = [...known].filter((timelineId) => registry.get(timelineId) === undefined)
    const pauseMs = this.#startMs + FORGET_PAUSE_MS - env.clock.monotonicMs()
    if (missing.length > 0 && pauseMs > 0) {
      await env.clock.sleep(pauseMs, { signal: this.#closing.signal })
      return this.#join()
    }
    for (const timelineId of missing) {
      const copies = heard.flatMap(({ peer, timelines }) =>
        timelines.filter((status) => status.timelineId === timelineId).map((status) => ({ peer, status })),
      )
      // One that a peer cannot serve now may be this one, with WAL that no other has.
      const isWhole = heard.every(
        ({ peer, unusableCount }) => unusableCount === 0 || copies.some((copy) => copy.peer === peer),
      )
      if (isWhole) await this.#rebuild(copies)
    }
    const unusable = heard.find(({ unusableCount }) => unusableCount > 0)
    if (unusable) {
      const fields = { peer: unusable.peer.id, timelines: unusable.unusableCount }
      throw new StorageError('unavailable', 'a peer has timelines that it cannot serve now', fields)
    }
  }

  async #rebuild(copies: readonly { peer: { address: Address; id: number }; status: TimelineStatus }[]): Promise<void> {
    const { env, registry } = this.#options
    const logs = await Promise.all(
      copies.map(async ({ peer, status }) => ({ peer, log: await probeLog(env, peer.address, status) })),
    )
    const donor = logs.reduce((best, each) => (isNewerLog(each.log, best.log) ? each : best))
    const term = Math.max(...logs.map(({ log }) => log.term))
    const { flushLsn, commitLsn } = donor.log
    const history = historyUpTo(donor.log.history, flushLsn)
    const { projectId, timelineId, systemIdentifier, startLsn } = copies[0]!.status
    env.log.info('rebuilding a timeline', { timelineId, donor: donor.peer.id, endLsn: Lsn.format(flushLsn) })
    const logTerm = lastLogTerm(history, flushLsn)
    const request = { kind: 'start-wal', projectId, timelineId, startLsn, upTo: 'flush', term: logTerm } as const
    await registry.rebuild(
      { projectId, timelineId, systemIdentifier, startLsn },
      { term, history, commitLsn },
      async (timeline) =>
        readWal(env, donor.peer.address, request, flushLsn, (_lsn, bytes) => timeline.adoptWal(bytes), {
          signal: this.#closing.signal,
        }),
    )
    this.#pauseVotes()
  }

  #pauseVotes(): void {
    this.#voteFromMs = this.#options.env.clock.monotonicMs() + VOTE_PAUSE_MS
  }
}

function isNewerLog(a: VoteResponse, b: VoteResponse): boolean {
  const aTerm = lastLogTerm(a.history, a.flushLsn)
  const bTerm = lastLogTerm(b.history, b.flushLsn)
  return aTerm !== bTerm ? aTerm > bTerm : a.flushLsn > b.flushLsn
}
