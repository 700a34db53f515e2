import { expect, test } from 'vitest'
import type { Lsn } from '../postgres/lsn.ts'
import type { Append, Elected, TermHistory, VoteResponse } from '../protocol/safekeeper-messages.ts'
import { type AcceptorState, stepAcceptor } from './acceptor.ts'
import { chooseDonor, initialProposer, type ProposerEvent, type ProposerState, stepProposer } from './proposer.ts'

/** The rules of SPEC.md, by name, on the pure steps. LSNs are small numbers: the steps never look inside the WAL. */
const lsn = (value: number): Lsn => value as Lsn
const history = (...entries: [term: number, at: number][]): TermHistory =>
  entries.map(([term, at]) => ({ term, lsn: lsn(at) }))

function acceptor(change: Partial<Record<keyof AcceptorState, unknown>> = {}): AcceptorState {
  return {
    startLsn: lsn(100),
    term: 3,
    history: history([0, 100], [3, 200]),
    writeLsn: lsn(300),
    recordLsn: lsn(300),
    flushLsn: lsn(300),
    commitLsn: lsn(250),
    leaderCommitLsn: lsn(250),
    peerHorizonLsn: lsn(0),
    backupLsn: lsn(100),
    pageserverReceivedLsn: lsn(0),
    remoteConsistentLsn: lsn(0),
    stream: 7,
    ...change,
  } as AcceptorState
}

const append = (term: number, begin: number, length: number, commit = 250): Append =>
  ({
    kind: 'append',
    term,
    beginLsn: lsn(begin),
    endLsn: lsn(begin + length),
    commitLsn: lsn(commit),
    peerHorizonLsn: lsn(0),
    bytes: new Uint8Array(length),
  }) as unknown as Append

const kinds = (effects: readonly { kind: string }[]): string[] => effects.map(({ kind }) => kind)

test('a vote is granted only for a term above the one promised', () => {
  for (const term of [1, 2, 3]) {
    const step = stepAcceptor(acceptor(), { kind: 'vote-request', from: 9, message: { kind: 'vote-request', term } })
    expect(step.state.term).toBe(3)
    expect(step.effects).toMatchObject([{ kind: 'reply', message: { granted: false, term: 3 } }])
  }
  const step = stepAcceptor(acceptor(), { kind: 'vote-request', from: 9, message: { kind: 'vote-request', term: 4 } })
  expect(step.effects[1]).toMatchObject({ kind: 'reply', message: { granted: true, term: 4, flushLsn: 300 } })
})

test('the promised term is durable before the vote leaves', () => {
  const step = stepAcceptor(acceptor(), { kind: 'vote-request', from: 9, message: { kind: 'vote-request', term: 4 } })
  expect(kinds(step.effects).indexOf('persist')).toBe(0)
  expect(step.effects[0]).toMatchObject({ state: { term: 4 } })
})

test('an append is acknowledged only after it is flushed', () => {
  const received = stepAcceptor(acceptor(), { kind: 'append', from: 7, message: append(3, 300, 50) })
  expect(kinds(received.effects)).toEqual(['write-wal', 'sync-wal'])
  const written = stepAcceptor(received.state, { kind: 'written', recordLsn: lsn(340) })
  expect(written.effects).toEqual([])
  const flushed = stepAcceptor(written.state, { kind: 'flushed', recordLsn: lsn(340) })
  expect(flushed.effects[0]).toMatchObject({
    kind: 'reply',
    to: 7,
    message: { kind: 'append-response', flushLsn: 340 },
  })
})

test('what is given out as flushed ends on a record boundary', () => {
  const received = stepAcceptor(acceptor(), { kind: 'append', from: 7, message: append(3, 300, 50) })
  const written = stepAcceptor(received.state, { kind: 'written', recordLsn: lsn(320) })
  const flushed = stepAcceptor(written.state, { kind: 'flushed', recordLsn: lsn(320) })
  expect(flushed.state.writeLsn).toBe(350)
  expect(flushed.effects[0]).toMatchObject({ message: { flushLsn: 320 } })
})

test('an append of an older term is answered with the term alone, and nothing is written', () => {
  const step = stepAcceptor(acceptor({ term: 5, stream: 0 }), { kind: 'append', from: 7, message: append(3, 300, 50) })
  expect(step.effects).toMatchObject([{ kind: 'reply', to: 7, message: { term: 5 } }])
  expect(step.state.writeLsn).toBe(300)
})

test('an append without an election on its connection is refused', () => {
  for (const event of [
    { kind: 'append', from: 8, message: append(3, 300, 50) },
    { kind: 'append', from: 7, message: append(4, 300, 50) },
  ] as const) {
    expect(kinds(stepAcceptor(acceptor(), event).effects)).toEqual(['refuse'])
  }
})

test('an append that leaves a gap or overlaps is refused', () => {
  for (const begin of [299, 301, 0]) {
    const step = stepAcceptor(acceptor(), { kind: 'append', from: 7, message: append(3, begin, 10) })
    expect(kinds(step.effects)).toEqual(['refuse'])
    expect(step.state.writeLsn).toBe(300)
  }
})

test('a SafeKeeper commits no more than it has flushed, and its commit LSN never goes back', () => {
  const ahead = stepAcceptor(acceptor(), { kind: 'append', from: 7, message: append(3, 300, 0, 900) })
  expect(ahead.state.commitLsn).toBe(300)
  const behind = stepAcceptor(ahead.state, { kind: 'append', from: 7, message: append(3, 300, 0, 10) })
  expect(behind.state.commitLsn).toBe(300)
})

