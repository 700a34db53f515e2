import { type HitTarget, hitTest } from './timeline-hit.ts'
import { groupMarks, type MarkGroup } from './timeline-marks.ts'
import type { Axis, Lane, MarkKind } from './timeline-model.ts'
import { axisHeightPx, paintAxis, paintNames, paintPlot, type Theme } from './timeline-painter.ts'
import type { View } from './timeline-scale.ts'
import { covers, planTile, type Sight, type Tile, tileOffsetPx } from './timeline-tile.ts'
import type { PickedPoint } from './timeline-words.ts'

export interface Scene {
  readonly lanes: readonly Lane[]
  readonly axis: Axis
  readonly isShown: (kind: MarkKind) => boolean
  readonly picked: PickedPoint | undefined
  readonly hoveredLane: number | undefined
  readonly theme: Theme
  readonly plotPx: number
  readonly gutterPx: number
  readonly heightPx: number
}

export interface Canvases {
  readonly plot: HTMLCanvasElement
  readonly axis: HTMLCanvasElement
  readonly names: HTMLCanvasElement
}

/**
 * The canvases of the timeline. They hold a tile that is larger than what is in sight: panning moves them, scrolling is the browser's,
 * and neither draws until the sight leaves the tile. The lanes scroll with the page's element, so `topPx` is its scroll position.
 */
export class TimelinePicture {
  readonly #canvases: Canvases
  readonly #sightOf: () => Pick<Sight, 'view' | 'topPx'>
  #scene: Scene | undefined
  #tile: Tile | undefined
  #groups = new Map<number, readonly MarkGroup[]>()
  #isPlotStale = true
  #areNamesStale = true
  #request: number | undefined

  constructor(canvases: Canvases, sightOf: () => { view: View; topPx: number }) {
    this.#canvases = canvases
    this.#sightOf = sightOf
    // Text that was drawn before its font came is drawn again.
    void document.fonts.ready.then(() => this.#redraw())
  }

  /** Shows another scene from the next frame on. */
  update(scene: Scene): void {
    const before = this.#scene
    this.#scene = scene
    const { hoveredLane: hoveredBefore, ...rest } = before ?? { hoveredLane: undefined }
    const isSame = before && Object.entries(rest).every(([key, value]) => scene[key as keyof Scene] === value)
    if (!isSame) return this.#redraw()
    if (hoveredBefore !== scene.hoveredLane) this.#areNamesStale = true
    this.moved()
  }

  /** The view or the scroll position changed. */
  moved(): void {
    this.#request ??= requestAnimationFrame(() => {
      this.#request = undefined
      this.#draw()
    })
  }

  end(): void {
    if (this.#request !== undefined) cancelAnimationFrame(this.#request)
    this.#scene = undefined
  }

  /** `x` from the left edge of the plot, `y` from the top of the lanes' whole height, in pixels. */
  targetAt(x: number, y: number): HitTarget | undefined {
    if (!this.#scene || !this.#tile) return undefined
    const { lanes, axis } = this.#scene
    const sight = this.#sight(this.#scene)
    return hitTest({ lanes, axis, sight, tile: this.#tile, groupsOf: this.#groupsOf }, x, y)
  }

  #sight({ plotPx, heightPx }: Scene): Sight {
    return { ...this.#sightOf(), plotPx, heightPx }
  }

  #redraw(): void {
    this.#isPlotStale = true
    this.#areNamesStale = true
    this.moved()
  }

  readonly #groupsOf = (laneIndex: number): readonly MarkGroup[] => {
    const known = this.#groups.get(laneIndex)
    if (known) return known
    const lane = this.#scene?.lanes[laneIndex]
    if (!lane || !this.#scene || !this.#tile) return []
    const groups = groupMarks(lane, this.#tile.view, this.#tile.widthPx, this.#scene.axis, this.#scene.isShown)
    this.#groups.set(laneIndex, groups)
    return groups
  }

  #draw(): void {
    const scene = this.#scene
    if (!scene || scene.plotPx <= 0) return
    const ratio = window.devicePixelRatio || 1
    const sight = this.#sight(scene)
    if (this.#isPlotStale || !this.#tile || !covers(this.#tile, sight)) {
      const before = this.#tile
      this.#tile = planTile(sight, this.#isPlotStale ? undefined : before)
      this.#areNamesStale ||= before?.topPx !== this.#tile.topPx || before.heightPx !== this.#tile.heightPx
      this.#isPlotStale = false
      this.#groups = new Map()
      this.#drawTile(scene, this.#tile, ratio)
    }
    if (this.#areNamesStale) this.#drawNames(scene, this.#tile, ratio)
    // On whole pixels of the device: what is drawn sharply stays sharp.
    const offsetPx = Math.round(tileOffsetPx(this.#tile, sight) * ratio) / ratio
    const transform = `translate3d(${offsetPx}px, 0, 0)`
    this.#canvases.plot.style.transform = transform
    this.#canvases.axis.style.transform = transform
  }

  #drawTile(scene: Scene, tile: Tile, ratio: number): void {
    const { lanes, axis, picked, theme } = scene
    const plot = prepare(this.#canvases.plot, tile.widthPx, tile.heightPx, ratio)
    this.#canvases.plot.style.top = `${tile.topPx}px`
    if (plot) {
      const hasGutter = scene.gutterPx > 0
      paintPlot(plot, { lanes, axis, tile, groupsOf: this.#groupsOf, picked, theme, hasGutter })
    }
    const labels = prepare(this.#canvases.axis, tile.widthPx, axisHeightPx, ratio)
    if (labels) paintAxis(labels, { view: tile.view, widthPx: tile.widthPx, axis, theme })
  }

  #drawNames({ lanes, theme, gutterPx, plotPx, hoveredLane }: Scene, tile: Tile, ratio: number): void {
    const widthPx = gutterPx > 0 ? gutterPx : plotPx
    const names = prepare(this.#canvases.names, widthPx, tile.heightPx, ratio)
    this.#canvases.names.style.top = `${tile.topPx}px`
    this.#areNamesStale = false
    if (names) paintNames(names, { lanes, tile, widthPx, hasGutter: gutterPx > 0, hoveredLane, theme })
  }
}

/** A context in CSS pixels. Giving a canvas a size empties it and takes new memory: only when it changes. */
function prepare(
  canvas: HTMLCanvasElement,
  widthPx: number,
  heightPx: number,
  ratio: number,
): CanvasRenderingContext2D | undefined {
  const [width, height] = [Math.round(widthPx * ratio), Math.round(heightPx * ratio)]
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width
    canvas.height = height
    canvas.style.width = `${widthPx}px`
    canvas.style.height = `${heightPx}px`
  }
  const context = canvas.getContext('2d')
  context?.setTransform(ratio, 0, 0, ratio, 0, 0)
  return context ?? undefined
}
