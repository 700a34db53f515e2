import { type ColorName, markLooks } from './timeline-mark-looks.ts'
import type { MarkGroup } from './timeline-marks.ts'
import type { Axis, Lane, MarkKind } from './timeline-model.ts'
import { ticksOf, toPx, type View } from './timeline-scale.ts'
import type { Tile } from './timeline-tile.ts'
import type { PickedPoint } from './timeline-words.ts'

/**
 * The tree as a picture: one lane a branch, a curve where a branch leaves its parent, marks on the lanes. Each function draws one
 * of the three parts that move apart: the plot both ways, the axis sideways, the names with the lanes. Only the lanes of the tile
 * are drawn, so that the cost depends on the window and not on the number of branches.
 *
 *   | names          |  axis ticks                      |
 *   | main           |  ●────────╮───◆─────○            |
 *   |   dev          |           ╰──────────●           |
 *
 * Heights are pixels of the whole plane: the axis, then all lanes.
 */
export const laneHeightPx = 44
export const axisHeightPx = 30

export type Theme = Readonly<Record<ColorName | 'sans' | 'mono', string>>

export interface Plot {
  readonly lanes: readonly Lane[]
  readonly axis: Axis
  readonly tile: Tile
  readonly groupsOf: (laneIndex: number) => readonly MarkGroup[]
  readonly picked: PickedPoint | undefined
  readonly theme: Theme
  /** Without a gutter the lane's name stands above its line, and counts of marks below. */
  readonly hasGutter: boolean
}

const bendMaxPx = 16
/** Marks and bends reach beyond their place. */
const reachPx = 40

/** A lane's line, in pixels of the plane. */
export function laneY(index: number): number {
  return axisHeightPx + index * laneHeightPx + laneHeightPx * 0.6
}

export function lanesHeightPx(count: number): number {
  return axisHeightPx + count * laneHeightPx + 12
}

/** First and last lane of which something lies in these pixels of the plane. */
function lanesIn(topPx: number, heightPx: number, count: number): [number, number] {
  const first = Math.max(0, Math.floor((topPx - axisHeightPx) / laneHeightPx) - 1)
  return [first, Math.min(count - 1, Math.ceil((topPx + heightPx - axisHeightPx) / laneHeightPx))]
}

export function paintPlot(context: CanvasRenderingContext2D, plot: Plot): void {
  const { tile, lanes } = plot
  context.clearRect(0, 0, tile.widthPx, tile.heightPx)
  context.lineCap = 'round'
  context.lineJoin = 'round'
  context.save()
  context.translate(0, -tile.topPx)
  const [first, last] = lanesIn(tile.topPx, tile.heightPx, lanes.length)
  paintGrid(context, plot)
  // Connections come from lanes that may be out of sight above or below.
  for (const [index, lane] of lanes.entries()) {
    if (lane.parentIndex < 0 || lane.parentIndex > last || index < first) continue
    paintConnection(context, plot, lane, index)
  }
  for (let index = first; index <= last; index++) paintLane(context, plot, index)
  paintPicked(context, plot)
  context.restore()
}

function paintGrid(context: CanvasRenderingContext2D, { tile, axis, theme }: Plot): void {
  context.strokeStyle = theme.line
  context.lineWidth = 1
  context.beginPath()
  for (const tick of ticksOf(tile.view, tile.widthPx, axis)) {
    const x = Math.round(toPx(tile.view, tile.widthPx, tick.position)) + 0.5
    context.moveTo(x, tile.topPx)
    context.lineTo(x, tile.topPx + tile.heightPx)
  }
  context.stroke()
}

