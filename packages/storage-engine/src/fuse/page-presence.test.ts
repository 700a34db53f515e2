import { expect, test } from 'vitest'
import { PagePresence } from './page-presence.ts'
import { segmentBlockCounts } from './path-map.ts'
import { noReadAhead, onMark, onMiss, READ_AHEAD_PAGES_MAX } from './read-ahead.ts'

test('a page that Postgres has written is never installed over', () => {
  const presence = new PagePresence(PagePresence.allocate(8))
  presence.makeLocal(2, 3)
  expect(presence.claim(2)).toBe(false)
  expect(presence.claim(3)).toBe(true)
  expect(presence.isPresent(3)).toBe(false)
  presence.finishInstall(3)
  expect(presence.isPresent(3)).toBe(true)
  expect(presence.claim(3)).toBe(false)
})

test('pages cut off by a truncate stay local when the file grows again, and so do pages beyond the remote end', () => {
  const presence = new PagePresence(PagePresence.allocate(8))
  presence.makeLocal(5)
  expect(presence.firstAbsent(0, 8)).toBe(0)
  expect(presence.firstAbsent(5, 20)).toBe(20)
  expect(presence.claim(6)).toBe(false)
  expect(presence.claim(8)).toBe(false)
})

test('an install that failed leaves the page absent, and a mark is taken once', () => {
  const presence = new PagePresence(PagePresence.allocate(4))
  presence.claim(1)
  presence.abandonInstall(1)
  expect(presence.isPresent(1)).toBe(false)
  presence.makeLocal(1, 2)
  presence.mark(1)
  expect(presence.isPresent(1)).toBe(true)
  expect(presence.takeMark(0, 4)).toBe(true)
  expect(presence.takeMark(0, 4)).toBe(false)
})

test('sequential reads are kept a growing window ahead, up to the bound and the end; a random one asks for nothing', () => {
  const random = onMiss(noReadAhead, 500, 501, 10_000)
  expect(random.firstPage).toBe(random.endPage)
  let step = onMiss(random.state, 501, 505, 10_000)
  const ends: number[] = []
  for (let reached = 505; ends.length < 7; reached += 40) {
    ends.push(step.endPage - reached)
    step = onMark(step.state, reached + 40, 10_000)
  }
  expect(ends).toEqual([16, 32, 64, 128, 256, 512, READ_AHEAD_PAGES_MAX])
  expect(onMiss(step.state, 9_999, 10_000, 10_000).endPage).toBeLessThanOrEqual(10_000)
  const last = onMark({ nextPage: 9_990, windowPages: 64 }, 9_950, 10_000)
  expect([last.firstPage, last.endPage]).toEqual([9_990, 10_000])
})

test('a reader that comes to pages still on their way stays sequential, and asks for each page once', () => {
  let state = { nextPage: 1000, windowPages: 256 }
  let asked = 1000
  for (let page = 760; page < 1400; page += 16) {
    const step = onMiss(state, page, page + 16, 100_000)
    if (step.endPage > step.firstPage) {
      expect(step.firstPage).toBe(asked)
      expect(step.endPage - step.firstPage).toBeGreaterThanOrEqual(32)
      asked = step.endPage
    }
    expect(step.state.windowPages).toBeGreaterThan(0)
    state = step.state
  }
  expect(asked).toBeGreaterThanOrEqual(1400 + READ_AHEAD_PAGES_MAX - 32)
})

test('a fork is cut into files of 1 GiB, without an empty one at the end', () => {
  expect(segmentBlockCounts(0)).toEqual([0])
  expect(segmentBlockCounts(131_072)).toEqual([131_072])
  expect(segmentBlockCounts(262_145)).toEqual([131_072, 131_072, 1])
})
