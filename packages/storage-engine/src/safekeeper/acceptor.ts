import { assert } from '../base/assert.ts'
import type { StorageErrorCode } from '../base/errors.ts'
import { Lsn } from '../postgres/lsn.ts'
import type {
  AcceptorMessage,
  Append,
  AppendResponse,
  Elected,
  TermHistory,
  VoteRequest,
} from '../protocol/safekeeper-messages.ts'
import { assertHistory, highestCommonPoint, lastLogTerm } from './term-history.ts'

/**
 * The voter and log keeper of one timeline on one SafeKeeper, as a pure step (SPEC.md). The state that `step` returns is
 * the state once all its effects are done; they are done in order, and nothing else is stepped before they are. When an
 * effect fails the shell throws the state away and starts again from what is on disk.
 */
export interface AcceptorState {
  readonly startLsn: Lsn
  /** The highest term ever promised. */
  readonly term: number
  /** May name entries past flushLsn: readers cut it there. */
  readonly history: TermHistory
  /** End of the WAL bytes received, anywhere in a record. */
  readonly writeLsn: Lsn
  /** End of the last whole record received. */
  readonly recordLsn: Lsn
  /** End of the last whole record that is durable. */
  readonly flushLsn: Lsn
  readonly commitLsn: Lsn
  /** The leader's commit LSN, which may be ahead of what is flushed here. */
  readonly leaderCommitLsn: Lsn
  readonly peerHorizonLsn: Lsn
  readonly backupLsn: Lsn
  readonly pageserverReceivedLsn: Lsn
  readonly remoteConsistentLsn: Lsn
  /** The connection whose Elected was taken last in this term; 0 = none. Only its appends count. */
  readonly stream: number
}

export type AcceptorEvent =
  | { readonly kind: 'vote-request'; readonly from: number; readonly message: VoteRequest }
  | { readonly kind: 'elected'; readonly from: number; readonly message: Elected }
  | { readonly kind: 'append'; readonly from: number; readonly message: Append }
  /** The bytes of the append before are written; the last whole record ends at `recordLsn`. */
  | { readonly kind: 'written'; readonly recordLsn: Lsn }
  /** All WAL up to the record end `recordLsn` is durable. */
  | { readonly kind: 'flushed'; readonly recordLsn: Lsn }
  | { readonly kind: 'disconnected'; readonly from: number }
  /** Learned from a peer, from object storage or from the PageServer; each moves only forward. */
  | {
      readonly kind: 'learned'
      readonly backupLsn?: Lsn
      readonly pageserverReceivedLsn?: Lsn
      readonly remoteConsistentLsn?: Lsn
      readonly peerCommit?: { readonly lastLogTerm: number; readonly commitLsn: Lsn }
    }

export type AcceptorEffect =
  /** Make the control file say what the state says, durably. `truncateLsn`: a cut that is decided but not yet done. */
  | { readonly kind: 'persist'; readonly state: AcceptorState; readonly truncateLsn: Lsn | undefined }
  /** Cut the WAL at `lsn`, durably. */
  | { readonly kind: 'truncate-wal'; readonly lsn: Lsn }
  /** Write at the end of the WAL; answer with `written`. */
  | { readonly kind: 'write-wal'; readonly lsn: Lsn; readonly bytes: Uint8Array }
  /** Make all WAL received durable, some time soon; answer with `flushed`. */
  | { readonly kind: 'sync-wal' }
  | { readonly kind: 'reply'; readonly to: number; readonly message: AcceptorMessage }
  /** Tell the peer why, then close the connection. */
  | { readonly kind: 'refuse'; readonly to: number; readonly code: StorageErrorCode; readonly message: string }
  | { readonly kind: 'commit-advanced'; readonly lsn: Lsn }

export interface AcceptorStep {
  readonly state: AcceptorState
  readonly effects: readonly AcceptorEffect[]
}

export type AcceptorStepFunction = (state: AcceptorState, event: AcceptorEvent) => AcceptorStep

