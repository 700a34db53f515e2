import { fromPx, type View } from './timeline-scale.ts'

/** What is in sight of the plane of lanes: a part of the axis, `plotPx` wide, and pixels of the height of all lanes. */
export interface Sight {
  readonly view: View
  readonly plotPx: number
  readonly topPx: number
  readonly heightPx: number
}

/** A part of the plane that is drawn at once, larger than what is in sight: moving shows the same pixels at another place. */
export interface Tile {
  readonly view: View
  readonly widthPx: number
  readonly topPx: number
  readonly heightPx: number
}

/** Drawn beyond what is in sight, both sides together. Pixels that nobody sees cost memory and time at each drawing. */
const spareShare = 0.6
const spareWidthMaxPx = 800
const spareHeightPx = 320
/** Of what is spare, ahead of the movement that left the tile before. */
const aheadShare = 0.8
/** Scales that differ by less over the whole plot are one: what adding up pans leaves of a difference. */
const scaleSlackPx = 0.25

export function tileWidthPx(plotPx: number): number {
  return Math.round(plotPx + Math.min(spareWidthMaxPx, plotPx * spareShare))
}

export function tileHeightPx(heightPx: number): number {
  return heightPx + spareHeightPx
}

/** The tile's left edge, in pixels from the left edge of the plot. */
export function tileOffsetPx(tile: Tile, sight: Sight): number {
  return ((tile.view.from - sight.view.from) / (sight.view.to - sight.view.from)) * sight.plotPx
}

/** Whether all that is in sight lies on the tile, at its scale. */
export function covers(tile: Tile, sight: Sight): boolean {
  if (!isOfScale(tile, sight)) return false
  const offsetPx = tileOffsetPx(tile, sight)
  const isAcross = offsetPx <= scaleSlackPx && offsetPx + tile.widthPx >= sight.plotPx - scaleSlackPx
  return isAcross && tile.topPx <= sight.topPx && tile.topPx + tile.heightPx >= sight.topPx + sight.heightPx
}

/** A tile around what is in sight, with more room on the side towards which the sight left the tile `before`. */
export function planTile(sight: Sight, before?: Tile): Tile {
  const widthPx = tileWidthPx(sight.plotPx)
  const heightPx = tileHeightPx(sight.heightPx)
  const known = before && isOfScale(before, sight) ? before : undefined
  const offsetPx = known ? tileOffsetPx(known, sight) : 0
  const isLeftOf = known !== undefined && offsetPx > scaleSlackPx
  const isRightOf = known !== undefined && offsetPx + known.widthPx < sight.plotPx - scaleSlackPx
  const isAbove = before !== undefined && sight.topPx < before.topPx
  const isBelow = before !== undefined && sight.topPx + sight.heightPx > before.topPx + before.heightPx
  const left = (widthPx - sight.plotPx) * spareBefore(isLeftOf, isRightOf)
  const top = (heightPx - sight.heightPx) * spareBefore(isAbove, isBelow)
  return {
    view: {
      from: fromPx(sight.view, sight.plotPx, -left),
      to: fromPx(sight.view, sight.plotPx, widthPx - left),
    },
    widthPx,
    topPx: Math.max(0, Math.round(sight.topPx - top)),
    heightPx,
  }
}

function spareBefore(isTowardsStart: boolean, isTowardsEnd: boolean): number {
  return isTowardsStart ? aheadShare : isTowardsEnd ? 1 - aheadShare : 0.5
}

function isOfScale(tile: Tile, sight: Sight): boolean {
  const plotPx = (tile.widthPx * (sight.view.to - sight.view.from)) / (tile.view.to - tile.view.from)
  return Math.abs(plotPx - sight.plotPx) < scaleSlackPx
}
