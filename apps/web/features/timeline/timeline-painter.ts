import { groupMarks, type MarkGroup } from './timeline-marks.ts'
import type { Axis, Lane, MarkKind } from './timeline-model.ts'
import { type Tick, ticksOf, toPx, type View } from './timeline-scale.ts'
import type { PickedPoint } from './timeline-words.ts'

/**
 * The tree as a picture: one lane a branch, a curve where a branch leaves its parent, marks on the lanes. Draws only the lanes in
 * sight, so that the cost of a frame depends on the window and not on the number of branches.
 *
 *   | gutter (names) |  axis ticks                      |
 *   | main           |  ●────────╮───◆─────○            |
 *   |   dev          |           ╰──────────●           |
 */
export const laneHeightPx = 44
export const axisHeightPx = 30

export interface Theme {
  readonly surface: string
  readonly line: string
  readonly lineStrong: string
  readonly ink: string
  readonly inkSoft: string
  readonly inkFaint: string
  readonly stream: string
  readonly streamSoft: string
  readonly hover: string
  readonly positive: string
  readonly caution: string
  readonly danger: string
  readonly violet: string
  readonly sans: string
  readonly mono: string
}

export interface Scene {
  readonly lanes: readonly Lane[]
  readonly axis: Axis
  readonly view: View
  readonly widthPx: number
  readonly heightPx: number
  readonly scrollPx: number
  readonly gutterPx: number
  readonly isShown: (kind: MarkKind) => boolean
  readonly hover: HitTarget | undefined
  readonly picked: PickedPoint | undefined
  readonly theme: Theme
}

export interface HitTarget {
  readonly laneIndex: number
  readonly position: number
  /** Pixels from the left edge of the canvas. */
  readonly px: number
  readonly group: MarkGroup | undefined
}

const markReachPx = 9
const bendMaxPx = 16

/** Top of a lane's line, in pixels of the canvas. */
export function laneY(index: number, scrollPx: number): number {
  return axisHeightPx + index * laneHeightPx + laneHeightPx * 0.6 - scrollPx
}

export function lanesHeightPx(count: number): number {
  return axisHeightPx + count * laneHeightPx + 12
}

/** What is under the pointer. A mark wins over the lane it is on; outside of a lane's life there is nothing to pick. */
export function hitTest(scene: Omit<Scene, 'hover' | 'picked' | 'theme'>, x: number, y: number): HitTarget | undefined {
  const laneIndex = Math.floor((y + scene.scrollPx - axisHeightPx) / laneHeightPx)
  const lane = scene.lanes[laneIndex]
  if (!lane || y < axisHeightPx || x < scene.gutterPx) return undefined
  const plotPx = scene.widthPx - scene.gutterPx
  const plotX = x - scene.gutterPx
  const group = nearestGroup(
    groupMarks(lane, scene.view, plotPx, scene.axis, scene.isShown).filter(
      (each) => Math.abs(each.px - plotX) <= markReachPx,
    ),
    plotX,
  )
  if (group) {
    const [mark] = group.marks
    const position = scene.view.from + (group.px / plotPx) * (scene.view.to - scene.view.from)
    return { laneIndex, position: scene.axis === 'lsn' && mark ? mark.lsnBytes : position, px: x, group }
  }
  const position = scene.view.from + (plotX / plotPx) * (scene.view.to - scene.view.from)
  const slack = ((scene.view.to - scene.view.from) / plotPx) * 6
  if (position < lane.start[scene.axis] - slack || position > lane.tip[scene.axis] + slack) return undefined
  const inside = Math.min(Math.max(position, lane.start[scene.axis]), lane.tip[scene.axis])
  return { laneIndex, position: inside, px: x, group: undefined }
}

function nearestGroup(groups: readonly MarkGroup[], px: number): MarkGroup | undefined {
  return groups.reduce<MarkGroup | undefined>(
    (best, group) => (best && Math.abs(best.px - px) <= Math.abs(group.px - px) ? best : group),
    undefined,
  )
}

