import { expect, test } from 'vitest'
import { Lsn } from '../postgres/lsn.ts'
import type { AppendResponse, TermHistory, VoteResponse } from '../protocol/safekeeper-messages.ts'
import { type AcceptorEvent, type AcceptorState, stepAcceptor } from './acceptor.ts'
import {
  initialProposer,
  type ProposerEffect,
  type ProposerEvent,
  type ProposerState,
  stepProposer,
} from './proposer.ts'
import { quorumLsn } from './quorum.ts'
import { initialHistory } from './term-history.ts'

const lsn = (value: number) => Lsn.of(value)

function run(state: ProposerState, ...events: ProposerEvent[]): { state: ProposerState; effects: ProposerEffect[] } {
  const effects: ProposerEffect[] = []
  let now = state
  for (const event of events) {
    const step = stepProposer(now, event)
    now = step.state
    effects.push(...step.effects)
  }
  return { state: now, effects }
}

const greeting = (peer: number, term: number, nodeId = peer + 1): ProposerEvent => ({
  kind: 'received',
  peer,
  message: { kind: 'greeting-response', nodeId, term },
})
const vote = (peer: number, term: number, flush: number, history: TermHistory, granted = true): ProposerEvent => ({
  kind: 'received',
  peer,
  message: {
    kind: 'vote-response',
    term,
    granted,
    flushLsn: lsn(flush),
    commitLsn: lsn(0),
    peerHorizonLsn: lsn(0),
    history,
  },
})
const answer = (peer: number, term: number, flush: number): ProposerEvent => ({
  kind: 'received',
  peer,
  message: {
    kind: 'append-response',
    term,
    flushLsn: lsn(flush),
    commitLsn: lsn(0),
    pageserverReceivedLsn: lsn(0),
    remoteConsistentLsn: lsn(0),
  },
})
const start = initialHistory(lsn(8))
const gathered = () => run(initialProposer([1, 2, 3]), greeting(0, 4), greeting(1, 2))

test('the campaign is for a term above all that a majority has promised', () => {
  const { state, effects } = gathered()
  expect(state).toMatchObject({ phase: 'campaigning', term: 5 })
  expect(effects.map((effect) => effect.kind)).toEqual(['send', 'send'])
})

test('less than a majority of votes makes no leader, and one safekeeper counts once', () => {
  const { state } = run(gathered().state, vote(0, 5, 8, start), vote(0, 5, 8, start))
  expect(state.phase).toBe('campaigning')
  expect(run(state, vote(1, 5, 8, start)).state.phase).toBe('leading')
  const impostor = run(initialProposer([1, 2, 3]), greeting(0, 4), greeting(1, 4, 1))
  expect(impostor.effects).toMatchObject([{ kind: 'drop', peer: 1 }])
  expect(impostor.state.phase).toBe('gathering')
})

test('the donor has the greatest last log term, then the greatest flush lsn, whatever was promised', () => {
  const newer = [...start, { term: 3, lsn: lsn(8) }]
  const longer = [...start, { term: 2, lsn: lsn(8) }]
  const { state } = run(gathered().state, vote(0, 5, 800, longer), vote(1, 5, 16, newer))
  expect(state).toMatchObject({ phase: 'leading', donor: 1, termStartLsn: 16 })
  const same = run(gathered().state, vote(0, 5, 24, newer), vote(1, 5, 16, newer))
  expect(same.state).toMatchObject({ donor: 0, termStartLsn: 24 })
  // An entry beyond the end of the log is a promise, not a log.
  const ahead = run(gathered().state, vote(0, 5, 24, longer), vote(1, 5, 16, [...start, { term: 4, lsn: lsn(20) }]))
  expect(ahead.state.donor).toBe(0)
})

function leading(): ProposerState {
  return run(gathered().state, vote(0, 5, 80, start), vote(1, 5, 80, start)).state
}

test('nothing is committed before a majority holds it in this term', () => {
  const one = run(leading(), answer(0, 5, 96))
  expect(one.state.commitLsn).toBe(0)
  const two = run(one.state, answer(1, 5, 88))
  expect(two.effects).toEqual([{ kind: 'committed', lsn: 88 }])
  expect(run(two.state, answer(0, 4, 500), answer(1, 4, 500)).state.commitLsn).toBe(88)
})

