import type { KeyFields, Slru } from '../key.ts'

/** Which segments of each SLRU exist at the tip of one timeline, and their pages. */
export class SlruSegments {
  readonly #segments = new Map<number, Map<number, number>>()

  /** -1: there is no such segment. */
  pageCount(slru: Slru, segment: number): number {
    return this.#segments.get(slru)?.get(segment) ?? -1
  }

  set(slru: Slru, segment: number, pageCount: number): void {
    let segments = this.#segments.get(slru)
    if (!segments) {
      segments = new Map()
      this.#segments.set(slru, segments)
    }
    segments.set(segment, pageCount)
  }

  delete(slru: Slru, segment: number): void {
    this.#segments.get(slru)?.delete(segment)
  }

  /** Segment numbers, ascending; a copy. */
  segmentsOf(slru: Slru): number[] {
    return [...(this.#segments.get(slru)?.keys() ?? [])].sort((a, b) => a - b)
  }

  /** Takes over one stored segment. */
  load(key: KeyFields, pageCount: number): void {
    this.set(key.a as Slru, key.c, pageCount)
  }
}
