/** Keys pressed one after the other, `g` then `b`, within a second and a half. */
export const sequenceLimitMs = 1_500

export interface SequenceState {
  readonly first: string | undefined
  readonly atMs: number
}

export const noSequence: SequenceState = { first: undefined, atMs: 0 }

/** The next state, and the shortcut that is complete now: `g b`, `?`, `/`. */
export function pressKey(
  state: SequenceState,
  key: string,
  atMs: number,
  leaders: ReadonlySet<string>,
): { state: SequenceState; shortcut: string | undefined } {
  const isContinued = state.first !== undefined && atMs - state.atMs <= sequenceLimitMs
  if (isContinued) return { state: noSequence, shortcut: `${state.first} ${key}` }
  if (leaders.has(key)) return { state: { first: key, atMs }, shortcut: undefined }
  return { state: noSequence, shortcut: key }
}

/** Whether a key press belongs to what is being typed or to an open layer, not to the page. */
export function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable ||
      ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName) ||
      target.closest('[role="dialog"],[role="menu"],[role="listbox"]') !== null)
  )
}
