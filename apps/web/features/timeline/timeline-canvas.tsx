'use client'

import {
  type KeyboardEvent,
  type PointerEvent,
  type RefObject,
  useEffect,
  useMemo,
  useReducer,
  useRef,
  useState,
} from 'react'
import type { HitTarget } from './timeline-hit.ts'
import { handleKey } from './timeline-keys.ts'
import { type Axis, extentOf, type Lane, type MarkKind } from './timeline-model.ts'
import { axisHeightPx, laneHeightPx, lanesHeightPx } from './timeline-painter.ts'
import { TimelinePicture } from './timeline-picture.ts'
import { fitView, panView, toPx, zoomView } from './timeline-scale.ts'
import { TimelineTooltip } from './timeline-tooltip.tsx'
import type { ViewStore } from './timeline-view.ts'
import { laneDescription, type PickedPoint, positionLabel } from './timeline-words.ts'
import { useCanvasTheme } from './use-canvas-theme.ts'
import { clickSlackPx, usePointers, useWheel } from './use-timeline-pointers.ts'

export interface TimelineCanvasProps {
  lanes: readonly Lane[]
  axis: Axis
  view: ViewStore
  isShown(kind: MarkKind): boolean
  picked: PickedPoint | undefined
  onPick(point: PickedPoint): void
  /** A CSS length. */
  height: string
}

const gutterWidePx = 184
const wideFromPx = 640

/**
 * The timeline itself. Drag or scroll sideways to pan, pinch or Ctrl-scroll to zoom, click to pick. With the keyboard: up and down
 * choose a branch, left and right step from mark to mark, Enter picks, + and - zoom, 0 shows everything.
 */
export function TimelineCanvas({ lanes, axis, view, isShown, picked, onPick, height }: TimelineCanvasProps) {
  const frame = useRef<HTMLDivElement>(null)
  const theme = useCanvasTheme(frame)
  const size = useSize(frame)
  const [hover, setHover] = useState<HitTarget>()
  const [isKeyboard, setIsKeyboard] = useState(false)
  const gutterPx = size.width >= wideFromPx ? gutterWidePx : 0
  const plotPx = Math.max(0, size.width - gutterPx)
  const extent = useMemo(() => extentOf(lanes, axis), [lanes, axis])
  const shownView = () => view.current() ?? fitView(extent)
  const canvases = useTimelinePicture(frame, shownView)
  const { picture } = canvases

  useEffect(() => {
    if (!theme || size.width === 0) return
    const hoveredLane = hover?.laneIndex
    picture.current?.update({
      lanes,
      axis,
      isShown,
      picked,
      hoveredLane,
      theme,
      plotPx,
      gutterPx,
      heightPx: size.height,
    })
  })
  useEffect(() => view.subscribe(() => picture.current?.moved()), [view, picture])
  useFollowing(view, hover !== undefined)

  const zoom = (factor: number, anchorPx: number) =>
    view.set(zoomView(shownView(), { factor, anchorPx, widthPx: plotPx, extent, axis }))
  const pan = (deltaPx: number) => view.set(panView(shownView(), deltaPx, plotPx, extent))
  useWheel(frame, (event) => {
    const sideways = event.shiftKey ? event.deltaY : event.deltaX
    if (event.ctrlKey || event.metaKey) {
      const left = event.clientX - (frame.current?.getBoundingClientRect().left ?? 0) - gutterPx
      zoom(Math.exp(event.deltaY * 0.01), Math.max(0, left))
    } else if (Math.abs(sideways) > Math.abs(event.shiftKey ? 0 : event.deltaY)) {
      setHover(undefined)
      pan(sideways)
    } else return false
    return true
  })
  const pointers = usePointers({ frame, gutterPx, onPan: pan, onZoom: zoom })

  const targetAt = (event: PointerEvent) => {
    const node = frame.current
    if (!node) return undefined
    const box = node.getBoundingClientRect()
    return picture.current?.targetAt(event.clientX - box.left - gutterPx, event.clientY - box.top + node.scrollTop)
  }
  const pick = (target: HitTarget | undefined) => {
    const lane = target && lanes[target.laneIndex]
    if (lane) onPick({ branchId: lane.branchId, axis, position: target.position })
  }
  const showTarget = (target: HitTarget) => {
    setIsKeyboard(true)
    setHover(target)
    const node = frame.current
    if (!node) return
    const top = target.laneIndex * laneHeightPx
    if (top < node.scrollTop) node.scrollTop = top
    else if (top + laneHeightPx * 2 > node.scrollTop + size.height)
      node.scrollTop = top + laneHeightPx * 2 - size.height
    const { from, to } = shownView()
    if (target.position < from || target.position > to) {
      pan(toPx({ from, to }, plotPx, target.position) - plotPx / 2)
    }
  }
  const onKeyDown = (event: KeyboardEvent) => {
    const handled = handleKey(event.key, {
      lanes,
      axis,
      current: hover,
      isShown,
      show: showTarget,
      pick: () => pick(hover),
      zoom: (factor) => zoom(factor, plotPx / 2),
      fit: () => view.set(undefined),
    })
    if (handled) event.preventDefault()
  }

  const hoverLane = hover && lanes[hover.laneIndex]
  const hoverPx = hover ? toPx(shownView(), plotPx, hover.position) : 0
  return (
    <div style={{ height }}>
      <div
        ref={frame}
        role="group"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it takes the keys named in its label
        tabIndex={0}
        aria-label="Timeline of branches. Arrow keys move from branch to branch and mark to mark, Enter picks, plus and minus zoom, 0 shows all."
        className="relative h-full touch-pan-y select-none overflow-y-auto overflow-x-hidden bg-surface outline-offset-[-2px]"
        onScroll={() => picture.current?.moved()}
        onPointerDown={pointers.down}
        onPointerMove={(event) => {
          if (pointers.move(event)) return setHover(undefined)
          setIsKeyboard(false)
          setHover(targetAt(event))
        }}
        onPointerUp={(event) => {
          if (pointers.up(event) <= clickSlackPx) pick(targetAt(event))
        }}
        onPointerCancel={pointers.up}
        onPointerLeave={() => setHover(undefined)}
        onKeyDown={onKeyDown}
        onBlur={() => setHover(undefined)}
        style={{ cursor: hover ? 'pointer' : 'grab' }}
      >
        <div
          aria-hidden="true"
          className="relative overflow-clip"
          style={{ height: Math.max(size.height, lanesHeightPx(lanes.length)) }}
        >
          <div
            className="sticky top-0 z-10 overflow-hidden border-line border-b bg-surface"
            style={{ height: axisHeightPx }}
          >
            <div className="absolute inset-y-0 right-0 overflow-hidden" style={{ left: gutterPx }}>
              <canvas ref={canvases.axis} className="will-change-transform absolute top-0 left-0 max-w-none" />
              <div className="absolute inset-y-0 left-0 w-8 bg-linear-to-r from-surface to-surface/0" />
              <div className="absolute inset-y-0 right-0 w-8 bg-linear-to-l from-surface to-surface/0" />
            </div>
          </div>
          <div className="absolute inset-y-0 right-0 overflow-hidden" style={{ left: gutterPx }}>
            {hover ? (
              <>
                <div
                  className="absolute inset-x-0 bg-hover/45"
                  style={{ top: axisHeightPx + hover.laneIndex * laneHeightPx, height: laneHeightPx }}
                />
                <div
                  className="absolute inset-y-0 border-line-strong border-l border-dashed"
                  style={{ left: Math.round(hoverPx) }}
                />
              </>
            ) : null}
            <canvas ref={canvases.plot} className="will-change-transform absolute left-0 max-w-none" />
          </div>
          <canvas ref={canvases.names} className="pointer-events-none absolute left-0 max-w-none" />
        </div>
        {hover && hoverLane ? (
          <TimelineTooltip
            hover={hover}
            px={gutterPx + hoverPx}
            lane={hoverLane}
            axis={axis}
            scrollPx={frame.current?.scrollTop ?? 0}
            widthPx={size.width}
          />
        ) : null}
      </div>
      <p aria-live="polite" className="sr-only">
        {isKeyboard && hover && hoverLane ? describe(hover, hoverLane, lanes, axis) : ''}
      </p>
    </div>
  )
}

