import type { Clock } from './clock.ts'

/** A thread that others wait for is held for no longer than this in one go, and one step more of each scan that runs. */
const TURN_MS_MAX = 2

/** A `giveWay` for one snapshot source: waits for the turn of the others once the thread has been held for a while. */
export function turnGiver(clock: Pick<Clock, 'monotonicMs' | 'yieldTurn'>): () => Promise<void> {
  let sinceMs = clock.monotonicMs()
  let turn: Promise<void> | undefined
  return async () => {
    // Scans that run at once wait for the same turn, then share the time after it.
    while (clock.monotonicMs() - sinceMs >= TURN_MS_MAX) {
      turn ??= clock.yieldTurn().then(() => {
        turn = undefined
        sinceMs = clock.monotonicMs()
      })
      await turn
    }
  }
}