test('the commit LSN of a peer counts only when its last log term is the same', () => {
  const base = acceptor({ leaderCommitLsn: lsn(250) })
  const other = stepAcceptor(base, { kind: 'learned', peerCommit: { lastLogTerm: 2, commitLsn: lsn(290) } })
  expect(other.state.commitLsn).toBe(250)
  const same = stepAcceptor(base, { kind: 'learned', peerCommit: { lastLogTerm: 3, commitLsn: lsn(290) } })
  expect(same.state.commitLsn).toBe(290)
})

const elected = (term: number, start: number, entries: TermHistory): Elected =>
  ({ kind: 'elected', term, streamStartLsn: lsn(start), history: entries }) as Elected

test('a cut is decided durably before it is made, and the history is adopted after it', () => {
  const message = elected(4, 270, history([0, 100], [3, 200], [4, 270]))
  const step = stepAcceptor(acceptor(), { kind: 'elected', from: 9, message })
  expect(kinds(step.effects)).toEqual(['persist', 'truncate-wal', 'persist', 'reply'])
  expect(step.effects[0]).toMatchObject({ truncateLsn: 270, state: { term: 4, history: history([0, 100], [3, 200]) } })
  expect(step.effects[2]).toMatchObject({ truncateLsn: undefined, state: { flushLsn: 270 } })
})

test('committed WAL is never cut', () => {
  const message = elected(4, 240, history([0, 100], [3, 200], [4, 240]))
  const step = stepAcceptor(acceptor(), { kind: 'elected', from: 9, message })
  expect(step.effects).toMatchObject([{ kind: 'refuse', code: 'corruption' }])
  expect(step.state.flushLsn).toBe(300)
})

test('a leader that starts elsewhere than where the logs part is refused', () => {
  const message = elected(4, 280, history([0, 100], [3, 200], [4, 270]))
  expect(kinds(stepAcceptor(acceptor(), { kind: 'elected', from: 9, message }).effects)).toEqual(['refuse'])
})

const vote = (promised: number, flush: number, entries: TermHistory): VoteResponse =>
  ({
    kind: 'vote-response',
    term: promised,
    granted: true,
    flushLsn: lsn(flush),
    commitLsn: lsn(0),
    peerHorizonLsn: lsn(0),
    history: entries,
  }) as unknown as VoteResponse

test('the donor is the voter with the greatest (last log term, flush LSN), whatever term it promised', () => {
  const peer = (response: VoteResponse) => ({ ...initialProposer([1]).peers[0]!, vote: response })
  const longButOld = peer(vote(9, 500, history([0, 100], [1, 100])))
  const newer = peer(vote(9, 300, history([0, 100], [1, 100], [2, 200])))
  const newerLonger = peer(vote(9, 320, history([0, 100], [1, 100], [2, 200])))
  expect(chooseDonor([longButOld, newer, newerLonger])).toBe(2)
  // Its history names term 5, but none of its WAL is of that term.
  const aheadOfItsLog = peer(vote(9, 150, history([0, 100], [1, 100], [5, 400])))
  expect(chooseDonor([aheadOfItsLog, newer, longButOld])).toBe(1)
})

function play(state: ProposerState, events: readonly ProposerEvent[]): ProposerState {
  return events.reduce((at, event) => stepProposer(at, event).state, state)
}

test('WAL of an older term is not committed before the start of the own term is held by a majority', () => {
  // The state of Raft figure 8: the donor's log ends at 300, a second member holds only up to 200 of it.
  const greeting = (nodeId: number) => ({ kind: 'greeting-response', nodeId, term: 2 }) as never
  const led = play(initialProposer([1, 2, 3]), [
    { kind: 'received', peer: 0, message: greeting(1) },
    { kind: 'received', peer: 1, message: greeting(2) },
    { kind: 'received', peer: 0, message: vote(3, 300, history([0, 100], [1, 100])) },
    { kind: 'received', peer: 1, message: vote(3, 100, history([0, 100], [1, 100])) },
  ])
  expect(led).toMatchObject({ phase: 'leading', term: 3, termStartLsn: 300 })
  const answer = (flush: number) => ({ kind: 'append-response', term: 3, flushLsn: lsn(flush) }) as never
  const below = play(led, [
    { kind: 'received', peer: 0, message: answer(300) },
    { kind: 'received', peer: 1, message: answer(200) },
  ])
  expect(below.commitLsn).toBe(0)
  expect(play(below, [{ kind: 'received', peer: 1, message: answer(300) }]).commitLsn).toBe(300)
})

test('a leader that hears of a higher term is fenced for good', () => {
  const led: ProposerState = { ...initialProposer([1, 2, 3]), phase: 'leading', term: 3, highestTermSeen: 3 }
  const message = { kind: 'append-response', term: 4, flushLsn: lsn(0) } as never
  const fenced = stepProposer(led, { kind: 'received', peer: 0, message })
  expect(fenced.effects).toEqual([{ kind: 'fenced', term: 4 }])
  expect(stepProposer(fenced.state, { kind: 'campaign' })).toEqual({ state: fenced.state, effects: [] })
})

test('a SafeKeeper that answers under another id is not counted', () => {
  const message = { kind: 'greeting-response', nodeId: 1, term: 0 } as never
  const step = stepProposer(initialProposer([1, 2, 3]), { kind: 'received', peer: 1, message })
  expect(kinds(step.effects)).toEqual(['drop'])
  expect(step.state.peers[1]!.isGreeted).toBe(false)
})
