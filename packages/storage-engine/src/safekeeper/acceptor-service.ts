import { assert } from '../base/assert.ts'
import { CorruptionError, errorText, isStorageError, StorageError } from '../base/errors.ts'
import type { Env } from '../io/env.ts'
import { Lsn } from '../postgres/lsn.ts'
import type { ProposerMessage, Refusal, TermHistory } from '../protocol/safekeeper-messages.ts'
import type { Feedback, TimelineStatus } from '../protocol/wal-service-messages.ts'
import {
  type AcceptorEffect,
  type AcceptorEvent,
  type AcceptorState,
  type AcceptorStepFunction,
  stepAcceptor,
} from './acceptor.ts'
import { type AcceptorPeer, AcceptorPeers } from './acceptor-peers.ts'
import { TaskQueue } from './task-queue.ts'
import { initialHistory, lastLogTerm } from './term-history.ts'
import { controlOf, firstControl, openState, readControl, writeControl } from './timeline-folder.ts'
import type { TimelineIdentity } from './timeline-identity.ts'
import type { WalStorage } from './wal-storage.ts'
import { WalSync } from './wal-sync.ts'

/**
 * One timeline on one SafeKeeper: the acceptor step, its control file and its WAL on disk.
 *
 *   connection --message--> step --effects--> write, sync, persist, reply     one event at a time, in order
 *
 * Appends run to their end at once; a vote or an election waits for the disk, and what arrives meanwhile waits behind it.
 * When the disk fails, or the WAL sent is broken, every connection is closed and the timeline is read again from disk.
 */
export interface AcceptorServiceOptions {
  readonly env: Pick<Env, 'clock' | 'disk' | 'log'>
  readonly nodeId: number
  readonly directory: string
  readonly allocation: 'zero-fill' | 'sparse'
  /** Only the simulator's broken variants pass another. */
  readonly step?: AcceptorStepFunction
}

/** Pause before the disk is tried again after a failure. */
const RECOVER_DELAY_MS = 1000

export class AcceptorService {
  readonly identity: TimelineIdentity
  readonly #options: AcceptorServiceOptions
  readonly #step: AcceptorStepFunction
  readonly #listeners = new Set<() => void>()
  readonly #peers = new AcceptorPeers()
  /** Events and whatever must not meet one half way. */
  readonly #tasks: TaskQueue
  readonly #walSync: WalSync

  #state: AcceptorState
  #persisted: AcceptorState
  #storage: WalStorage
  #failure: Error | undefined
  #isClosed = false

