'use client'

import { type KeyboardEvent, type PointerEvent, useCallback, useEffect, useRef, useState } from 'react'
import { type Axis, extentOf, type Lane, type MarkKind, markPosition } from './timeline-model.ts'
import { type HitTarget, hitTest, laneHeightPx, lanesHeightPx, paintTimeline } from './timeline-painter.ts'
import { fitView, panView, toPx, type View, zoomView } from './timeline-scale.ts'
import { TimelineTooltip } from './timeline-tooltip.tsx'
import { laneDescription, type PickedPoint, positionLabel } from './timeline-words.ts'
import { useCanvasTheme } from './use-canvas-theme.ts'

export interface TimelineCanvasProps {
  lanes: readonly Lane[]
  axis: Axis
  /** undefined: everything, and stays so while tips move. */
  view: View | undefined
  onView(view: View | undefined): void
  isShown(kind: MarkKind): boolean
  picked: PickedPoint | undefined
  onPick(point: PickedPoint): void
  /** A CSS length. */
  height: string
}

const gutterWidePx = 184
const wideFromPx = 640
const zoomStep = 1.5
/** A press that moves less is a click. */
const clickSlackPx = 4

/**
 * The timeline itself. Drag or scroll sideways to pan, pinch or Ctrl-scroll to zoom, click to pick. With the keyboard: up and down
 * choose a branch, left and right step from mark to mark, Enter picks, + and - zoom, 0 shows everything.
 */
