import { errorText, StorageError } from '../base/errors.ts'
import type { Env } from '../io/env.ts'
import type { Address } from '../io/network.ts'
import { FrameDecoder } from '../protocol/framing.ts'
import {
  decodeWalServiceMessage,
  encodeWalServiceMessage,
  type TimelineStatus,
  WAL_SERVICE_PAYLOAD_BYTES_MAX,
} from '../protocol/wal-service-messages.ts'

const CONNECT_TIMEOUT_MS = 3_000
const RETRY_MS = 1_000

export interface SafekeeperAddress {
  readonly id: number
  readonly host: string
  readonly port: number
}

/** Keeps a subscription to the timeline statuses of one SafeKeeper until the signal fires. */
export async function watchSafekeeper(options: {
  readonly env: Pick<Env, 'clock' | 'log' | 'network'>
  readonly safekeeper: SafekeeperAddress
  readonly onStatus: (status: TimelineStatus) => void
  /** Every timeline of the SafeKeeper has been reported. */
  readonly onSubscribed: () => void
  readonly onLost: () => void
  readonly signal: AbortSignal
}): Promise<void> {
  const { env, safekeeper, signal } = options
  const address: Address = { host: safekeeper.host, port: safekeeper.port }
  let wasReachable = true
  while (!signal.aborted) {
    try {
      await subscribe(options, address, () => {
        wasReachable = true
      })
    } catch (error) {
      if (signal.aborted) return
      if (wasReachable) env.log.warn('safekeeper not reachable', { safekeeper: safekeeper.id, error: errorText(error) })
      wasReachable = false
    }
    options.onLost()
    await env.clock.sleep(RETRY_MS, { signal }).catch(() => undefined)
  }
}

async function subscribe(
  options: Parameters<typeof watchSafekeeper>[0],
  address: Address,
  onConnected: () => void,
): Promise<void> {
  const { env, signal } = options
  const connection = await env.network.connect(address, { timeoutMs: CONNECT_TIMEOUT_MS, signal })
  await new Promise<void>((resolve, reject) => {
    const decoder = new FrameDecoder({
      payloadBytesMax: WAL_SERVICE_PAYLOAD_BYTES_MAX,
      onFrame: (type, payload) => {
        const message = decodeWalServiceMessage(type, payload)
        if (message.kind === 'error') throw new StorageError(message.code, message.message)
        onConnected()
        if (message.kind === 'timeline-status') options.onStatus(message)
        if (message.kind === 'subscribed') options.onSubscribed()
      },
    })
    const onAbort = () => connection.destroy()
    signal.addEventListener('abort', onAbort, { once: true })
    connection.onData = (chunk) => {
      try {
        decoder.push(chunk)
      } catch (error) {
        connection.destroy()
        reject(error instanceof Error ? error : new Error(String(error)))
      }
    }
    connection.onClose = (error) => {
      signal.removeEventListener('abort', onAbort)
      decoder.close()
      if (error) reject(error)
      else resolve()
    }
    connection.send(encodeWalServiceMessage({ kind: 'subscribe' }))
  })
}
