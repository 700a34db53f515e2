import { StorageError } from '../base/errors.ts'
import type { Env } from '../io/env.ts'
import type { Address } from '../io/network.ts'
import type { Lsn } from '../postgres/lsn.ts'
import { FrameDecoder } from '../protocol/framing.ts'
import {
  decodeWalServiceMessage,
  encodeWalServiceMessage,
  type StartWal,
  type TimelineStatus,
  WAL_SERVICE_PAYLOAD_BYTES_MAX,
} from '../protocol/wal-service-messages.ts'
import { askOnce } from './ask-once.ts'

const CONNECT_TIMEOUT_MS = 3000
/** A WAL stream says something at least every second; a silent one is given up. */
const SILENCE_MS_MAX = 10_000

/**
 * Reads WAL [request.startLsn, endLsn) from a SafeKeeper. `onWal` gets contiguous pieces (borrowed) and may answer with a
 * promise to hold the stream back. Resolves at `endLsn`, rejects on any error of the stream.
 */
export async function readWal(
  env: Pick<Env, 'network' | 'clock'>,
  address: Address,
  request: StartWal,
  endLsn: Lsn,
  onWal: (lsn: Lsn, bytes: Uint8Array) => void | Promise<void>,
  options: { signal?: AbortSignal } = {},
): Promise<void> {
  if (request.startLsn >= endLsn) return
  const connection = await env.network.connect(address, { timeoutMs: CONNECT_TIMEOUT_MS, ...options })
  let lastHeardMs = env.clock.monotonicMs()
  let watch: { cancel(): void } | undefined
  const onAbort = () => connection.destroy()
  options.signal?.addEventListener('abort', onAbort, { once: true })
  try {
    await new Promise<void>((resolve, reject) => {
      let nextLsn: number = request.startLsn
      const decoder = new FrameDecoder({
        payloadBytesMax: WAL_SERVICE_PAYLOAD_BYTES_MAX,
        onFrame(type, payload) {
          const message = decodeWalServiceMessage(type, payload)
          if (message.kind === 'error') throw new StorageError(message.code, message.message)
          if (message.kind !== 'wal-data') return
          if (message.startLsn !== nextLsn) throw new StorageError('invalid-input', 'wal stream has a gap')
          const bytes = message.bytes.subarray(0, endLsn - nextLsn)
          const startLsn = nextLsn as Lsn
          nextLsn += bytes.length
          const held = onWal(startLsn, bytes)
          if (held !== undefined) {
            connection.pause()
            held.then(() => connection.resume(), reject)
          }
          if (nextLsn >= endLsn) {
            decoder.close()
            if (held === undefined) resolve()
            else held.then(resolve, reject)
          }
        },
      })
      connection.onData = (chunk) => {
        lastHeardMs = env.clock.monotonicMs()
        try {
          decoder.push(chunk)
        } catch (error) {
          reject(error)
        }
      }
      connection.onClose = (error) => reject(error ?? new StorageError('unavailable', 'wal stream ended early'))
      const check = () => {
        if (env.clock.monotonicMs() - lastHeardMs > SILENCE_MS_MAX) {
          reject(new StorageError('unavailable', 'wal stream fell silent'))
        } else watch = env.clock.setTimer(SILENCE_MS_MAX / 2, check)
      }
      watch = env.clock.setTimer(SILENCE_MS_MAX / 2, check)
      connection.send(encodeWalServiceMessage(request))
    })
  } finally {
    options.signal?.removeEventListener('abort', onAbort)
    watch?.cancel()
    connection.destroy()
  }
}

/** The statuses of the timelines of one SafeKeeper, read once, and how many more it has that it cannot serve now. */
export function readStatuses(
  env: Pick<Env, 'network' | 'clock'>,
  address: Address,
): Promise<{ nodeId: number; timelines: TimelineStatus[]; unusableCount: number }> {
  const timelines: TimelineStatus[] = []
  return askOnce<{ nodeId: number; timelines: TimelineStatus[]; unusableCount: number }>(env, address, {
    timeoutMs: CONNECT_TIMEOUT_MS,
    payloadBytesMax: WAL_SERVICE_PAYLOAD_BYTES_MAX,
    opening: encodeWalServiceMessage({ kind: 'subscribe' }),
    onFrame(type, payload, { answer }) {
      const message = decodeWalServiceMessage(type, payload)
      if (message.kind === 'timeline-status') timelines.push(message)
      else if (message.kind === 'subscribed') {
        answer({ nodeId: message.nodeId, timelines, unusableCount: message.unusableCount })
      }
      if (message.kind === 'error') throw new StorageError(message.code, message.message)
    },
  })
}
