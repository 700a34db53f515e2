export type Side = 'top' | 'right' | 'bottom' | 'left'

/** What of a DOMRect the placing needs; CSS pixels of the window. */
export interface Box {
  readonly left: number
  readonly top: number
  readonly width: number
  readonly height: number
}

const gapPx = 6
/** Nothing comes closer to the window's edge than this. */
const edgePx = 8

const opposite = { top: 'bottom', bottom: 'top', left: 'right', right: 'left' } as const

/** Where a box of this size goes beside its anchor: on the wanted side, on the other where that one has no room, never outside the window. */
export function placeBeside(
  anchor: Box,
  size: { width: number; height: number },
  side: Side,
  window: { width: number; height: number },
): { left: number; top: number } {
  const places = {
    top: { left: anchor.left + (anchor.width - size.width) / 2, top: anchor.top - gapPx - size.height },
    bottom: { left: anchor.left + (anchor.width - size.width) / 2, top: anchor.top + anchor.height + gapPx },
    left: { left: anchor.left - gapPx - size.width, top: anchor.top + (anchor.height - size.height) / 2 },
    right: { left: anchor.left + anchor.width + gapPx, top: anchor.top + (anchor.height - size.height) / 2 },
  }
  const fits = (place: { left: number; top: number }) =>
    side === 'top' || side === 'bottom'
      ? place.top >= edgePx && place.top + size.height <= window.height - edgePx
      : place.left >= edgePx && place.left + size.width <= window.width - edgePx
  const chosen = !fits(places[side]) && fits(places[opposite[side]]) ? places[opposite[side]] : places[side]
  return {
    left: clamp(chosen.left, edgePx, window.width - edgePx - size.width),
    top: clamp(chosen.top, edgePx, window.height - edgePx - size.height),
  }
}

/** The lower bound wins where the two cross. */
function clamp(value: number, min: number, max: number): number {
  return Math.max(min, Math.min(value, max))
}
