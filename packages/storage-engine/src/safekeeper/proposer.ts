import { assert } from '../base/assert.ts'
import type { StorageErrorCode } from '../base/errors.ts'
import { Lsn } from '../postgres/lsn.ts'
import type {
  AcceptorMessage,
  AppendResponse,
  Elected,
  GreetingResponse,
  TermHistory,
  VoteRequest,
  VoteResponse,
} from '../protocol/safekeeper-messages.ts'
import { majorityOf, quorumLsn } from './quorum.ts'
import { highestCommonPoint, historyOfLeader, lastLogTerm } from './term-history.ts'

/**
 * The one who writes WAL, as a pure step (SPEC.md). It asks for terms, campaigns for a higher one, and as leader decides
 * where each SafeKeeper's stream starts and what is committed. The WAL bytes themselves stay in the shell.
 *
 *   gathering --majority greeted--> campaigning --majority granted--> leading --a higher term anywhere--> fenced
 *       ^------------ vote refused ------+
 */
export interface ProposerState {
  readonly phase: 'gathering' | 'campaigning' | 'leading' | 'fenced'
  readonly term: number
  /** Campaign only above this. */
  readonly highestTermSeen: number
  readonly peers: readonly ProposerPeer[]
  /** Of the leader; empty before. */
  readonly history: TermHistory
  /** Where this term's own WAL begins: the end of the donor's log. */
  readonly termStartLsn: Lsn
  readonly donor: number
  readonly commitLsn: Lsn
}

export interface ProposerPeer {
  /** Configured; a SafeKeeper that greets with another id is refused, so that none counts twice. */
  readonly nodeId: number
  readonly isGreeted: boolean
  /** Of this campaign. Stays good when the connection is lost: the promise is durable. */
  readonly vote: VoteResponse | undefined
  readonly electedSent: boolean
  /** It has answered in this term on this connection: its log is a prefix of ours. */
  readonly adopted: boolean
  /** Durable there, as of its last answer in this term; counts while `adopted`. -1 before. */
  readonly flushLsn: number
}

export type ProposerEvent =
  | { readonly kind: 'connected'; readonly peer: number }
  | { readonly kind: 'disconnected'; readonly peer: number }
  | { readonly kind: 'received'; readonly peer: number; readonly message: AcceptorMessage }
  /** Starts over with a higher term; ignored once leading or fenced. */
  | { readonly kind: 'campaign' }

export type ProposerEffect =
  | { readonly kind: 'send'; readonly peer: number; readonly message: VoteRequest | Elected }
  | { readonly kind: 'send-greeting'; readonly peer: number }
  /** This proposer leads from now on. */
  | { readonly kind: 'leads'; readonly term: number; readonly termStartLsn: Lsn; readonly donor: number }
  /** After the Elected: send WAL from here. */
  | { readonly kind: 'stream'; readonly peer: number; readonly fromLsn: Lsn }
  | { readonly kind: 'committed'; readonly lsn: Lsn }
  /** Wait a random while, then `campaign`. */
  | { readonly kind: 'campaign-lost' }
  | { readonly kind: 'fenced'; readonly term: number }
  | { readonly kind: 'drop'; readonly peer: number; readonly code: StorageErrorCode; readonly message: string }

export interface ProposerStep {
  readonly state: ProposerState
  readonly effects: readonly ProposerEffect[]
}

export type ProposerStepFunction = (state: ProposerState, event: ProposerEvent) => ProposerStep

export function initialProposer(nodeIds: readonly number[]): ProposerState {
  assert(new Set(nodeIds).size === nodeIds.length, 'safekeeper ids are distinct')
  return {
    phase: 'gathering',
    term: 0,
    highestTermSeen: 0,
    peers: nodeIds.map((nodeId) => ({
      nodeId,
      isGreeted: false,
      vote: undefined,
      electedSent: false,
      adopted: false,
      flushLsn: -1,
    })),
    history: [],
    termStartLsn: Lsn.zero,
    donor: -1,
    commitLsn: Lsn.zero,
  }
}

