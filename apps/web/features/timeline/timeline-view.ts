import type { View } from './timeline-scale.ts'

/**
 * Which part of the axis is in sight; undefined: everything, and it stays so while tips move. It is kept outside of React: panning
 * sets it each frame, and the picture alone follows.
 */
export interface ViewStore {
  current(): View | undefined
  set(view: View | undefined): void
  /** Returns what ends it. */
  subscribe(listener: () => void): () => void
}

export function createViewStore(): ViewStore {
  let view: View | undefined
  const listeners = new Set<() => void>()
  return {
    current: () => view,
    set(next) {
      if (next?.from === view?.from && next?.to === view?.to) return
      view = next
      for (const listener of [...listeners]) listener()
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}
