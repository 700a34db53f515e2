import { expect, test } from 'vitest'
import { Lsn } from '../postgres/lsn.ts'
import type { TermHistory } from '../protocol/safekeeper-messages.ts'
import { type AcceptorEffect, type AcceptorEvent, type AcceptorState, stepAcceptor } from './acceptor.ts'
import { highestCommonPoint, historyOfLeader, initialHistory, lastLogTerm } from './term-history.ts'

const lsn = (value: number) => Lsn.of(value)
const LEADER = 1
const OTHER = 2

function fresh(): AcceptorState {
  return {
    startLsn: lsn(0),
    term: 0,
    history: initialHistory(lsn(0)),
    writeLsn: lsn(0),
    recordLsn: lsn(0),
    flushLsn: lsn(0),
    commitLsn: lsn(0),
    leaderCommitLsn: lsn(0),
    peerHorizonLsn: lsn(0),
    backupLsn: lsn(0),
    pageserverReceivedLsn: lsn(0),
    remoteConsistentLsn: lsn(0),
    stream: 0,
  }
}

function run(state: AcceptorState, ...events: AcceptorEvent[]): { state: AcceptorState; effects: AcceptorEffect[] } {
  const effects: AcceptorEffect[] = []
  let now = state
  for (const event of events) {
    const step = stepAcceptor(now, event)
    now = step.state
    effects.push(...step.effects)
  }
  return { state: now, effects }
}

const vote = (term: number, from = LEADER): AcceptorEvent => ({
  kind: 'vote-request',
  from,
  message: { kind: 'vote-request', term },
})
const elected = (term: number, at: number, history: TermHistory, from = LEADER): AcceptorEvent => ({
  kind: 'elected',
  from,
  message: { kind: 'elected', term, streamStartLsn: lsn(at), history },
})
const append = (term: number, at: number, length: number, commit = 0, from = LEADER): AcceptorEvent => ({
  kind: 'append',
  from,
  message: {
    kind: 'append',
    term,
    beginLsn: lsn(at),
    commitLsn: lsn(commit),
    peerHorizonLsn: lsn(0),
    bytes: new Uint8Array(length),
  },
})
const written = (at: number): AcceptorEvent => ({ kind: 'written', recordLsn: lsn(at) })
const flushed = (at: number): AcceptorEvent => ({ kind: 'flushed', recordLsn: lsn(at) })
const kinds = (effects: readonly AcceptorEffect[]) => effects.map((effect) => effect.kind)
const history1 = historyOfLeader(initialHistory(lsn(0)), lsn(0), 1)

/** Follows a leader of term 1 and has flushed 80 bytes of it. */
function following(commit = 0): AcceptorState {
  return run(fresh(), vote(1), elected(1, 0, history1), append(1, 0, 80, commit), written(80), flushed(80)).state
}

test('the new term is persisted before the vote is answered', () => {
  const { state, effects } = run(fresh(), vote(3))
  expect(kinds(effects)).toEqual(['persist', 'reply'])
  expect(effects[0]).toMatchObject({ state: { term: 3 } })
  expect(effects[1]).toMatchObject({ message: { kind: 'vote-response', granted: true, term: 3 } })
  expect(state.term).toBe(3)
})

test('equal terms are never voted twice, and lower ones never', () => {
  const { state } = run(fresh(), vote(3))
  for (const term of [3, 2, 0]) {
    const again = run(state, vote(term, OTHER))
    expect(again.state).toBe(state)
    expect(again.effects).toMatchObject([{ kind: 'reply', message: { granted: false, term: 3 } }])
  }
})

test('a vote is not answered while received wal is unflushed', () => {
  const { state } = run(following(), append(1, 80, 16), written(96))
  expect(() => stepAcceptor(state, vote(2, OTHER))).toThrow('flushed before a vote')
})

test('a vote names the log as it is: term, history and the end of the last whole record', () => {
  const partial = run(following(), append(1, 80, 5), written(80)).state
  const { effects } = run(partial, vote(2, OTHER))
  expect(effects[1]).toMatchObject({ message: { flushLsn: 80, history: history1 } })
})

test('a granted vote tells the former leader at once that it is fenced', () => {
  const { effects, state } = run(following(), vote(2, OTHER))
  expect(effects).toContainEqual(
    expect.objectContaining({ kind: 'reply', to: LEADER, message: expect.objectContaining({ term: 2 }) }),
  )
  expect(state.stream).toBe(0)
})

test('an append is acknowledged only after its flush', () => {
  const before = following()
  const received = run(before, append(1, 80, 16), written(96))
  expect(kinds(received.effects)).toEqual(['write-wal', 'sync-wal'])
  const done = run(received.state, flushed(96))
  expect(done.effects).toMatchObject([{ kind: 'reply', message: { kind: 'append-response', flushLsn: 96 } }])
})

test('wal of an older term is neither written nor acknowledged after a vote', () => {
  const { state } = run(following(), append(1, 80, 16), written(96), flushed(96), vote(2, OTHER))
  const late = run(state, append(1, 96, 16))
  expect(late.state).toBe(state)
  expect(late.effects).toMatchObject([{ kind: 'reply', message: { term: 2 } }])
})

