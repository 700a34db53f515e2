/** Time as a seam: production reads the system clock, the simulator owns a virtual one. */
export interface Clock {
  /** Unix time in milliseconds. May jump; never use it to measure a duration. */
  nowMs(): number
  /** Milliseconds from an arbitrary start; never goes back. */
  monotonicMs(): number
  /** Calls `fire` once after `delayMs`. */
  setTimer(delayMs: number, fire: () => void): Timer
  /** Resolves after `delayMs`; rejects with `aborted` when the signal fires first. */
  sleep(delayMs: number, options?: { signal?: AbortSignal }): Promise<void>
  /** Resolves once all else that waits for this thread has had its turn: for work in steps that would keep it busy. */
  yieldTurn(): Promise<void>
}

export interface Timer {
  cancel(): void
}