export function paintTimeline(context: CanvasRenderingContext2D, scene: Scene): void {
  const { widthPx, heightPx } = scene
  context.clearRect(0, 0, widthPx, heightPx)
  context.lineCap = 'round'
  context.lineJoin = 'round'
  const plotPx = Math.max(1, widthPx - scene.gutterPx)
  const ticks = ticksOf(scene.view, plotPx, scene.axis)
  const first = Math.max(0, Math.floor((scene.scrollPx - axisHeightPx) / laneHeightPx) - 1)
  const last = Math.min(scene.lanes.length - 1, Math.ceil((scene.scrollPx + heightPx) / laneHeightPx))

  context.save()
  context.beginPath()
  context.rect(scene.gutterPx, axisHeightPx, plotPx, heightPx - axisHeightPx)
  context.clip()
  paintGrid(context, scene, ticks, plotPx)
  paintHoverRow(context, scene)
  // Connections come from lanes that may be out of sight above or below.
  for (const [index, lane] of scene.lanes.entries()) {
    if (lane.parentIndex < 0 || lane.parentIndex > last || index < first) continue
    paintConnection(context, scene, lane, index, plotPx)
  }
  for (let index = first; index <= last; index++) paintLane(context, scene, index, plotPx)
  paintCursor(context, scene, plotPx)
  context.restore()

  paintAxis(context, scene, ticks, plotPx)
  for (let index = first; index <= last; index++) paintName(context, scene, index)
}

function paintGrid(context: CanvasRenderingContext2D, scene: Scene, ticks: readonly Tick[], plotPx: number): void {
  context.strokeStyle = scene.theme.line
  context.lineWidth = 1
  context.beginPath()
  for (const tick of ticks) {
    const x = Math.round(scene.gutterPx + toPx(scene.view, plotPx, tick.position)) + 0.5
    context.moveTo(x, axisHeightPx)
    context.lineTo(x, scene.heightPx)
  }
  context.stroke()
}

function paintAxis(context: CanvasRenderingContext2D, scene: Scene, ticks: readonly Tick[], plotPx: number): void {
  const { theme } = scene
  context.fillStyle = theme.surface
  context.fillRect(0, 0, scene.widthPx, axisHeightPx)
  context.strokeStyle = theme.line
  context.lineWidth = 1
  context.beginPath()
  context.moveTo(0, axisHeightPx - 0.5)
  context.lineTo(scene.widthPx, axisHeightPx - 0.5)
  context.stroke()
  context.fillStyle = theme.inkFaint
  context.font = `11px ${scene.axis === 'lsn' ? theme.mono : theme.sans}`
  context.textBaseline = 'middle'
  context.textAlign = 'center'
  for (const tick of ticks) {
    const x = scene.gutterPx + toPx(scene.view, plotPx, tick.position)
    if (x > scene.gutterPx + 24 && x < scene.widthPx - 30) context.fillText(tick.label, x, axisHeightPx / 2)
  }
  context.textAlign = 'left'
}

function paintHoverRow(context: CanvasRenderingContext2D, scene: Scene): void {
  if (!scene.hover) return
  const y = axisHeightPx + scene.hover.laneIndex * laneHeightPx - scene.scrollPx
  context.fillStyle = scene.theme.hover
  context.globalAlpha = 0.45
  context.fillRect(scene.gutterPx, y, scene.widthPx, laneHeightPx)
  context.globalAlpha = 1
}

