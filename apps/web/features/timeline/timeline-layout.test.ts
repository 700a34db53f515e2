import { describe, expect, test } from 'vitest'
import { groupMarks } from './timeline-marks.ts'
import { extentOf, type LaneInput, layoutLanes, lsnNumber, markPosition } from './timeline-model.ts'
import { fitView, fromPx, panView, ticksOf, toPx, zoomView } from './timeline-scale.ts'

function lane(id: string, parent: string | null, startLsn: string, tipLsn: string, marks: string[] = []): LaneInput {
  return {
    startLsn,
    tipLsn,
    startTime: '2026-01-01T00:00:00Z',
    tipTime: '2026-01-01T01:00:00Z',
    parentBranchId: parent,
    branch: {
      id,
      name: id,
      state: 'READY',
      isDefault: parent === null,
      isProtected: false,
      tip: { lsn: tipLsn, commitTime: null },
      endpoints: [],
    },
    events: marks.map((lsn) => ({ kind: 'DDL', lsn, time: null, summary: `change at ${lsn}` })),
  }
}

describe('lanes', () => {
  test('each branch stands below the one it left, and the youngest child comes first', () => {
    const lanes = layoutLanes([
      lane('main', null, '0/100', '0/900'),
      lane('early', 'main', '0/200', '0/300'),
      lane('late', 'main', '0/800', '0/810'),
      lane('leaf', 'early', '0/280', '0/290'),
    ])
    expect(lanes.map((each) => each.name)).toEqual(['main', 'late', 'early', 'leaf'])
    expect(lanes.map((each) => each.depth)).toEqual([0, 1, 1, 2])
    expect(lanes.map((each) => each.parentIndex)).toEqual([-1, 0, 0, 2])
  })

  test('a branch whose parent cannot be seen is a root, and none is lost', () => {
    const lanes = layoutLanes([lane('orphan', 'hidden', '0/100', '0/200'), lane('main', null, '0/10', '0/20')])
    expect(lanes.map((each) => [each.name, each.parentIndex])).toEqual([
      ['main', -1],
      ['orphan', -1],
    ])
  })

  test('a live tip that is newer than the lane moves its end', () => {
    const input = lane('main', null, '0/100', '0/200')
    input.branch.tip = { lsn: '0/300', commitTime: '2026-01-01T02:00:00Z' }
    const [main] = layoutLanes([input])
    expect(main?.tip).toEqual({ lsn: 0x300, time: Date.UTC(2026, 0, 1, 2) })
  })

  test('a mark without a commit time lies between its lane’s ends on the time axis', () => {
    const [main] = layoutLanes([lane('main', null, '0/100', '0/300', ['0/200'])])
    const mark = main?.marks[0]
    if (!main || !mark) throw new Error('no mark')
    expect(markPosition(main, mark, 'time')).toBe(Date.UTC(2026, 0, 1, 0, 30))
  })

  test('the extent of nothing is not empty', () => {
    expect(extentOf([], 'lsn')).toEqual({ from: 0, to: 1 })
  })
})

describe('scale', () => {
  const extent = { from: 0, to: 1_000_000 }

  test('what is under the pointer stays there while zooming', () => {
    const view = fitView(extent)
    const before = fromPx(view, 800, 300)
    const zoomed = zoomView(view, { factor: 0.5, anchorPx: 300, widthPx: 800, extent, axis: 'lsn' })
    expect(fromPx(zoomed, 800, 300)).toBeCloseTo(before, 3)
    expect(zoomed.to - zoomed.from).toBeCloseTo((view.to - view.from) / 2, 3)
  })

  test('zoom and pan end at the edges of the history and at the smallest span', () => {
    const view = fitView(extent)
    expect(zoomView(view, { factor: 9, anchorPx: 10, widthPx: 800, extent, axis: 'lsn' })).toEqual(view)
    const deep = zoomView(view, { factor: 1e-9, anchorPx: 400, widthPx: 800, extent, axis: 'lsn' })
    expect(deep.to - deep.from).toBeCloseTo(8192, 6)
    expect(panView(deep, 1e9, 800, extent).to).toBeCloseTo(view.to, 3)
  })

  test('ticks are round, in sight and far enough apart', () => {
    for (const axis of ['lsn', 'time'] as const) {
      const view = { from: 1_700_000_000_000, to: 1_700_003_600_000 }
      const ticks = ticksOf(view, 900, axis)
      expect(ticks.length).toBeGreaterThan(1)
      for (const [index, tick] of ticks.entries()) {
        expect(tick.position).toBeGreaterThanOrEqual(view.from)
        expect(tick.position).toBeLessThanOrEqual(view.to)
        const next = ticks[index + 1]
        if (next) expect(toPx(view, 900, next.position) - toPx(view, 900, tick.position)).toBeGreaterThanOrEqual(109)
      }
    }
  })
})

describe('marks', () => {
  test('marks that would overlap are drawn as one that names the most telling kind', () => {
    const input = lane('main', null, '0/0', '0/1000', ['0/100', '0/101', '0/900'])
    input.events = [...input.events, { kind: 'FAILOVER', lsn: '0/102', time: null, summary: 'term 2' }]
    const [main] = layoutLanes([input])
    if (!main) throw new Error('no lane')
    const groups = groupMarks(main, { from: 0, to: 0x1000 }, 800, 'lsn', () => true)
    expect(groups.map((group) => [group.kind, group.marks.length])).toEqual([
      ['FAILOVER', 3],
      ['DDL', 1],
    ])
    expect(groupMarks(main, { from: 0, to: 0x1000 }, 800, 'lsn', (kind) => kind === 'FAILOVER')).toHaveLength(1)
  })

  test('no mark in sight is lost to grouping, whatever the view', () => {
    const marks = Array.from({ length: 500 }, (_, index) => `0/${(0x1000 + index * 37).toString(16)}`)
    const [main] = layoutLanes([lane('main', null, '0/0', '0/9000', marks)])
    if (!main) throw new Error('no lane')
    for (const view of [
      { from: 0, to: 0x9000 },
      { from: 0x1100, to: 0x1200 },
      { from: 0x5000, to: 0x9000 },
    ]) {
      const drawn = groupMarks(main, view, 700, 'lsn', () => true).reduce((sum, group) => sum + group.marks.length, 0)
      const inSight = marks.filter((lsn) => lsnNumber(lsn) >= view.from && lsnNumber(lsn) <= view.to).length
      expect(drawn).toBe(inSight)
    }
  })
})