/** Labels of the ticks, as wide as the tile. */
export function paintAxis(
  context: CanvasRenderingContext2D,
  { view, widthPx, axis, theme }: { view: View; widthPx: number; axis: Axis; theme: Theme },
): void {
  context.clearRect(0, 0, widthPx, axisHeightPx)
  context.fillStyle = theme.inkFaint
  context.font = `11px ${axis === 'lsn' ? theme.mono : theme.sans}`
  context.textBaseline = 'middle'
  context.textAlign = 'center'
  for (const tick of ticksOf(view, widthPx, axis)) {
    context.fillText(tick.label, Math.round(toPx(view, widthPx, tick.position)), axisHeightPx / 2)
  }
}

/** A tributary leaves its river: down from the parent's lane, bending into the child's. */
function paintConnection(context: CanvasRenderingContext2D, plot: Plot, lane: Lane, index: number): void {
  const { tile, axis, theme } = plot
  const x = toPx(tile.view, tile.widthPx, lane.start[axis])
  if (x < -reachPx || x > tile.widthPx + reachPx) return
  const fromY = laneY(lane.parentIndex)
  const toY = laneY(index)
  if (fromY > tile.topPx + tile.heightPx || toY < tile.topPx) return
  const bendPx = Math.min(bendMaxPx, (toY - fromY) / 2)
  // A branch that has hardly lived ends where it bends.
  const intoPx = Math.min(bendPx, Math.max(0, toPx(tile.view, tile.widthPx, lane.tip[axis]) - x))
  context.strokeStyle = theme.lineStrong
  context.lineWidth = 1.5
  context.beginPath()
  // A parent that has just begun has nothing to the left.
  const parent = plot.lanes[lane.parentIndex]
  const parentX = parent ? toPx(tile.view, tile.widthPx, parent.start[axis]) : x
  context.moveTo(Math.max(x - bendPx * 0.6, Math.min(parentX, x)), fromY)
  context.quadraticCurveTo(x, fromY, x, fromY + bendPx)
  context.lineTo(x, toY - bendPx)
  context.quadraticCurveTo(x, toY, x + intoPx, toY)
  context.stroke()
}

function paintLane(context: CanvasRenderingContext2D, plot: Plot, index: number): void {
  const lane = plot.lanes[index]
  if (!lane) return
  const { theme, axis, tile } = plot
  const y = laneY(index)
  const startX = toPx(tile.view, tile.widthPx, lane.start[axis])
  const tipX = Math.max(startX + 2, toPx(tile.view, tile.widthPx, lane.tip[axis]))
  const lineX = Math.min(startX + (lane.parentIndex >= 0 ? bendMaxPx : 0), tipX)
  if (lineX < tile.widthPx && tipX > 0) {
    context.strokeStyle = lane.isDefault ? theme.stream : lane.isLive ? theme.inkSoft : theme.inkFaint
    context.lineWidth = lane.isDefault ? 3 : 2
    context.setLineDash(lane.state === 'READY' ? [] : [5, 5])
    context.beginPath()
    context.moveTo(Math.max(lineX, -4), y)
    context.lineTo(Math.min(tipX, tile.widthPx + 4), y)
    context.stroke()
    context.setLineDash([])
  }
  for (const group of plot.groupsOf(index)) paintMark(context, theme, group, y, plot.hasGutter ? -10 : 17)
  if (tipX > -reachPx && tipX < tile.widthPx + reachPx) paintTip(context, theme, lane, tipX, y)
}

function paintTip(context: CanvasRenderingContext2D, theme: Theme, lane: Lane, x: number, y: number): void {
  if (lane.isLive) {
    context.fillStyle = theme.stream
    context.globalAlpha = 0.22
    disc(context, x, y, 9)
    context.globalAlpha = 1
    context.fillStyle = theme.stream
    disc(context, x, y, 4.5)
    return
  }
  context.fillStyle = theme.surface
  context.strokeStyle = theme.inkFaint
  context.lineWidth = 2
  context.beginPath()
  context.arc(x, y, 4, 0, Math.PI * 2)
  context.fill()
  context.stroke()
}

function disc(context: CanvasRenderingContext2D, x: number, y: number, radius: number): void {
  context.beginPath()
  context.arc(x, y, radius, 0, Math.PI * 2)
  context.fill()
}

