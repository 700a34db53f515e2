import { expect, test } from 'vitest'
import { type AcceptorStepFunction, stepAcceptor } from '../../src/safekeeper/acceptor.ts'
import { type ProposerStepFunction, stepProposer } from '../../src/safekeeper/proposer.ts'
import type { Mutant } from '../cluster.ts'
import { runCluster } from '../cluster-run.ts'
import { PromiseBroken } from '../commit-checker.ts'
import { loseDiskBehindPartition } from '../lost-disk.ts'

const SEEDS = 60
/** Virtual. */
const FAULT_MS = 6000

test(`no acknowledged WAL is lost and no two histories differ, whatever fails (${SEEDS} seeds)`, async () => {
  let committedBytes = 0
  let crashes = 0
  for (let seed = 1; seed <= SEEDS; seed++) {
    try {
      const result = await runCluster({ seed, faultMs: FAULT_MS })
      committedBytes += result.committedBytes
      crashes += result.crashes
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error })
    }
  }
  // A simulation in which nothing happens proves nothing.
  expect(committedBytes).toBeGreaterThan(1_000_000)
  expect(crashes).toBeGreaterThan(100)
})

const LOST_DISK_SEEDS = 5

test(`a disk is lost now and then, and rebuilt from the other members: nothing acknowledged is lost (${LOST_DISK_SEEDS} seeds)`, async () => {
  for (let seed = 1; seed <= LOST_DISK_SEEDS; seed++) {
    await runCluster({ seed, stress: 'disk', faultMs: 2 * FAULT_MS }).catch((error: unknown) => {
      throw new Error(`seed ${seed}`, { cause: error })
    })
  }
})

test('a leader does not count what only a lost disk had flushed, however long it is cut off', async () => {
  for (let seed = 1; seed <= 2; seed++) await loseDiskBehindPartition({ seed })
  const mutant = { proposer: countsTheAbsent() }
  await expect(loseDiskBehindPartition({ seed: 1, mutant })).rejects.toBeInstanceOf(PromiseBroken)
})

test('the same seed gives the same trace, clock and next random number', async () => {
  for (const seed of [3, 11, 42]) {
    const first = await runCluster({ seed, faultMs: FAULT_MS })
    expect(first.eventCount).toBeGreaterThan(1000)
    expect(await runCluster({ seed, faultMs: FAULT_MS })).toEqual(first)
  }
})

/** Each breaks one rule of SPEC.md; the simulation must notice within so many seeds, or its checkers are blind. */
const mutants: Readonly<Record<string, { readonly mutant: Mutant; readonly stress?: 'power' | 'rivals' }>> = {
  'an older term may still append after a vote': { mutant: { acceptor: forgetsVotes() } },
  'one SafeKeeper is a quorum': { mutant: { proposer: commitsWithOne() } },
  'wal is acknowledged before it is durable': { mutant: { acceptor: acknowledgesTooSoon() }, stress: 'power' },
  'a term is promised twice': { mutant: { acceptor: promisesTwice() }, stress: 'rivals' },
}

for (const [title, options] of Object.entries(mutants)) {
  test(`the simulation finds the mutant: ${title}`, async () => {
    let found: unknown
    for (let seed = 1; seed <= 60 && !(found instanceof PromiseBroken); seed++) {
      await runCluster({ seed, ...options, faultMs: FAULT_MS }).catch((error: unknown) => {
        found = error
      })
    }
    expect(found).toBeInstanceOf(PromiseBroken)
  })
}

/** Votes are given and forgotten: whoever streamed before goes on streaming. */
function forgetsVotes(): AcceptorStepFunction {
  return (state, event) => {
    const step = stepAcceptor(state, event)
    return event.kind === 'vote-request' ? { ...step, state } : step
  }
}

function commitsWithOne(): ProposerStepFunction {
  return (state, event) => {
    const step = stepProposer(state, event)
    if (step.state.phase !== 'leading') return step
    const lsn = Math.max(...step.state.peers.map((peer) => peer.flushLsn))
    if (lsn < step.state.termStartLsn || lsn <= step.state.commitLsn) return step
    const commitLsn = lsn as typeof step.state.commitLsn
    return { state: { ...step.state, commitLsn }, effects: [...step.effects, { kind: 'committed', lsn: commitLsn }] }
  }
}

/** Told as flushed as soon as it is written: a sync that is still under way is taken for done. */
function acknowledgesTooSoon(): AcceptorStepFunction {
  return (state, event) => {
    const step = stepAcceptor(state, event)
    if (event.kind !== 'written' || step.state.stream === 0) return step
    const flushed = stepAcceptor(step.state, { kind: 'flushed', recordLsn: event.recordLsn })
    return { state: flushed.state, effects: [...step.effects, ...flushed.effects] }
  }
}

/** What a member said before its connection was lost is taken for what it has. */
function countsTheAbsent(): ProposerStepFunction {
  return (state, event) => {
    const step = stepProposer(state, event)
    if (event.kind !== 'disconnected') return step
    const peers = step.state.peers.map((peer, at) => ({ ...peer, adopted: state.peers[at]!.adopted }))
    return { ...step, state: { ...step.state, peers } }
  }
}

/** A vote is given again to whoever asks for the term that is promised already. */
function promisesTwice(): AcceptorStepFunction {
  return (state, event) => {
    if (event.kind !== 'vote-request' || event.message.term !== state.term) return stepAcceptor(state, event)
    return stepAcceptor({ ...state, term: state.term - 1 }, event)
  }
}
