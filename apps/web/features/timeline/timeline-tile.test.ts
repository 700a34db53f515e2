import { expect, test } from 'vitest'
import { panView } from './timeline-scale.ts'
import { covers, planTile, type Sight, tileOffsetPx } from './timeline-tile.ts'

const extent = { from: 0, to: 1_000_000 }
const start: Sight = { view: { from: 400_000, to: 500_000 }, plotPx: 1000, topPx: 500, heightPx: 400 }

function panned(sight: Sight, acrossPx: number, downPx = 0): Sight {
  return { ...sight, view: panView(sight.view, acrossPx, sight.plotPx, extent), topPx: sight.topPx + downPx }
}

test('a tile covers what it was planned for, at the place where it is shown', () => {
  const tile = planTile(start)
  expect(covers(tile, start)).toBe(true)
  expect(tileOffsetPx(tile, start)).toBeCloseTo(-300)
  expect(tileOffsetPx(tile, panned(start, 120))).toBeCloseTo(-420)
})

test('a long pan draws anew once for hundreds of pixels, in every direction, and everything in sight is always drawn', () => {
  for (const [across, down] of [
    [7, 0],
    [-7, 0],
    [0, 5],
    [0, -5],
  ] as const) {
    let sight = { ...start, topPx: 5000 }
    let tile = planTile(sight)
    let drawings = 0
    for (let step = 0; step < 300; step++) {
      sight = panned(sight, across, down)
      if (!covers(tile, sight)) {
        tile = planTile(sight, tile)
        drawings += 1
      }
      expect(covers(tile, sight)).toBe(true)
    }
    const movedPx = 300 * Math.abs(across + down)
    expect(drawings).toBeGreaterThan(0)
    expect(movedPx / drawings).toBeGreaterThan(200)
  }
})

test('zooming and a higher window are drawn anew; nothing lies above the first lane', () => {
  const tile = planTile(start)
  expect(covers(tile, { ...start, view: { from: 400_000, to: 499_000 } })).toBe(false)
  expect(covers(tile, { ...start, heightPx: 900 })).toBe(false)
  expect(planTile({ ...start, topPx: 0 }).topPx).toBe(0)
})

test('what adding up pans leaves of a difference of scale does not draw anew, at the narrowest view of the time axis', () => {
  const now = Date.UTC(2026, 0, 1)
  const whole = { from: now - 1e9, to: now + 1e9 }
  let sight: Sight = { view: { from: now, to: now + 20 }, plotPx: 1256, topPx: 0, heightPx: 400 }
  const tile = planTile(sight)
  for (let step = 0; step < 200; step++) {
    sight = { ...sight, view: panView(sight.view, step % 2 === 0 ? 31 : -31, sight.plotPx, whole) }
    expect(covers(tile, sight)).toBe(true)
  }
})
