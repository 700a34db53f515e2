import { expect, test } from 'vitest'
import { Lsn } from '../../postgres/lsn.ts'
import {
  advanceNextXid,
  type ClusterState,
  decodeClusterState,
  encodeClusterState,
  epochOfXid,
} from './cluster-state.ts'
import { CommitJournalWriter, decodeCommitJournal, timeMaxBefore } from './commit-journal.ts'
import { YOUNG_CLUSTER } from './ingest-harness.ts'
import { findRecordBefore, RecordJournalWriter, recordEndBefore } from './record-journal.ts'

function someState(fields: Partial<ClusterState> = {}): ClusterState {
  return { ...YOUNG_CLUSTER, ...fields }
}

test('the record before any LSN of a batch is found, with nextXid as of its end', () => {
  const writer = new RecordJournalWriter()
  writer.begin({ nextXidLow: 0xfffffffe, nextXidEpoch: 4 })
  // The third record starts behind a page header: the second one ended at the page's start.
  const records = [
    [0x1000028, 0x1000060],
    [0x1000060, 0x1002000],
    [0x1002018, 0x1002058],
    [0x1002058, 0x1400000],
  ] as const
  records.forEach(([start, end], i) => {
    if (i === 1) writer.addXidAdvance(5)
    if (i === 3) writer.addXidAdvance(1)
    writer.addRecord(Lsn.of(start), Lsn.of(end))
  })
  expect(writer.firstEndLsn).toBe(0x1000060)
  const journal = writer.encode()
  expect(findRecordBefore(journal, Lsn.of(0x1000059))).toBeUndefined()
  for (const [start, end] of records) {
    expect(findRecordBefore(journal, Lsn.of(end))).toMatchObject({ startLsn: start, endLsn: end })
    expect(findRecordBefore(journal, Lsn.of(end + 7))).toMatchObject({ startLsn: start })
  }
  expect(findRecordBefore(journal, Lsn.of(0x1000060))).toMatchObject({ nextXidLow: 0xfffffffe, nextXidEpoch: 4 })
  expect(findRecordBefore(journal, Lsn.of(0x1002000))).toMatchObject({ nextXidLow: 3, nextXidEpoch: 5 })
  expect(findRecordBefore(journal, Lsn.of(0x1400000))).toMatchObject({ nextXidLow: 4, nextXidEpoch: 5 })
})

test('the end before a record that follows a segment header is the segment start', () => {
  expect(recordEndBefore(Lsn.of(0x2000028))).toBe(0x2000000)
  expect(recordEndBefore(Lsn.of(0x2000030))).toBe(0x2000030)
})

test('commits come back with their exact LSN and time and the running maximum of times that go backwards', () => {
  const writer = new CommitJournalWriter(Number.NEGATIVE_INFINITY)
  writer.begin()
  writer.addCommit(Lsn.of(800), 8e14)
  writer.addCommit(Lsn.of(1600), 8e14 - 5)
  writer.addCommit(Lsn.of(1608), 8e14 + 1_000_001)
  const commits = decodeCommitJournal(writer.encode())
  expect(commits).toEqual([
    { endLsn: 800, time: 8e14, timeMax: 8e14, number: 1 },
    { endLsn: 1600, time: 8e14 - 5, timeMax: 8e14, number: 2 },
    { endLsn: 1608, time: 8e14 + 1_000_001, timeMax: 8e14 + 1_000_001, number: 3 },
  ])
  writer.begin()
  writer.addCommit(Lsn.of(2000), 1)
  expect(timeMaxBefore(writer.encode())).toBe(8e14 + 1_000_001)
  expect(decodeCommitJournal(writer.encode())[0]).toMatchObject({ timeMax: 8e14 + 1_000_001, number: 4 })
})

test('nextXid passes every xid it is shown, never goes back, skips the special xids and carries the epoch', () => {
  const state = someState({ nextXidLow: 0xfffffff0, nextXidEpoch: 2 })
  expect(advanceNextXid(state, 0xffffffef)).toBe(0)
  expect(advanceNextXid(state, 2)).toBe(0)
  advanceNextXid(state, 0xfffffff0)
  expect([state.nextXidLow, state.nextXidEpoch]).toEqual([0xfffffff1, 2])
  advanceNextXid(state, 0xffffffff)
  expect([state.nextXidLow, state.nextXidEpoch]).toEqual([3, 3])
  expect(epochOfXid(state, 0xffffffff)).toBe(2)
  advanceNextXid(state, 7)
  expect([state.nextXidLow, state.nextXidEpoch]).toEqual([8, 3])
  expect(epochOfXid(state, 7)).toBe(3)
})

test('a cluster state decodes to what was encoded', () => {
  const state = someState({ shutdownCheckpointEndLsn: Lsn.parse('3/28'), walLogHints: true, nextXidEpoch: 7 })
  expect(decodeClusterState(encodeClusterState(state))).toEqual(state)
})
