import { StorageError } from '../base/errors.ts'
import type { Env } from '../io/env.ts'
import type { Address, Connection } from '../io/network.ts'
import { FrameDecoder } from '../protocol/framing.ts'

export interface Question<Answer> {
  readonly timeoutMs: number
  readonly payloadBytesMax: number
  /** Frames to say first. */
  readonly opening: Uint8Array
  /** `answer` ends the conversation; what is thrown is its outcome. */
  readonly onFrame: (
    type: number,
    payload: Uint8Array,
    conversation: { readonly answer: (answer: Answer) => void; readonly connection: Connection },
  ) => void
}

/** A connection for one question. Rejects with `unavailable` when no answer comes in time. */
export async function askOnce<Answer>(
  env: Pick<Env, 'network' | 'clock'>,
  address: Address,
  question: Question<Answer>,
): Promise<Answer> {
  const { timeoutMs, payloadBytesMax, opening, onFrame } = question
  const connection = await env.network.connect(address, { timeoutMs })
  let timeout: { cancel(): void } | undefined
  try {
    return await new Promise((answer, reject) => {
      const decoder = new FrameDecoder({
        payloadBytesMax,
        onFrame: (type, payload) => onFrame(type, payload, { answer, connection }),
      })
      connection.onData = (chunk) => {
        try {
          decoder.push(chunk)
        } catch (error) {
          reject(error)
        }
      }
      connection.onClose = (error) => reject(error ?? new StorageError('unavailable', 'connection closed'))
      timeout = env.clock.setTimer(timeoutMs, () => reject(new StorageError('unavailable', 'no answer')))
      connection.send(opening)
    })
  } finally {
    timeout?.cancel()
    connection.destroy()
  }
}