test('a flush that ends after a vote is not reported to the old leader as its own', () => {
  const { state } = run(following(), vote(2, OTHER))
  expect(run(state, flushed(80)).effects).toEqual([])
})

test('appends leave no gap and overwrite nothing', () => {
  for (const at of [72, 88]) {
    const { state, effects } = run(following(), append(1, at, 8))
    expect(kinds(effects)).toEqual(['refuse'])
    expect(state).toEqual(following())
  }
})

test('an append before the election, of this connection or of this term, is refused', () => {
  expect(kinds(run(fresh(), append(0, 0, 8)).effects)).toEqual(['refuse'])
  expect(kinds(run(following(), append(1, 80, 8, 0, OTHER)).effects)).toEqual(['refuse'])
  expect(kinds(run(following(), append(2, 80, 8)).effects)).toEqual(['refuse'])
})

test('the wal is cut before the new history is adopted, and the cut is decided durably first', () => {
  const other = historyOfLeader(initialHistory(lsn(0)), lsn(40), 2)
  const { state, effects } = run(
    following(),
    vote(2, OTHER),
    elected(2, 0, historyOfLeader(initialHistory(lsn(0)), lsn(0), 2), OTHER),
  )
  expect(kinds(effects).slice(-4)).toEqual(['persist', 'truncate-wal', 'persist', 'reply'])
  const [decided, cut, adopted] = effects.slice(-4)
  expect(decided).toMatchObject({ truncateLsn: 0, state: { history: history1, term: 2 } })
  expect(cut).toMatchObject({ lsn: 0 })
  expect(adopted).toMatchObject({ truncateLsn: undefined, state: { flushLsn: 0, term: 2 } })
  expect(state).toMatchObject({ writeLsn: 0, recordLsn: 0, flushLsn: 0 })
  expect(other.at(-1)?.term).toBe(2)
})

test('committed wal is never cut', () => {
  const { state } = run(following(80), vote(2, OTHER))
  const cut = run(state, elected(2, 0, historyOfLeader(initialHistory(lsn(0)), lsn(0), 2), OTHER))
  expect(cut.effects).toMatchObject([{ kind: 'refuse', code: 'corruption' }])
  expect(cut.state).toBe(state)
})

test('a leader that starts elsewhere than where the logs part is refused', () => {
  const wrong = run(following(), vote(2, OTHER), elected(2, 40, historyOfLeader(history1, lsn(80), 2), OTHER))
  expect(wrong.effects.at(-1)).toMatchObject({ kind: 'refuse', code: 'conflict' })
  expect(wrong.state.history).toEqual(history1)
})

test('the commit lsn never moves back and never passes what is flushed here', () => {
  let { state } = run(following(), append(1, 80, 16, 500), written(96))
  expect(state.commitLsn).toBe(80)
  state = run(state, flushed(96)).state
  expect(state.commitLsn).toBe(96)
  state = run(state, append(1, 96, 0, 8)).state
  expect(state.commitLsn).toBe(96)
})

test('the commit lsn of a peer counts only when its last log term is the same', () => {
  const state = following()
  const learn = (term: number) =>
    run(state, { kind: 'learned', peerCommit: { lastLogTerm: term, commitLsn: lsn(500) } }).state
  expect(learn(2).commitLsn).toBe(0)
  expect(learn(1).commitLsn).toBe(80)
})

test('flush and commit lie on record ends even when half a record has arrived', () => {
  const { state } = run(following(), append(1, 80, 5, 85), written(80), flushed(80))
  expect(state).toMatchObject({ writeLsn: 85, recordLsn: 80, flushLsn: 80, commitLsn: 80 })
})

test('a history entry that begins at the end of the log counts, one beyond does not', () => {
  const history = historyOfLeader(history1, lsn(80), 2)
  expect(lastLogTerm(history, lsn(80))).toBe(2)
  expect(lastLogTerm(history, lsn(79))).toBe(1)
})

test('the highest common point follows the shorter of two histories of one past', () => {
  const leader = [
    { term: 0, lsn: lsn(0) },
    { term: 1, lsn: lsn(0) },
    { term: 3, lsn: lsn(80) },
  ]
  expect(highestCommonPoint(leader, history1, lsn(120))).toBe(80)
  expect(highestCommonPoint(leader, history1, lsn(50))).toBe(50)
  expect(highestCommonPoint(leader, initialHistory(lsn(0)), lsn(0))).toBe(0)
  expect(
    highestCommonPoint(
      leader,
      [
        { term: 0, lsn: lsn(0) },
        { term: 1, lsn: lsn(0) },
        { term: 2, lsn: lsn(40) },
      ],
      lsn(60),
    ),
  ).toBe(40)
  expect(highestCommonPoint(leader, [{ term: 5, lsn: lsn(0) }], lsn(60))).toBeUndefined()
  expect(highestCommonPoint(leader, [{ term: 0, lsn: lsn(8) }], lsn(60))).toBeUndefined()
})