export function stepProposer(state: ProposerState, event: ProposerEvent): ProposerStep {
  if (state.phase === 'fenced') return { state, effects: NONE }
  switch (event.kind) {
    case 'connected':
      return { state, effects: [{ kind: 'send-greeting', peer: event.peer }] }
    case 'disconnected':
      // What it had flushed counts again once it says so: it may come back with another disk.
      return {
        state: withPeer(state, event.peer, { isGreeted: false, electedSent: false, adopted: false }),
        effects: NONE,
      }
    case 'campaign':
      return onCampaign(state)
    case 'received':
      return onReceived(state, event.peer, event.message)
    default:
      return event satisfies never
  }
}

const NONE: readonly ProposerEffect[] = []

function onReceived(state: ProposerState, peer: number, message: AcceptorMessage): ProposerStep {
  switch (message.kind) {
    case 'append-response':
      return onAppendResponse(state, peer, message)
    case 'greeting-response':
      return onGreeting(state, peer, message)
    case 'vote-response':
      return onVote(state, peer, message)
    case 'refusal': {
      const seen = { ...state, highestTermSeen: Math.max(state.highestTermSeen, message.term) }
      return { state: seen, effects: [{ kind: 'drop', peer, code: message.code, message: message.message }] }
    }
    default:
      return message satisfies never
  }
}

function onGreeting(state: ProposerState, peer: number, message: GreetingResponse): ProposerStep {
  if (message.nodeId !== state.peers[peer]!.nodeId) {
    const text = `safekeeper ${message.nodeId} answers where ${state.peers[peer]!.nodeId} is configured`
    return { state, effects: [{ kind: 'drop', peer, code: 'invalid-input', message: text }] }
  }
  if (state.phase === 'leading' && message.term > state.term) return fence(state, message.term)
  const greeted: ProposerState = {
    ...withPeer(state, peer, { isGreeted: true }),
    highestTermSeen: Math.max(state.highestTermSeen, message.term),
  }
  if (state.phase === 'gathering') {
    const count = greeted.peers.filter((each) => each.isGreeted).length
    return count >= majorityOf(greeted.peers.length) ? campaign(greeted) : { state: greeted, effects: NONE }
  }
  // A latecomer, or one that came back: its answer also tells the leader where its log stands.
  if (state.phase === 'campaigning' && state.peers[peer]!.vote !== undefined) return { state: greeted, effects: NONE }
  return { state: greeted, effects: [voteRequest(peer, state.term)] }
}

function onCampaign(state: ProposerState): ProposerStep {
  if (state.phase === 'leading') return { state, effects: NONE }
  const count = state.peers.filter((each) => each.isGreeted).length
  if (count >= majorityOf(state.peers.length)) return campaign(state)
  return { state: { ...state, phase: 'gathering' }, effects: NONE }
}

function campaign(state: ProposerState): ProposerStep {
  const term = Math.max(state.highestTermSeen, state.term) + 1
  const peers = state.peers.map((peer) => ({
    ...peer,
    vote: undefined,
    electedSent: false,
    adopted: false,
    flushLsn: -1,
  }))
  const effects = peers.flatMap((peer, index) => (peer.isGreeted ? [voteRequest(index, term)] : []))
  return { state: { ...state, phase: 'campaigning', term, highestTermSeen: term, peers }, effects }
}

function onVote(state: ProposerState, peer: number, vote: VoteResponse): ProposerStep {
  if (state.phase === 'leading') {
    if (vote.term > state.term) return fence(state, vote.term)
    if (vote.term < state.term || state.peers[peer]!.electedSent) return { state, effects: NONE }
    return elect(state, peer, vote)
  }
  const seen = { ...state, highestTermSeen: Math.max(state.highestTermSeen, vote.term) }
  // An answer to an earlier campaign says nothing about this one.
  if (state.phase !== 'campaigning' || vote.term < state.term) return { state: seen, effects: NONE }
  if (!vote.granted || vote.term !== state.term) {
    // Refused by one is not lost: two others may grant.
    const possible = seen.peers.filter((each, index) => index !== peer && each.isGreeted).length
    const refused = withPeer(seen, peer, { vote: undefined })
    if (vote.term === state.term && possible >= majorityOf(seen.peers.length)) return { state: refused, effects: NONE }
    return { state: { ...refused, phase: 'gathering' }, effects: [{ kind: 'campaign-lost' }] }
  }
  const voted = withPeer(seen, peer, { vote })
  const granted = voted.peers.filter((each) => each.vote !== undefined).length
  return granted >= majorityOf(voted.peers.length) ? lead(voted) : { state: voted, effects: NONE }
}