  private constructor(
    options: AcceptorServiceOptions,
    identity: TimelineIdentity,
    opened: { state: AcceptorState; storage: WalStorage },
  ) {
    this.#options = options
    this.identity = identity
    this.#step = options.step ?? stepAcceptor
    this.#state = opened.state
    this.#persisted = opened.state
    this.#storage = opened.storage
    this.#tasks = new TaskQueue(() => this.#walSync.start())
    this.#walSync = new WalSync({
      clock: options.env.clock,
      storage: () => this.#storage,
      isBusy: () => this.#tasks.isBusy,
      isFailed: () => this.#failure !== undefined,
      onFlushed: (recordLsn) => {
        if (this.#failure === undefined && !this.#isClosed) this.#apply({ kind: 'flushed', recordLsn })
      },
      onFailure: (error) => this.#fail(error),
    })
  }

  /** Makes the timeline's folder, with the control file last: without it there is no timeline. */
  static async create(
    options: AcceptorServiceOptions,
    identity: TimelineIdentity,
    seed: { term: number; history: TermHistory } = { term: 0, history: initialHistory(identity.startLsn) },
  ): Promise<AcceptorService> {
    await options.env.disk.makeDirectory(options.directory)
    await writeControl(options, firstControl(identity, seed))
    return AcceptorService.open(options)
  }

  /**
   * Rejects with `not-found` when there is no control file, with CorruptionError when file or WAL are damaged. `isRetried`:
   * it has failed before, perhaps after a sync that did not reach the disk.
   */
  static async open(options: AcceptorServiceOptions, { isRetried = false } = {}): Promise<AcceptorService> {
    const control = await readControl(options)
    const { projectId, timelineId, systemIdentifier, startLsn } = control
    const opened = await openState(options, control, { rewritesTail: isRetried })
    return new AcceptorService(options, { projectId, timelineId, systemIdentifier, startLsn }, opened)
  }

  get state(): AcceptorState {
    return this.#state
  }

  get failure(): Error | undefined {
    return this.#failure
  }

  /** Below this the WAL is only in object storage. */
  get oldestLocalLsn(): Lsn {
    return this.#storage.oldestLsn
  }

  get lastLogTerm(): number {
    return lastLogTerm(this.#state.history, this.#state.flushLsn)
  }

  status(): TimelineStatus {
    const state = this.#state
    return {
      kind: 'timeline-status',
      nodeId: this.#options.nodeId,
      ...this.identity,
      term: state.term,
      lastLogTerm: this.lastLogTerm,
      flushLsn: state.flushLsn,
      commitLsn: state.commitLsn,
      backupLsn: state.backupLsn,
      remoteConsistentLsn: state.remoteConsistentLsn,
    }
  }

  /** Calls `listener` after every change of flush, commit or term; returns the way to stop it. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  connect(peer: AcceptorPeer): number {
    if (this.#failure !== undefined || this.#isClosed) {
      throw new StorageError('unavailable', 'timeline is not usable', { cause: errorText(this.#failure ?? 'closed') })
    }
    return this.#peers.add(peer)
  }

  disconnect(id: number): void {
    if (!this.#peers.remove(id)) return
    this.#enqueue({ kind: 'disconnected', from: id })
  }

  handle(from: number, message: Exclude<ProposerMessage, { kind: 'greeting' }>): void {
    if (!this.#peers.has(from)) return
    switch (message.kind) {
      case 'append':
        return this.#enqueue({ kind: 'append', from, message })
      case 'vote-request':
        return this.#enqueueSlow({ kind: 'vote-request', from, message })
      case 'elected':
        return this.#enqueueSlow({ kind: 'elected', from, message })
      default:
        return message satisfies never
    }
  }

  /** Call when all messages that had arrived together are handed over: one sync then covers them all. */
  endOfBatch(): void {
    this.#walSync.start()
  }

  learn(event: Omit<Extract<AcceptorEvent, { kind: 'learned' }>, 'kind'>): void {
    this.#enqueue({ kind: 'learned', ...event })
  }

  onFeedback(feedback: Feedback): void {
    this.learn({
      pageserverReceivedLsn: feedback.lastRecordLsn,
      remoteConsistentLsn: feedback.remoteConsistentLsn,
    })
  }

  /** Bytes [lsn, lsn + target.length) of local WAL. */
  readNow(lsn: Lsn, target: Uint8Array): void {
    this.#storage.readNow(lsn, target)
  }

  segmentPath(lsn: Lsn): string {
    return this.#storage.segmentPath(lsn)
  }

  /** Removes local segments wholly below `lsn`; returns how many. */
  trim(lsn: Lsn): Promise<number> {
    return this.#tasks.runFor(() => this.#storage.trim(lsn))
  }

  /** Adds WAL copied from peers, before any proposer is let in. */
  adoptWal(bytes: Uint8Array): void {
    assert(this.#peers.count === 0, 'wal is adopted before proposers connect')
    const recordLsn = this.#storage.write(bytes)
    const writeLsn = this.#storage.writeLsn
    this.#state = { ...this.#state, writeLsn, recordLsn }
  }

  /** Makes adopted WAL durable and takes the terms that go with it. */
  finishAdoption(adopted: { term: number; history: TermHistory; commitLsn: Lsn }): Promise<void> {
    return this.#tasks.runFor(async () => {
      await this.#storage.sync()
      const flushLsn = this.#storage.recordLsn
      await this.#storage.truncate(flushLsn)
      const commitLsn = Lsn.max2(this.#state.commitLsn, Lsn.min(adopted.commitLsn, flushLsn))
      const term = Math.max(adopted.term, this.#state.term)
      const { history } = adopted
      const next = { ...this.#state, term, history, commitLsn, writeLsn: flushLsn, recordLsn: flushLsn, flushLsn }
      await this.#persist(next, undefined)
      this.#state = next
      this.#notify()
    })
  }

  /** Writes the control file when commit or feedback moved since it was written last. */
  persistProgress(): Promise<void> {
    if (this.#failure !== undefined || this.#isClosed || this.#persisted === this.#state) return Promise.resolve()
    return this.#tasks.runFor(async () => {
      if (this.#failure === undefined) await this.#persist(this.#state, undefined)
    })
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    if (this.#failure === undefined) {
      await this.#tasks
        .runFor(async () => {
          await this.#walSync.flush()
          if (this.#failure === undefined) await this.#persist(this.#state, undefined)
        })
        .catch((error: unknown) => this.#options.env.log.warn('timeline close failed', { error: errorText(error) }))
    }
    this.#isClosed = true
    this.#peers.refuseAll({ term: this.#state.term, code: 'unavailable', message: 'safekeeper is stopping' })
    await this.#storage.close()
  }

  /** An event whose effects need no waiting. */
  #enqueue(event: AcceptorEvent): void {
    this.#tasks.runSoon(() => this.#runNow(event))
  }

  #enqueueSlow(event: AcceptorEvent): void {
    this.#tasks.run(() => this.#runSlow(event))
  }

  #runNow(event: AcceptorEvent): void {
    if (this.#failure !== undefined) return
    try {
      this.#apply(event)
    } catch (error) {
      this.#fail(error)
    }
  }

  #apply(event: AcceptorEvent): void {
    const before = this.#state
    const step = this.#step(before, event)
    this.#state = step.state
    for (const effect of step.effects) this.#runEffect(effect)
    const after = this.#state
    if (after.flushLsn !== before.flushLsn || after.commitLsn !== before.commitLsn) this.#notify()
  }

  #runEffect(effect: AcceptorEffect): void {
    switch (effect.kind) {
      case 'write-wal':
        assert(effect.lsn === this.#storage.writeLsn, 'state and storage agree on the end of wal')
        this.#apply({ kind: 'written', recordLsn: this.#storage.write(effect.bytes) })
        return
      case 'sync-wal':
        this.#walSync.want()
        return
      case 'reply':
        this.#peers.send(effect.to, effect.message)
        return
      case 'refuse':
        this.#refuse(effect.to, { code: effect.code, message: effect.message })
        return
      case 'commit-advanced':
        return
      case 'persist':
      case 'truncate-wal':
        throw new Error(`${effect.kind} in an event that does not wait`)
      default:
        return effect satisfies never
    }
  }

  /** A vote or an election: flushes first, and waits for each effect before the next. */
  async #runSlow(event: AcceptorEvent): Promise<void> {
    try {
      await this.#walSync.flush()
      if (this.#failure !== undefined) return
      const step = this.#step(this.#state, event)
      for (const effect of step.effects) {
        if (effect.kind === 'persist') await this.#persist(effect.state, effect.truncateLsn)
        else if (effect.kind === 'truncate-wal') await this.#storage.truncate(effect.lsn)
        else this.#runEffect(effect)
      }
      this.#state = step.state
      this.#notify()
    } catch (error) {
      this.#fail(error)
    }
  }

  async #persist(state: AcceptorState, truncateLsn: Lsn | undefined): Promise<void> {
    await writeControl(this.#options, controlOf(this.identity, state, truncateLsn))
    this.#persisted = state
  }

  #notify(): void {
    for (const listener of this.#listeners) listener()
  }

  #refuse(to: number, reason: Pick<Refusal, 'code' | 'message'>): void {
    if (!this.#peers.has(to)) return
    this.#options.env.log.warn('refused a proposer', {
      ...this.#logFields(),
      code: reason.code,
      reason: reason.message,
    })
    this.#peers.refuse(to, { term: this.#state.term, ...reason })
    if (this.#state.stream === to) this.#enqueue({ kind: 'disconnected', from: to })
  }

  /** Nothing in memory can be trusted any more: close every connection and read the timeline again. */
  #fail(cause: unknown): void {
    if (this.#failure !== undefined) return
    if (!isStorageError(cause))
      this.#options.env.log.error('acceptor bug', {
        stack: cause instanceof Error ? (cause.stack ?? '') : String(cause),
      })
    const error = cause instanceof Error ? cause : new Error(String(cause))
    this.#failure = error
    this.#options.env.log.error('timeline failed', { ...this.#logFields(), error: errorText(error) })
    const code = isStorageError(error) ? error.code : 'unavailable'
    this.#peers.refuseAll({ term: this.#state.term, code, message: errorText(error) })
    this.#notify()
    void this.#recover(error instanceof CorruptionError ? 0 : RECOVER_DELAY_MS)
  }

  async #recover(delayMs: number): Promise<void> {
    const { clock } = this.#options.env
    for (let wait = delayMs; !this.#isClosed; wait = RECOVER_DELAY_MS) {
      await clock.sleep(wait)
      // Behind all that is queued, which meets the failure and ends: somebody waits for each of those tasks.
      if (await this.#tasks.runFor(() => this.#readAgain())) return
    }
  }

  /** True when there is nothing more to try. */
  async #readAgain(): Promise<boolean> {
    const { log } = this.#options.env
    await this.#walSync.settle()
    if (this.#isClosed) return true
    try {
      const trustedLsn = this.#storage.syncedRecordLsn
      await this.#storage.close()
      const opened = await openState(this.#options, await readControl(this.#options), { trustedLsn })
      this.#storage = opened.storage
      this.#state = opened.state
      this.#persisted = opened.state
      this.#walSync.forget()
      this.#failure = undefined
      log.info('timeline recovered', { ...this.#logFields(), flushLsn: Lsn.format(opened.state.flushLsn) })
      this.#notify()
      return true
    } catch (error) {
      this.#failure = error instanceof Error ? error : new Error(String(error))
      log.error('timeline recovery failed', { ...this.#logFields(), error: errorText(error) })
      return error instanceof CorruptionError
    }
  }

  #logFields(): Record<string, string> {
    return { timelineId: this.identity.timelineId }
  }
}