export function TimelineCanvas({ lanes, axis, view, onView, isShown, picked, onPick, height }: TimelineCanvasProps) {
  const frame = useRef<HTMLDivElement>(null)
  const canvas = useRef<HTMLCanvasElement>(null)
  const theme = useCanvasTheme(frame)
  const size = useSize(frame)
  const [scrollPx, setScrollPx] = useState(0)
  const [hover, setHover] = useState<HitTarget>()
  const [isKeyboard, setIsKeyboard] = useState(false)
  const gutterPx = size.width >= wideFromPx ? gutterWidePx : 0
  const plotPx = Math.max(1, size.width - gutterPx)
  const extent = extentOf(lanes, axis)
  const shownView = view ?? fitView(extent)
  const scene = {
    lanes,
    axis,
    view: shownView,
    widthPx: size.width,
    heightPx: size.height,
    scrollPx,
    gutterPx,
    isShown,
  }

  useEffect(() => {
    const node = canvas.current
    const context = node?.getContext('2d')
    if (!node || !context || !theme || size.width === 0) return
    const request = requestAnimationFrame(() => {
      const ratio = window.devicePixelRatio || 1
      const [width, height] = [Math.round(size.width * ratio), Math.round(size.height * ratio)]
      if (node.width !== width || node.height !== height) {
        node.width = width
        node.height = height
      }
      context.setTransform(ratio, 0, 0, ratio, 0, 0)
      paintTimeline(context, { ...scene, hover, picked, theme })
    })
    return () => cancelAnimationFrame(request)
  })

  const zoom = (factor: number, anchorPx: number) =>
    onView(zoomView(shownView, { factor, anchorPx, widthPx: plotPx, extent, axis }))
  const pan = (deltaPx: number) => onView(panView(shownView, deltaPx, plotPx, extent))
  useWheel(frame, (event) => {
    const sideways = event.shiftKey ? event.deltaY : event.deltaX
    if (event.ctrlKey || event.metaKey) {
      const left = event.clientX - (frame.current?.getBoundingClientRect().left ?? 0) - gutterPx
      zoom(Math.exp(event.deltaY * 0.01), Math.max(0, left))
    } else if (Math.abs(sideways) > Math.abs(event.shiftKey ? 0 : event.deltaY)) pan(sideways)
    else return false
    return true
  })
  const pointers = usePointers({ frame, gutterPx, onPan: pan, onZoom: zoom })

  const targetAt = (event: PointerEvent) => {
    const box = frame.current?.getBoundingClientRect()
    return box ? hitTest(scene, event.clientX - box.left, event.clientY - box.top) : undefined
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
    if (target.position < shownView.from || target.position > shownView.to) {
      pan(toPx(shownView, plotPx, target.position) - plotPx / 2)
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
      fit: () => onView(undefined),
    })
    if (handled) event.preventDefault()
  }

  const hoverLane = hover && lanes[hover.laneIndex]
  return (
    <div style={{ height }}>
      <div
        ref={frame}
        role="group"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it takes the keys named in its label
        tabIndex={0}
        aria-label="Timeline of branches. Arrow keys move from branch to branch and mark to mark, Enter picks, plus and minus zoom, 0 shows all."
        className="relative h-full touch-pan-y select-none overflow-y-auto overflow-x-hidden outline-offset-[-2px]"
        onScroll={(event) => setScrollPx(event.currentTarget.scrollTop)}
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
        <div aria-hidden="true" className="sticky top-0">
          <canvas ref={canvas} className="block" style={{ width: size.width, height: size.height }} />
        </div>
        <div aria-hidden="true" style={{ height: Math.max(0, lanesHeightPx(lanes.length) - size.height) }} />
        {hover && hoverLane ? (
          <TimelineTooltip hover={hover} lane={hoverLane} axis={axis} scrollPx={scrollPx} widthPx={size.width} />
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

interface KeyTarget {
  lanes: readonly Lane[]
  axis: Axis
  current: HitTarget | undefined
  isShown(kind: MarkKind): boolean
  show(target: HitTarget): void
  pick(): void
  zoom(factor: number): void
  fit(): void
}

function handleKey(key: string, target: KeyTarget): boolean {
  switch (key) {
    case 'ArrowUp':
    case 'ArrowDown': {
      const from = target.current?.laneIndex ?? (key === 'ArrowDown' ? -1 : 1)
      const laneIndex = Math.min(target.lanes.length - 1, Math.max(0, from + (key === 'ArrowDown' ? 1 : -1)))
      const lane = target.lanes[laneIndex]
      if (lane) target.show({ laneIndex, position: lane.tip[target.axis], px: 0, group: undefined })
      return true
    }
    case 'ArrowLeft':
    case 'ArrowRight':
      stepMark(target, key === 'ArrowRight')
      return true
    case 'Enter':
      target.pick()
      return target.current !== undefined
    case '+':
    case '=':
      target.zoom(1 / zoomStep)
      return true
    case '-':
      target.zoom(zoomStep)
      return true
    case '0':
      target.fit()
      return true
    default:
      return false
  }
}

/** The next or previous mark of the lane, from the place the reader is at. */
function stepMark(target: KeyTarget, isForward: boolean): void {
  const laneIndex = target.current?.laneIndex ?? 0
  const lane = target.lanes[laneIndex]
  if (!lane) return
  const marks = lane.marks.filter((mark) => target.isShown(mark.kind))
  const at = target.current?.position ?? lane.tip[target.axis]
  const position = (mark: (typeof marks)[number]) => markPosition(lane, mark, target.axis)
  const mark = isForward
    ? marks.find((each) => position(each) > at)
    : marks.toReversed().find((each) => position(each) < at)
  if (!mark) return
  const place = position(mark)
  target.show({ laneIndex, position: place, px: 0, group: { px: 0, marks: [mark], kind: mark.kind } })
}

function useSize(element: React.RefObject<HTMLElement | null>): { width: number; height: number } {
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

/** React listens to wheels passively; a handler that answers true keeps the page from scrolling or zooming. */
function useWheel(element: React.RefObject<HTMLElement | null>, onWheel: (event: WheelEvent) => boolean): void {
  const handler = useRef(onWheel)
  handler.current = onWheel
  useEffect(() => {
    const node = element.current
    if (!node) return
    const listen = (event: WheelEvent) => {
      if (handler.current(event)) event.preventDefault()
    }
    node.addEventListener('wheel', listen, { passive: false })
    return () => node.removeEventListener('wheel', listen)
  }, [element])
}

/** One pointer pans, two zoom. `move` says whether a drag is under way, `up` how far the pointer went since `down`. */
function usePointers(options: {
  frame: React.RefObject<HTMLElement | null>
  gutterPx: number
  onPan(deltaPx: number): void
  onZoom(factor: number, anchorPx: number): void
}) {
  const active = useRef(new Map<number, { x: number; y: number }>())
  const travelPx = useRef(0)
  const down = useCallback((event: PointerEvent) => {
    if (event.button !== 0) return
    if (active.current.size === 0) travelPx.current = 0
    active.current.set(event.pointerId, { x: event.clientX, y: event.clientY })
  }, [])
  const move = (event: PointerEvent): boolean => {
    const before = active.current.get(event.pointerId)
    if (!before) return false
    const spreadBefore = spread(active.current)
    active.current.set(event.pointerId, { x: event.clientX, y: event.clientY })
    travelPx.current += Math.abs(event.clientX - before.x) + Math.abs(event.clientY - before.y)
    if (travelPx.current > clickSlackPx) event.currentTarget.setPointerCapture(event.pointerId)
    if (active.current.size === 2) {
      const left = options.frame.current?.getBoundingClientRect().left ?? 0
      const middle = [...active.current.values()].reduce((sum, each) => sum + each.x / 2, 0)
      options.onZoom(spreadBefore / Math.max(1, spread(active.current)), Math.max(0, middle - left - options.gutterPx))
    } else if (travelPx.current > clickSlackPx) options.onPan(before.x - event.clientX)
    return travelPx.current > clickSlackPx
  }
  const up = (event: PointerEvent): number => {
    active.current.delete(event.pointerId)
    return travelPx.current
  }
  return { down, move, up }
}

function spread(pointers: ReadonlyMap<number, { x: number; y: number }>): number {
  const [first, second] = [...pointers.values()]
  return first && second ? Math.hypot(first.x - second.x, first.y - second.y) : 1
}