/** Made when first drawn: where nothing is drawn there are no paths. */
const markPaths = new Map<MarkKind, Path2D>()

function markPath(kind: MarkKind): Path2D {
  const known = markPaths.get(kind)
  if (known) return known
  const path = new Path2D(markLooks[kind].path)
  markPaths.set(kind, path)
  return path
}

function paintMark(
  context: CanvasRenderingContext2D,
  theme: Theme,
  group: MarkGroup,
  y: number,
  countOffsetPx: number,
): void {
  const path = markPath(group.kind)
  context.save()
  context.translate(group.px, y)
  context.fillStyle = theme[markLooks[group.kind].color]
  context.strokeStyle = theme.surface
  context.lineWidth = 3
  context.stroke(path)
  context.fill(path)
  context.restore()
  if (group.marks.length < 2) return
  context.font = `600 10px ${theme.sans}`
  context.textAlign = 'center'
  context.textBaseline = 'alphabetic'
  context.fillStyle = theme.inkSoft
  context.fillText(group.marks.length > 99 ? '99+' : String(group.marks.length), group.px, y + countOffsetPx)
}

function paintPicked(context: CanvasRenderingContext2D, { picked, axis, lanes, tile, theme }: Plot): void {
  if (!picked || picked.axis !== axis) return
  const index = lanes.findIndex((lane) => lane.branchId === picked.branchId)
  const x = Math.round(toPx(tile.view, tile.widthPx, picked.position)) + 0.5
  if (index < 0 || x < -reachPx || x > tile.widthPx + reachPx) return
  context.strokeStyle = theme.stream
  context.lineWidth = 1
  context.beginPath()
  context.moveTo(x, tile.topPx)
  context.lineTo(x, tile.topPx + tile.heightPx)
  context.stroke()
  context.lineWidth = 2.5
  context.beginPath()
  context.arc(x, laneY(index), 7, 0, Math.PI * 2)
  context.stroke()
}

export interface Names {
  readonly lanes: readonly Lane[]
  readonly tile: Pick<Tile, 'topPx' | 'heightPx'>
  /** Of the gutter, or without one of the whole picture. */
  readonly widthPx: number
  readonly hasGutter: boolean
  readonly hoveredLane: number | undefined
  readonly theme: Theme
}

/** Names of the branches, indented by their depth: in the gutter, or above their lines. */
export function paintNames(context: CanvasRenderingContext2D, names: Names): void {
  const { lanes, tile, widthPx, hasGutter, theme } = names
  context.clearRect(0, 0, widthPx, tile.heightPx)
  context.save()
  context.translate(0, -tile.topPx)
  context.textBaseline = 'middle'
  const [first, last] = lanesIn(tile.topPx, tile.heightPx, lanes.length)
  for (let index = first; index <= last; index++) {
    const lane = lanes[index]
    if (!lane) continue
    const top = axisHeightPx + index * laneHeightPx
    const indent = Math.min(lane.depth, 6) * 12
    context.fillStyle = names.hoveredLane === index ? theme.ink : theme.inkSoft
    context.font = hasGutter ? `${lane.isDefault ? 600 : 500} 12.5px ${theme.sans}` : `500 11px ${theme.sans}`
    if (hasGutter) {
      context.fillText(ellipsis(context, lane.name, widthPx - indent - 28), 16 + indent, top + laneHeightPx / 2)
    } else {
      context.fillText(ellipsis(context, lane.name, widthPx - indent - 24), 10 + indent, top + 10)
    }
  }
  context.restore()
}

function ellipsis(context: CanvasRenderingContext2D, text: string, widthPx: number): string {
  if (context.measureText(text).width <= widthPx) return text
  let cut = text
  while (cut.length > 1 && context.measureText(`${cut}…`).width > widthPx) cut = cut.slice(0, -1)
  return `${cut}…`
}