export function stepAcceptor(state: AcceptorState, event: AcceptorEvent): AcceptorStep {
  switch (event.kind) {
    case 'append':
      return onAppend(state, event.from, event.message)
    case 'written':
      return onWritten(state, event.recordLsn)
    case 'flushed':
      return onFlushed(state, event.recordLsn)
    case 'vote-request':
      return onVoteRequest(state, event.from, event.message)
    case 'elected':
      return onElected(state, event.from, event.message)
    case 'disconnected':
      return { state: state.stream === event.from ? { ...state, stream: 0 } : state, effects: NONE }
    case 'learned':
      return onLearned(state, event)
    default:
      return event satisfies never
  }
}

const NONE: readonly AcceptorEffect[] = []

/**
 * Precondition: all WAL received is flushed, so that the vote names the true end of the log. The new term is durable
 * before the answer leaves. The former leader is told at once: it need not wait for its next append to learn its end.
 */
function onVoteRequest(state: AcceptorState, from: number, message: VoteRequest): AcceptorStep {
  assert(state.flushLsn === state.recordLsn, 'wal must be flushed before a vote')
  const granted = message.term > state.term
  const next: AcceptorState = granted ? { ...state, term: message.term, stream: 0 } : state
  const vote: AcceptorMessage = {
    kind: 'vote-response',
    term: next.term,
    granted,
    flushLsn: next.flushLsn,
    commitLsn: next.commitLsn,
    peerHorizonLsn: next.peerHorizonLsn,
    history: next.history,
  }
  if (!granted) return { state, effects: [{ kind: 'reply', to: from, message: vote }] }
  const effects: AcceptorEffect[] = [
    { kind: 'persist', state: next, truncateLsn: undefined },
    { kind: 'reply', to: from, message: vote },
  ]
  if (state.stream !== 0 && state.stream !== from) {
    effects.push({ kind: 'reply', to: state.stream, message: appendResponse(next) })
  }
  return { state: next, effects }
}

/** Cuts the log where it stops being the leader's, then adopts the leader's history: in this order, each durable. */
function onElected(state: AcceptorState, from: number, message: Elected): AcceptorStep {
  assert(state.flushLsn === state.recordLsn, 'wal must be flushed before a leader is taken')
  if (message.term < state.term) return replyOnly(state, from)
  if (message.history.at(-1)?.term !== message.term) {
    return refuse(state, from, 'invalid-input', 'the history does not end in the term of the leader')
  }
  const common = highestCommonPoint(message.history, state.history, state.flushLsn)
  if (common === undefined) return refuse(state, from, 'corruption', 'the histories share no point')
  if (common !== message.streamStartLsn) {
    return refuse(state, from, 'conflict', `the logs part at ${Lsn.format(common)}, not where the leader starts`)
  }
  if (common < state.commitLsn) {
    return refuse(state, from, 'corruption', `refused to cut committed wal at ${Lsn.format(common)}`)
  }
  const adopted: AcceptorState = {
    ...state,
    term: message.term,
    history: message.history,
    writeLsn: common,
    recordLsn: common,
    flushLsn: common,
    leaderCommitLsn: state.commitLsn,
    stream: from,
  }
  assertHistory(adopted.history)
  const effects: AcceptorEffect[] = []
  if (state.writeLsn > common) {
    // The decision to cut is durable first: a crash in the middle of the cut finishes it on the next start.
    effects.push(
      { kind: 'persist', state: { ...state, term: message.term }, truncateLsn: common },
      { kind: 'truncate-wal', lsn: common },
    )
  }
  effects.push(
    { kind: 'persist', state: adopted, truncateLsn: undefined },
    { kind: 'reply', to: from, message: appendResponse(adopted) },
  )
  return { state: adopted, effects }
}