function describe(hover: HitTarget, lane: Lane, lanes: readonly Lane[], axis: Axis): string {
  const [mark] = hover.group?.marks ?? []
  if (mark) return `${mark.summary}, ${positionLabel(axis, hover.position)}, on ${lane.name}`
  return laneDescription(lane, lanes[lane.parentIndex]?.name)
}

/** The picture on its three canvases, for as long as they are there. */
function useTimelinePicture(frame: RefObject<HTMLElement | null>, shownView: () => { from: number; to: number }) {
  const plot = useRef<HTMLCanvasElement>(null)
  const axis = useRef<HTMLCanvasElement>(null)
  const names = useRef<HTMLCanvasElement>(null)
  const picture = useRef<TimelinePicture>(undefined)
  const viewNow = useRef(shownView)
  viewNow.current = shownView
  useEffect(() => {
    if (!plot.current || !axis.current || !names.current) return
    const canvases = { plot: plot.current, axis: axis.current, names: names.current }
    const made = new TimelinePicture(canvases, () => ({
      view: viewNow.current(),
      topPx: frame.current?.scrollTop ?? 0,
    }))
    picture.current = made
    return () => made.end()
  }, [frame])
  return { plot, axis, names, picture }
}

/** Renders anew when the view changes, while something in the page stands at a place of it. */
function useFollowing(view: ViewStore, isNeeded: boolean): void {
  const [, render] = useReducer((count: number) => count + 1, 0)
  useEffect(() => (isNeeded ? view.subscribe(render) : undefined), [view, isNeeded])
}

function useSize(element: RefObject<HTMLElement | null>): { width: number; height: number } {
  const [size, setSize] = useState({ width: 0, height: 0 })
  useEffect(() => {
    const node = element.current
    if (!node) return
    const measure = () => setSize({ width: node.clientWidth, height: node.clientHeight })
    measure()
    const observer = new ResizeObserver(measure)
    observer.observe(node)
    return () => observer.disconnect()
  }, [element])
  return size
}
