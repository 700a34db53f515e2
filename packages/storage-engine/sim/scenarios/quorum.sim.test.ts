import { expect, test } from 'vitest'
import { type AcceptorStepFunction, stepAcceptor } from '../../src/safekeeper/acceptor.ts'
import { type ProposerStepFunction, stepProposer } from '../../src/safekeeper/proposer.ts'
import type { Mutant } from '../cluster.ts'
import { runQuorum } from '../quorum-run.ts'

const SEEDS = 60
/** Virtual. */
const FAULT_MS = 6000

test(`no acknowledged WAL is lost and no two histories differ, whatever fails (${SEEDS} seeds)`, async () => {
  let committedBytes = 0
  let crashes = 0
  for (let seed = 1; seed <= SEEDS; seed++) {
    try {
      const result = await runQuorum({ seed, faultMs: FAULT_MS })
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

test('the same seed gives the same trace, clock and next random number', async () => {
  for (const seed of [3, 11, 42]) {
    const first = await runQuorum({ seed, faultMs: FAULT_MS })
    expect(first.eventCount).toBeGreaterThan(1000)
    expect(await runQuorum({ seed, faultMs: FAULT_MS })).toEqual(first)
  }
})

/** Each breaks one rule of SPEC.md; the simulation must notice within so many seeds, or its checkers are blind. */
const mutants: Readonly<Record<string, Mutant>> = {
  'an older term may still append after a vote': { acceptor: forgetsVotes() },
  'one SafeKeeper is a quorum': { proposer: commitsWithOne() },
}

for (const [title, mutant] of Object.entries(mutants)) {
  test(`the simulation finds the mutant: ${title}`, async () => {
    let found: unknown
    for (let seed = 1; seed <= 60 && found === undefined; seed++) {
      await runQuorum({ seed, mutant, faultMs: FAULT_MS }).catch((error: unknown) => {
        found = error
      })
    }
    expect(found).toBeDefined()
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