/** Takes the log of the voter with the greatest (last log term, flush LSN), and its reign begins at that log's end. */
function lead(state: ProposerState): ProposerStep {
  const donor = chooseDonor(state.peers)
  const vote = state.peers[donor]!.vote!
  const history = historyOfLeader(vote.history, vote.flushLsn, state.term)
  let next: ProposerState = { ...state, phase: 'leading', history, termStartLsn: vote.flushLsn, donor }
  const effects: ProposerEffect[] = [{ kind: 'leads', term: state.term, termStartLsn: vote.flushLsn, donor }]
  for (const [index, peer] of state.peers.entries()) {
    if (peer.vote === undefined || !peer.isGreeted) continue
    const step = elect(next, index, peer.vote)
    next = step.state
    effects.push(...step.effects)
  }
  return { state: next, effects }
}

/** By the term of the log, never by the term promised: a promise says nothing about what the log holds. */
export function chooseDonor(peers: readonly ProposerPeer[]): number {
  let donor = -1
  let donorTerm = -1
  let donorLsn = -1
  for (const [index, { vote }] of peers.entries()) {
    if (vote === undefined) continue
    const term = lastLogTerm(vote.history, vote.flushLsn)
    if (term < donorTerm || (term === donorTerm && vote.flushLsn <= donorLsn)) continue
    donor = index
    donorTerm = term
    donorLsn = vote.flushLsn
  }
  assert(donor >= 0, 'a donor needs a vote')
  return donor
}

function elect(state: ProposerState, peer: number, vote: VoteResponse): ProposerStep {
  const common = highestCommonPoint(state.history, vote.history, vote.flushLsn)
  if (common === undefined) {
    return { state, effects: [{ kind: 'drop', peer, code: 'corruption', message: 'the histories share no point' }] }
  }
  const message: Elected = { kind: 'elected', term: state.term, streamStartLsn: common, history: state.history }
  return {
    state: withPeer(state, peer, { electedSent: true }),
    effects: [
      { kind: 'send', peer, message },
      { kind: 'stream', peer, fromLsn: common },
    ],
  }
}

function onAppendResponse(state: ProposerState, peer: number, message: AppendResponse): ProposerStep {
  if (message.term > state.term) {
    if (state.phase === 'leading') return fence(state, message.term)
    return { state: { ...state, highestTermSeen: Math.max(state.highestTermSeen, message.term) }, effects: NONE }
  }
  const known = state.peers[peer]!
  if (state.phase !== 'leading' || message.term < state.term || !known.electedSent) return { state, effects: NONE }
  if (known.adopted && message.flushLsn <= known.flushLsn) return { state, effects: NONE }
  const flushLsn = known.adopted ? Math.max(known.flushLsn, message.flushLsn) : message.flushLsn
  const heard = withPeer(state, peer, { adopted: true, flushLsn })
  const commitLsn = committable(heard)
  if (commitLsn === undefined || commitLsn <= state.commitLsn) return { state: heard, effects: NONE }
  return { state: { ...heard, commitLsn }, effects: [{ kind: 'committed', lsn: commitLsn }] }
}

/**
 * The greatest LSN that a majority holds in this term's history, and only from the start of this term on: WAL of older
 * terms is committed together with the first of this one, never by itself (Raft, figure 8).
 */
function committable(state: ProposerState): Lsn | undefined {
  const lsn = quorumLsn(state.peers.map((peer) => (peer.adopted ? peer.flushLsn : -1)))
  return lsn !== undefined && lsn >= state.termStartLsn ? lsn : undefined
}

/** Below this no member needs WAL from another. */
export function peerHorizon(state: ProposerState): Lsn {
  let horizon = Lsn.max as number
  for (const peer of state.peers) horizon = Math.min(horizon, Math.max(0, peer.flushLsn))
  return horizon as Lsn
}

function fence(state: ProposerState, term: number): ProposerStep {
  return { state: { ...state, phase: 'fenced', highestTermSeen: term }, effects: [{ kind: 'fenced', term }] }
}

function voteRequest(peer: number, term: number): ProposerEffect {
  return { kind: 'send', peer, message: { kind: 'vote-request', term } }
}

function withPeer(state: ProposerState, index: number, change: Partial<ProposerPeer>): ProposerState {
  return { ...state, peers: state.peers.map((peer, at) => (at === index ? { ...peer, ...change } : peer)) }
}
