import { isStorageError } from '../base/errors.ts'
import { nodeClock } from '../io/node-clock.ts'

const RETRY_MS_MIN = 100
const RETRY_MS_MAX = 2000

/** What a long poll answers: `epoch` changes when the server starts anew, `revision` with every change. */
export interface PollReply {
  readonly epoch: string
  readonly revision: number
}

/**
 * Asks again and again, each time for what is newer than the last reply, until `signal` fires. A server that is away or
 * starts anew is asked from the beginning.
 */
export async function pollForever<Reply extends PollReply>(options: {
  readonly signal: AbortSignal
  readonly ask: (last: PollReply | undefined) => Promise<Reply>
  readonly onReply: (reply: Reply, isFirst: boolean) => void
}): Promise<void> {
  const { signal } = options
  let last: PollReply | undefined
  let retryMs = RETRY_MS_MIN
  while (!signal.aborted) {
    try {
      const reply = await options.ask(last)
      if (signal.aborted) return
      const isFirst = last === undefined || last.epoch !== reply.epoch
      last = { epoch: reply.epoch, revision: reply.revision }
      retryMs = RETRY_MS_MIN
      options.onReply(reply, isFirst)
    } catch (error) {
      if (signal.aborted) return
      if (!isStorageError(error, 'unavailable')) throw error
      last = undefined
      await nodeClock.sleep(retryMs, { signal }).catch(() => undefined)
      retryMs = Math.min(retryMs * 2, RETRY_MS_MAX)
    }
  }
}