/** A tributary leaves its river: down from the parent's lane, bending into the child's. */
function paintConnection(
  context: CanvasRenderingContext2D,
  scene: Scene,
  lane: Lane,
  index: number,
  plotPx: number,
): void {
  const x = scene.gutterPx + toPx(scene.view, plotPx, lane.start[scene.axis])
  if (x < scene.gutterPx - 40 || x > scene.widthPx + 40) return
  const fromY = laneY(lane.parentIndex, scene.scrollPx)
  const toY = laneY(index, scene.scrollPx)
  if (fromY > scene.heightPx || toY < 0) return
  const bendPx = Math.min(bendMaxPx, (toY - fromY) / 2)
  const tipX = scene.gutterPx + toPx(scene.view, plotPx, lane.tip[scene.axis])
  // A branch that has hardly lived ends where it bends.
  const reachPx = Math.min(bendPx, Math.max(0, tipX - x))
  context.strokeStyle = scene.theme.lineStrong
  context.lineWidth = 1.5
  context.beginPath()
  context.moveTo(x - bendPx * 0.6, fromY)
  context.quadraticCurveTo(x, fromY, x, fromY + bendPx)
  context.lineTo(x, toY - bendPx)
  context.quadraticCurveTo(x, toY, x + reachPx, toY)
  context.stroke()
}

function paintLane(context: CanvasRenderingContext2D, scene: Scene, index: number, plotPx: number): void {
  const lane = scene.lanes[index]
  if (!lane) return
  const { theme, axis, view } = scene
  const y = laneY(index, scene.scrollPx)
  const inset = lane.parentIndex >= 0 ? bendMaxPx : 0
  const startX = scene.gutterPx + toPx(view, plotPx, lane.start[axis])
  const tipX = Math.max(startX + 2, scene.gutterPx + toPx(view, plotPx, lane.tip[axis]))
  context.strokeStyle = lane.isDefault ? theme.stream : lane.isLive ? theme.inkSoft : theme.inkFaint
  context.lineWidth = lane.isDefault ? 3 : 2
  context.setLineDash(lane.state === 'READY' ? [] : [5, 5])
  context.beginPath()
  context.moveTo(Math.max(Math.min(startX + inset, tipX), scene.gutterPx - 4), y)
  context.lineTo(Math.min(tipX, scene.widthPx + 4), y)
  context.stroke()
  context.setLineDash([])
  for (const group of groupMarks(lane, view, plotPx, axis, scene.isShown)) {
    // Without a gutter the lane's name stands above its line.
    paintMark(context, theme, group, scene.gutterPx + group.px, y, scene.gutterPx > 0 ? -10 : 17)
  }
  paintTip(context, scene, lane, tipX, y)
}

