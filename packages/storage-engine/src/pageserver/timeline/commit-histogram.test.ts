import { expect, test } from 'vitest'
import { TimelineId } from '../../postgres/ids.ts'
import { Lsn } from '../../postgres/lsn.ts'
import { CommitJournalWriter, decodeCommitJournal } from '../ingest/commit-journal.ts'
import { encodeKey, KeyKind } from '../key.ts'
import { commitHistogram } from './commit-histogram.ts'
import { MemoryTimelineStorage } from './memory-timeline-storage.ts'
import { commitAtOrBefore } from './time-index.ts'

const id = TimelineId.parse('1'.repeat(32))
const KEY = encodeKey({ kind: KeyKind.commitJournal })
const breathe = async () => undefined

function numbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

test('commits and bytes per bucket equal a plain count over all commits, also across a branch point and a restart of ingest', async () => {
  for (let seed = 1; seed <= 30; seed++) {
    const next = numbers(seed)
    const parent = new MemoryTimelineStorage(id, Lsn.of(1000))
    let storage = parent
    let writer = new CommitJournalWriter(Number.NEGATIVE_INFINITY)
    const commits: { endLsn: Lsn; time: number }[] = []
    let lsn = 1000
    let time = 5000
    for (let batch = 0; batch < 40; batch++) {
      writer.begin()
      for (let i = Math.floor(next() * 5); i > 0; i--) {
        lsn += 8 * (1 + Math.floor(next() * 100))
        time += Math.floor(next() * 90)
        writer.addCommit(Lsn.of(lsn), time)
        commits.push({ endLsn: Lsn.of(lsn), time })
      }
      if (writer.count > 0) {
        const journal = writer.encode()
        storage.put(KEY, writer.firstEndLsn, true, journal)
        const last = decodeCommitJournal(journal).at(-1)!
        expect(last.number).toBe(commits.length)
        if (batch === 20) writer = new CommitJournalWriter(last.timeMax, last.number)
      }
      lsn += 8
      storage.advance(Lsn.of(lsn))
      if (batch !== 15) continue
      // The branch begins inside the batch: what the ancestor did after it does not count.
      const kept = commits.at(-1)!.endLsn === lsn - 8 ? commits.splice(Math.max(1, commits.length - 1)) : []
      lsn = kept.length > 0 ? commits.at(-1)!.endLsn : lsn
      storage = new MemoryTimelineStorage(id, Lsn.of(lsn), { storage: parent, lsn: Lsn.of(lsn) })
      const point = (await commitAtOrBefore(storage, Lsn.of(lsn)))!
      writer = new CommitJournalWriter(point.timeMax, point.number)
      time = point.timeMax
    }
    const [from, to] = [commits[0]!.time, commits.at(-1)!.time]
    for (const range of [
      { buckets: 7, from: undefined, to: undefined },
      { buckets: 50, from: from + 101, to: to - 77 },
      { buckets: 1, from: from - 500, to: to + 500 },
    ]) {
      const found = (await commitHistogram(storage, range, breathe))!
      const [start, end] = [range.from ?? from, range.to ?? to]
      const step = (end - start) / range.buckets
      let lastLsn = commits.findLast((commit) => commit.time <= start - 1)?.endLsn
      found.buckets.forEach((bucket, i) => {
        const low = i === 0 ? start - 1 : start + i * step
        const high = i === range.buckets - 1 ? end : start + (i + 1) * step
        const inside = commits.filter((commit) => commit.time > low && commit.time <= high)
        expect(bucket.commits).toBe(inside.length)
        const endLsn = inside.at(-1)?.endLsn ?? lastLsn
        expect(bucket.lsn).toBe(endLsn)
        if (inside.length > 0) expect(bucket.walBytes).toBe(endLsn! - (lastLsn ?? commits[0]!.endLsn))
        lastLsn = endLsn
      })
    }
  }
})

test('a timeline without commits has no histogram', async () => {
  const storage = new MemoryTimelineStorage(id, Lsn.of(1000))
  expect(await commitHistogram(storage, { buckets: 5, from: undefined, to: undefined }, breathe)).toBeUndefined()
})