function onAppend(state: AcceptorState, from: number, message: Append): AcceptorStep {
  if (message.term < state.term) return replyOnly(state, from)
  if (message.term > state.term || state.stream !== from) {
    return refuse(state, from, 'conflict', 'append without an election on this connection')
  }
  if (message.beginLsn !== state.writeLsn) {
    const place = message.beginLsn > state.writeLsn ? 'leaves a gap' : 'overlaps'
    return refuse(state, from, 'conflict', `append ${place}: wal ends at ${Lsn.format(state.writeLsn)}`)
  }
  const length = message.bytes.length
  const received: AcceptorState = {
    ...state,
    writeLsn: (state.writeLsn + length) as Lsn,
    leaderCommitLsn: Lsn.max2(state.leaderCommitLsn, message.commitLsn),
    peerHorizonLsn: Lsn.max2(state.peerHorizonLsn, message.peerHorizonLsn),
  }
  if (length > 0) {
    const advanced = withCommit(received)
    const effects: AcceptorEffect[] = [
      { kind: 'write-wal', lsn: state.writeLsn, bytes: message.bytes },
      { kind: 'sync-wal' },
    ]
    if (advanced.commitLsn !== state.commitLsn) effects.push({ kind: 'commit-advanced', lsn: advanced.commitLsn })
    return { state: advanced, effects }
  }
  const advanced = withCommit(received)
  const effects: AcceptorEffect[] = []
  if (advanced.commitLsn !== state.commitLsn) effects.push({ kind: 'commit-advanced', lsn: advanced.commitLsn })
  // With WAL still to be flushed, the flush answers for this message too.
  if (advanced.flushLsn === advanced.recordLsn) {
    effects.push({ kind: 'reply', to: from, message: appendResponse(advanced) })
  }
  return { state: advanced, effects }
}

function onWritten(state: AcceptorState, recordLsn: Lsn): AcceptorStep {
  assert(recordLsn >= state.recordLsn, 'the last record moves forward')
  assert(recordLsn <= state.writeLsn, 'the last record ends within the wal received')
  return { state: { ...state, recordLsn }, effects: NONE }
}

function onFlushed(state: AcceptorState, recordLsn: Lsn): AcceptorStep {
  assert(recordLsn <= state.recordLsn, 'flushed more than was received')
  const next = withCommit({ ...state, flushLsn: Lsn.max2(state.flushLsn, recordLsn) })
  const effects: AcceptorEffect[] = []
  if (next.stream !== 0) effects.push({ kind: 'reply', to: next.stream, message: appendResponse(next) })
  if (next.commitLsn !== state.commitLsn) effects.push({ kind: 'commit-advanced', lsn: next.commitLsn })
  return { state: next, effects }
}

function onLearned(state: AcceptorState, event: Extract<AcceptorEvent, { kind: 'learned' }>): AcceptorStep {
  let next: AcceptorState = {
    ...state,
    backupLsn: Lsn.max2(state.backupLsn, event.backupLsn ?? Lsn.zero),
    pageserverReceivedLsn: Lsn.max2(state.pageserverReceivedLsn, event.pageserverReceivedLsn ?? Lsn.zero),
    remoteConsistentLsn: Lsn.max2(state.remoteConsistentLsn, event.remoteConsistentLsn ?? Lsn.zero),
  }
  const peer = event.peerCommit
  // A log of another last term may differ from this one below that LSN.
  if (peer !== undefined && peer.lastLogTerm === lastLogTerm(state.history, state.flushLsn)) {
    next = { ...next, commitLsn: Lsn.max2(next.commitLsn, Lsn.min(peer.commitLsn, next.flushLsn)) }
  }
  if (next.commitLsn === state.commitLsn) return { state: next, effects: NONE }
  return { state: next, effects: [{ kind: 'commit-advanced', lsn: next.commitLsn }] }
}

/** Never back, never beyond what is durable here. */
function withCommit(state: AcceptorState): AcceptorState {
  const commitLsn = Lsn.max2(state.commitLsn, Lsn.min(state.leaderCommitLsn, state.flushLsn))
  return commitLsn === state.commitLsn ? state : { ...state, commitLsn }
}

function appendResponse(state: AcceptorState): AppendResponse {
  return {
    kind: 'append-response',
    term: state.term,
    flushLsn: state.flushLsn,
    commitLsn: state.commitLsn,
    pageserverReceivedLsn: state.pageserverReceivedLsn,
    remoteConsistentLsn: state.remoteConsistentLsn,
  }
}

/** An old leader learns the higher term and ends itself; nothing it sent is kept. */
function replyOnly(state: AcceptorState, to: number): AcceptorStep {
  return { state, effects: [{ kind: 'reply', to, message: appendResponse(state) }] }
}

function refuse(state: AcceptorState, to: number, code: StorageErrorCode, message: string): AcceptorStep {
  return { state, effects: [{ kind: 'refuse', to, code, message }] }
}
