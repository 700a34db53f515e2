import { expect, test } from 'vitest'
import { TimelineId } from '../../postgres/ids.ts'
import { Lsn } from '../../postgres/lsn.ts'
import { CommitJournalWriter } from '../ingest/commit-journal.ts'
import { encodeKey, KeyKind } from '../key.ts'
import { MemoryTimelineStorage } from './memory-timeline-storage.ts'
import { commitAtOrBefore, findCommitAtTime } from './time-index.ts'

const id = TimelineId.parse('1'.repeat(32))
const KEY = encodeKey({ kind: KeyKind.commitJournal })

/** A small deterministic stream: enough to vary batch sizes, gaps and clock jumps. */
function numbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

test('time to LSN equals a plain scan over all commits, for every time, with clocks that go back and on a branch', async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const next = numbers(seed)
    const parent = new MemoryTimelineStorage(id, Lsn.of(1000))
    const commits: { endLsn: Lsn; time: number }[] = []
    const writer = new CommitJournalWriter(Number.NEGATIVE_INFINITY)
    let storage = parent
    let lsn = 1000
    let time = 5000
    for (let batch = 0; batch < 30; batch++) {
      writer.begin()
      for (let i = Math.floor(next() * 4); i > 0; i--) {
        lsn += 8 * (1 + Math.floor(next() * 100))
        time += Math.floor(next() * 50) - 12
        writer.addCommit(Lsn.of(lsn), time)
        commits.push({ endLsn: Lsn.of(lsn), time })
      }
      if (writer.count > 0) storage.put(KEY, writer.firstEndLsn, true, writer.encode())
      lsn += 8
      storage.advance(Lsn.of(lsn))
      if (batch === 15) storage = new MemoryTimelineStorage(id, Lsn.of(lsn), { storage: parent, lsn: Lsn.of(lsn) })
    }
    for (let wanted = 4980; wanted < time + 60; wanted++) {
      const index = commits.findIndex((commit) => commit.time > wanted)
      const expected = index === -1 ? commits.at(-1) : commits[index - 1]
      const found = await findCommitAtTime(storage, storage.lastRecordLsn, wanted)
      if (!expected) expect(found.kind).toBe('past')
      else expect(found).toMatchObject({ kind: index === -1 ? 'future' : 'exact', commit: { endLsn: expected.endLsn } })
    }
    for (const commit of commits) {
      expect((await commitAtOrBefore(storage, commit.endLsn))?.endLsn).toBe(commit.endLsn)
      const before = commits.findLast(({ endLsn }) => endLsn < commit.endLsn)
      expect((await commitAtOrBefore(storage, Lsn.of(commit.endLsn - 1)))?.endLsn).toBe(before?.endLsn)
    }
  }
})

test('a timeline without commits says so', async () => {
  const storage = new MemoryTimelineStorage(id, Lsn.of(1000))
  expect(await findCommitAtTime(storage, Lsn.of(1000), 1)).toEqual({ kind: 'no-commits' })
})