test('wal of older terms is committed only together with the start of the own term', () => {
  const { state, effects } = run(leading(), answer(0, 5, 72), answer(1, 5, 72))
  expect(effects).toEqual([])
  expect(run(state, answer(0, 5, 80), answer(1, 5, 80)).effects).toEqual([{ kind: 'committed', lsn: 80 }])
})

test('the commit lsn of a leader never moves back', () => {
  const { state } = run(leading(), answer(0, 5, 96), answer(1, 5, 96))
  const lost = run(
    state,
    { kind: 'disconnected', peer: 0 },
    greeting(0, 5),
    vote(0, 5, 88, state.history, false),
    answer(0, 5, 88),
  )
  expect(lost.state.commitLsn).toBe(96)
})

test('what a safekeeper had flushed counts again only once it has said so after it was away', () => {
  const away = run(leading(), answer(0, 5, 88), { kind: 'disconnected', peer: 0 }, answer(1, 5, 88))
  expect(away.effects.filter(({ kind }) => kind === 'committed')).toEqual([])
  // With another disk: it comes back with less.
  const back = run(away.state, greeting(0, 5), vote(0, 5, 80, away.state.history, false), answer(0, 5, 80))
  expect(back.state.commitLsn).toBe(80)
  expect(run(back.state, answer(0, 5, 88)).effects).toEqual([{ kind: 'committed', lsn: 88 }])
})

test('a higher term in any answer ends a leader for ever', () => {
  for (const event of [answer(2, 6, 0), vote(2, 6, 8, start, false), greeting(2, 6)]) {
    const { state, effects } = run(leading(), event)
    expect(effects.at(-1)).toEqual({ kind: 'fenced', term: 6 })
    expect(run(state, answer(0, 5, 500), answer(1, 5, 500)).state.commitLsn).toBe(0)
  }
})

test('a refused campaign starts over with a higher term', () => {
  const lost = run(gathered().state, vote(0, 9, 8, start, false))
  expect(lost.effects).toEqual([{ kind: 'campaign-lost' }])
  expect(run(lost.state, { kind: 'campaign' }).state).toMatchObject({ phase: 'campaigning', term: 10 })
})

/**
 * The 32 states that break LogSafety when a leader commits WAL of an older term before WAL of its own reaches a majority
 * (Raft, figure 8). LSNs are entry numbers from 1.
 */
