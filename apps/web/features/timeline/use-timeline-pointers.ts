import { type PointerEvent, type RefObject, useCallback, useEffect, useRef } from 'react'

/** A press that moves less is a click. */
export const clickSlackPx = 4

/** React listens to wheels passively; a handler that answers true keeps the page from scrolling or zooming. */
export function useWheel(element: RefObject<HTMLElement | null>, onWheel: (event: WheelEvent) => boolean): void {
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
export function usePointers(options: {
  frame: RefObject<HTMLElement | null>
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
    // Released where this element did not hear of it.
    if (event.buttons === 0) active.current.delete(event.pointerId)
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