function paintTip(context: CanvasRenderingContext2D, scene: Scene, lane: Lane, x: number, y: number): void {
  if (x < scene.gutterPx - 8 || x > scene.widthPx + 8) return
  const { theme } = scene
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

export function markColor(theme: Theme, kind: MarkKind): string {
  switch (kind) {
    case 'FAILOVER':
      return theme.danger
    case 'RESTORE':
      return theme.caution
    case 'SNAPSHOT':
      return theme.positive
    case 'DDL':
      return theme.violet
    case 'BRANCH_POINT':
      return theme.stream
    case 'LARGE_TRANSACTION':
      return theme.ink
    case 'COMPUTE_START':
      return theme.inkSoft
    case 'CHECKPOINT':
      return theme.inkFaint
  }
}

/** Each kind has a shape of its own, so that colour is never the only difference. Traced around (0, 0), about 10 px wide. */
export function traceMark(context: CanvasRenderingContext2D | Path2D, kind: MarkKind): void {
  switch (kind) {
    case 'FAILOVER':
      // A bolt.
      polygon(context, [1.5, -6, -4, 1, -0.5, 1, -1.5, 6, 4, -1.5, 0.5, -1.5])
      return
    case 'RESTORE':
      // Points back.
      polygon(context, [-5.5, 0, 3.5, -5, 3.5, 5])
      return
    case 'SNAPSHOT':
      context.rect(-4.5, -4.5, 9, 9)
      return
    case 'DDL':
      polygon(context, [0, -5.5, 5.5, 0, 0, 5.5, -5.5, 0])
      return
    case 'LARGE_TRANSACTION':
      context.rect(-2, -7, 4, 14)
      return
    case 'BRANCH_POINT':
      context.arc(0, 0, 4, 0, Math.PI * 2)
      return
    case 'COMPUTE_START':
      polygon(context, [-3.5, -4.5, 4.5, 0, -3.5, 4.5])
      return
    case 'CHECKPOINT':
      context.rect(-0.75, -4, 1.5, 8)
      return
  }
}

function polygon(context: CanvasRenderingContext2D | Path2D, points: readonly number[]): void {
  for (let index = 0; index < points.length; index += 2) {
    const [x = 0, y = 0] = points.slice(index, index + 2)
    if (index === 0) context.moveTo(x, y)
    else context.lineTo(x, y)
  }
  context.closePath()
}

function paintMark(
  context: CanvasRenderingContext2D,
  theme: Theme,
  group: MarkGroup,
  x: number,
  y: number,
  countOffsetPx: number,
): void {
  context.save()
  context.translate(x, y)
  context.beginPath()
  traceMark(context, group.kind)
  context.fillStyle = markColor(theme, group.kind)
  context.strokeStyle = theme.surface
  context.lineWidth = 3
  context.stroke()
  context.fill()
  context.restore()
  if (group.marks.length < 2) return
  context.font = `600 10px ${theme.sans}`
  context.textAlign = 'center'
  context.textBaseline = 'alphabetic'
  context.fillStyle = theme.inkSoft
  context.fillText(group.marks.length > 99 ? '99+' : String(group.marks.length), x, y + countOffsetPx)
  context.textAlign = 'left'
}

function paintCursor(context: CanvasRenderingContext2D, scene: Scene, plotPx: number): void {
  const { hover, picked, theme } = scene
  if (hover) {
    const x = Math.round(scene.gutterPx + toPx(scene.view, plotPx, hover.position)) + 0.5
    vertical(context, x, scene.heightPx, theme.lineStrong, [2, 4])
  }
  if (!picked || picked.axis !== scene.axis) return
  const index = scene.lanes.findIndex((lane) => lane.branchId === picked.branchId)
  if (index < 0) return
  const x = Math.round(scene.gutterPx + toPx(scene.view, plotPx, picked.position)) + 0.5
  vertical(context, x, scene.heightPx, theme.stream, [])
  context.fillStyle = theme.surface
  context.strokeStyle = theme.stream
  context.lineWidth = 2.5
  context.beginPath()
  context.arc(x, laneY(index, scene.scrollPx), 7, 0, Math.PI * 2)
  context.stroke()
}

function vertical(context: CanvasRenderingContext2D, x: number, heightPx: number, color: string, dash: number[]): void {
  context.strokeStyle = color
  context.lineWidth = 1
  context.setLineDash(dash)
  context.beginPath()
  context.moveTo(x, axisHeightPx)
  context.lineTo(x, heightPx)
  context.stroke()
  context.setLineDash([])
}

function paintName(context: CanvasRenderingContext2D, scene: Scene, index: number): void {
  const lane = scene.lanes[index]
  if (!lane) return
  const { theme, gutterPx } = scene
  const y = laneY(index, scene.scrollPx)
  const top = y - laneHeightPx * 0.6
  context.save()
  context.beginPath()
  context.rect(0, axisHeightPx, scene.widthPx, scene.heightPx - axisHeightPx)
  context.clip()
  context.font = `${lane.isDefault ? 600 : 500} 12.5px ${theme.sans}`
  context.fillStyle = scene.hover?.laneIndex === index ? theme.ink : theme.inkSoft
  context.textBaseline = 'middle'
  const indent = Math.min(lane.depth, 6) * 12
  if (gutterPx > 0) {
    context.fillText(ellipsis(context, lane.name, gutterPx - indent - 28), 16 + indent, top + laneHeightPx / 2)
  } else {
    context.font = `500 11px ${theme.sans}`
    context.fillText(ellipsis(context, lane.name, scene.widthPx - indent - 24), 10 + indent, top + 10)
  }
  context.restore()
}

function ellipsis(context: CanvasRenderingContext2D, text: string, widthPx: number): string {
  if (context.measureText(text).width <= widthPx) return text
  let cut = text
  while (cut.length > 1 && context.measureText(`${cut}…`).width > widthPx) cut = cut.slice(0, -1)
  return `${cut}…`
}