function replayFigure8(committable: (state: ProposerState) => number | undefined) {
  const fresh: AcceptorState = {
    startLsn: lsn(1),
    term: 0,
    history: initialHistory(lsn(1)),
    writeLsn: lsn(1),
    recordLsn: lsn(1),
    flushLsn: lsn(1),
    commitLsn: lsn(1),
    leaderCommitLsn: lsn(1),
    peerHorizonLsn: lsn(1),
    backupLsn: lsn(1),
    pageserverReceivedLsn: lsn(0),
    remoteConsistentLsn: lsn(0),
    stream: 0,
  }
  const acceptors = [fresh, fresh, fresh]
  /** Term of each entry, by acceptor. */
  const wal: number[][] = [[], [], []]
  const committed: { entry: number; term: number }[] = []

  const step = (acceptor: number, event: AcceptorEvent) => {
    const done = stepAcceptor(acceptors[acceptor]!, event)
    acceptors[acceptor] = done.state
    expect(done.effects.filter((effect) => effect.kind === 'refuse')).toEqual([])
    return done.effects
  }
  const campaign = (term: number): ProposerState => ({
    ...initialProposer([1, 2, 3]),
    phase: 'campaigning',
    term,
    highestTermSeen: term,
    peers: initialProposer([1, 2, 3]).peers.map((peer) => ({ ...peer, isGreeted: true })),
  })
  const getVote = (proposer: ProposerState, acceptor: number): ProposerState => {
    const effects = step(acceptor, {
      kind: 'vote-request',
      from: proposer.term,
      message: { kind: 'vote-request', term: proposer.term },
    })
    const reply = effects.find((effect) => effect.kind === 'reply' && effect.to === proposer.term)
    const message = (reply as { message: VoteResponse }).message
    expect(message.granted).toBe(true)
    return stepProposer(proposer, { kind: 'received', peer: acceptor, message }).state
  }
  const elect = (proposer: ProposerState, acceptor: number, at: number): ProposerState => {
    const message = {
      kind: 'elected',
      term: proposer.term,
      streamStartLsn: lsn(at),
      history: proposer.history,
    } as const
    const effects = step(acceptor, { kind: 'elected', from: proposer.term, message })
    wal[acceptor]!.length = at - 1
    return hear(proposer, acceptor, effects)
  }
  const write = (proposer: ProposerState, acceptor: number, term: number): ProposerState => {
    const { writeLsn } = acceptors[acceptor]!
    const message = {
      kind: 'append',
      term: proposer.term,
      beginLsn: writeLsn,
      commitLsn: proposer.commitLsn,
      peerHorizonLsn: lsn(0),
      bytes: new Uint8Array(1),
    } as const
    step(acceptor, { kind: 'append', from: proposer.term, message })
    wal[acceptor]!.push(term)
    step(acceptor, { kind: 'written', recordLsn: lsn(writeLsn + 1) })
    return hear(proposer, acceptor, step(acceptor, { kind: 'flushed', recordLsn: lsn(writeLsn + 1) }))
  }
  const hear = (proposer: ProposerState, acceptor: number, effects: readonly { kind: string }[]): ProposerState => {
    const reply = effects.find((effect) => effect.kind === 'reply') as { message: AppendResponse } | undefined
    expect(reply).toBeDefined()
    return stepProposer(proposer, { kind: 'received', peer: acceptor, message: reply!.message }).state
  }
  const commit = (proposer: ProposerState, acceptor: number) => {
    const end = committable(proposer)
    for (let entry = 1; end !== undefined && entry < end; entry++)
      committed.push({ entry, term: wal[acceptor]![entry - 1]! })
  }

  let p1 = getVote(campaign(1), 0) // 2
  let p2 = campaign(2) // 3
  p1 = getVote(p1, 1) // 4, 5
  expect(p1.phase).toBe('leading')
  p2 = getVote(p2, 0) // 6
  p1 = elect(p1, 1, 1) // 7
  p2 = getVote(p2, 2) // 8, 9
  p2 = elect(p2, 0, 1) // 10
  p2 = getVote(campaign(3), 2) // 11, 12
  p1 = write(p1, 1, 1) // 13, 15
  p1 = write(p1, 1, 1) // 14, 16
  p1 = getVote(campaign(4), 0) // 17, 18
  p2 = getVote(p2, 1) // 19, 20
  expect(p2).toMatchObject({ phase: 'leading', donor: 1, termStartLsn: 3 })
  p2 = elect(p2, 1, 3) // 21
  p2 = elect(p2, 2, 1) // 22
  p2 = write(p2, 2, 1) // 23
  commit(p2, 2) // 24
  p1 = getVote(p1, 2) // 25, 26
  expect(p1).toMatchObject({ phase: 'leading', donor: 0, termStartLsn: 1 })
  p1 = elect(p1, 2, 1) // 27
  p1 = write(p1, 2, 4) // 28, 29
  p1 = elect(p1, 0, 1) // 30
  p1 = write(p1, 0, 4) // 31
  commit(p1, 0) // 32
  return committed
}

test('the 32-state trace: a leader does not commit wal of an older term by itself, and two entries never share an lsn', () => {
  expect(replayFigure8((state) => (state.commitLsn > 0 ? state.commitLsn : undefined))).toEqual([{ entry: 1, term: 4 }])
})

test('the same trace without the term-start rule commits two entries at one lsn: the trace can see the fault', () => {
  const committed = replayFigure8((state) => quorumLsn(state.peers.map((peer) => peer.flushLsn)))
  expect(committed).toEqual([
    { entry: 1, term: 1 },
    { entry: 1, term: 4 },
  ])
})
