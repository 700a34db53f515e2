/**
 * Decides what to fetch beyond the pages that a read asks for. Pure; one state per relation segment, on the main thread.
 *
 * A miss right after the last one or within what is being read ahead, or a read that reaches a mark left there, doubles
 * the window up to READ_AHEAD_PAGES_MAX and fetches so far beyond the page reached; any other miss starts over without one. Pages read ahead go to the overlay only, where the
 * reader thread finds them. They are not pushed into the kernel's page cache (NOTIFY_STORE): the kernel would put them
 * over pages that Postgres has changed in the meantime, and there is no lock against that.
 */
export interface ReadAheadState {
  /** The page after the last one asked for or read ahead. */
  readonly nextPage: number
  /** 0 while reads are not sequential. */
  readonly windowPages: number
}

export const noReadAhead: ReadAheadState = { nextPage: -1, windowPages: 0 }

export interface ReadAheadStep {
  readonly state: ReadAheadState
  /** Pages to fetch without anybody waiting; empty when firstPage equals endPage. */
  readonly firstPage: number
  readonly endPage: number
}

const READ_AHEAD_PAGES_MIN = 16
/** 4 MiB: enough under way to keep the PageServer busy while the reader works on the pages before. */
export const READ_AHEAD_PAGES_MAX = 512
/** Less than this is not worth a request of its own, unless it ends the segment. */
const READ_AHEAD_STEP_PAGES_MIN = 32
/** A miss a little before or behind the end still counts as sequential: the kernel's own read-ahead reorders. */
const SLACK_PAGES = 32

export function onMiss(
  state: ReadAheadState,
  firstPage: number,
  endPage: number,
  segmentEndPage: number,
): ReadAheadStep {
  const isSequential =
    state.nextPage >= 0 &&
    firstPage >= state.nextPage - state.windowPages - SLACK_PAGES &&
    firstPage <= state.nextPage + SLACK_PAGES
  const startsAtZero = firstPage === 0 && endPage > 1
  if (!isSequential && !startsAtZero) {
    return { state: { nextPage: endPage, windowPages: 0 }, firstPage: endPage, endPage }
  }
  return advance(state, endPage, segmentEndPage)
}

/** A read that ends at `endPage` has reached a mark. */
export function onMark(state: ReadAheadState, endPage: number, segmentEndPage: number): ReadAheadStep {
  return advance(state, endPage, segmentEndPage)
}

/** Reads ahead up to a window beyond `reachedPage`. */
function advance(state: ReadAheadState, reachedPage: number, segmentEndPage: number): ReadAheadStep {
  const windowPages = Math.min(READ_AHEAD_PAGES_MAX, Math.max(READ_AHEAD_PAGES_MIN, state.windowPages * 2))
  const firstPage = Math.max(state.nextPage, reachedPage)
  const endPage = Math.min(reachedPage + windowPages, segmentEndPage)
  const stepPagesMin = Math.min(READ_AHEAD_STEP_PAGES_MIN, windowPages, Math.max(1, segmentEndPage - firstPage))
  if (endPage - firstPage < stepPagesMin) {
    return { state: { nextPage: firstPage, windowPages }, firstPage, endPage: firstPage }
  }
  return { state: { nextPage: endPage, windowPages }, firstPage, endPage }
}
