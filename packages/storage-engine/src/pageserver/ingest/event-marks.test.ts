import { expect, test } from 'vitest'
import { Lsn } from '../../postgres/lsn.ts'
import { ddlSummary, emptyCatalogWork, noteNames } from './catalog-work.ts'
import { decodeEventMarks, type EventMark, EventMarkWriter } from './event-marks.ts'

const DAY = 24 * 3600 * 1e6

/** Checkpoints and starts of terms of one day, a batch for each; what was noted. */
function noteDay(writer: EventMarkWriter, day: number, counts: { checkpoints: number; terms: number }): EventMark[] {
  const noted: EventMark[] = []
  const batch = (term: number, index: number) => {
    writer.begin()
    writer.checkpoint(Lsn.of(0x1000000 + index * 8), day * DAY + index, false, term)
    if (writer.count > 0) noted.push(...decodeEventMarks(writer.encode()))
  }
  for (let i = 0; i < counts.checkpoints; i++) batch(0, i)
  for (let i = 0; i < counts.terms; i++) batch(i + 1, counts.checkpoints + i)
  return noted
}

test('the marks of a day are bounded: checkpoints are left out first, starts of terms last, and the next day begins anew', () => {
  const writer = new EventMarkWriter()
  for (const day of [9000, 9001]) {
    const noted = noteDay(writer, day, { checkpoints: 3000, terms: 7000 })
    expect(noted.filter(({ kind }) => kind === 'checkpoint')).toHaveLength(2000)
    expect(noted.filter(({ kind }) => kind === 'term')).toHaveLength(6000)
    expect(noted).toHaveLength(8000)
  }
})

test('in a batch that is full a start of a term takes the place of a checkpoint', () => {
  const writer = new EventMarkWriter()
  writer.begin()
  for (let i = 0; i < 64; i++) writer.checkpoint(Lsn.of(0x1000000 + i * 8), i, false, 0)
  writer.checkpoint(Lsn.of(0x2000000), 64, false, 7)
  const marks = decodeEventMarks(writer.encode())
  expect(marks).toHaveLength(64)
  expect(marks.at(-1)).toMatchObject({ kind: 'term', term: 7 })
})

test('a transaction that makes any number of tables in any number of subtransactions is told in one line', () => {
  const work = emptyCatalogWork()
  for (let i = 0; i < 300_000; i++) noteNames(work, [`table t${i}`], 1)
  work.createdCount = work.namedCount
  expect(work.created).toHaveLength(4)
  expect(ddlSummary(work, 0)).toBe('created table t0, table t1, table t2, table t3 and 299996 more')
})
