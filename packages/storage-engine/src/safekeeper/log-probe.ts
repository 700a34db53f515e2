import { StorageError } from '../base/errors.ts'
import type { Env } from '../io/env.ts'
import type { Address } from '../io/network.ts'
import { WAL_SEGMENT_SIZE } from '../postgres/constants.ts'
import { FrameDecoder } from '../protocol/framing.ts'
import {
  decodeAcceptorMessage,
  encodeSafekeeperMessage,
  SAFEKEEPER_PAYLOAD_BYTES_MAX,
  SAFEKEEPER_PROTOCOL_VERSION,
  type VoteResponse,
} from '../protocol/safekeeper-messages.ts'
import type { TimelineIdentity } from './acceptor-service.ts'

const PROBE_TIMEOUT_MS = 3000

/**
 * The term, log end and term history of a timeline on another SafeKeeper: the answer to a vote request for term 0, which
 * nobody grants and which changes nothing.
 */
export async function probeLog(
  env: Pick<Env, 'network' | 'clock'>,
  address: Address,
  identity: Omit<TimelineIdentity, 'startLsn'>,
): Promise<VoteResponse> {
  const connection = await env.network.connect(address, { timeoutMs: PROBE_TIMEOUT_MS })
  let timeout: { cancel(): void } | undefined
  try {
    return await new Promise((resolve, reject) => {
      const decoder = new FrameDecoder({
        payloadBytesMax: SAFEKEEPER_PAYLOAD_BYTES_MAX,
        onFrame(type, payload) {
          const message = decodeAcceptorMessage(type, payload)
          if (message.kind === 'greeting-response') {
            connection.send(encodeSafekeeperMessage({ kind: 'vote-request', term: 0 }))
          } else if (message.kind === 'vote-response') resolve(message)
          else if (message.kind === 'refusal') throw new StorageError(message.code, message.message)
        },
      })
      connection.onData = (chunk) => {
        try {
          decoder.push(chunk)
        } catch (error) {
          reject(error)
        }
      }
      connection.onClose = (error) => reject(error ?? new StorageError('unavailable', 'connection closed'))
      timeout = env.clock.setTimer(PROBE_TIMEOUT_MS, () => reject(new StorageError('unavailable', 'no answer')))
      const { projectId, timelineId, systemIdentifier } = identity
      connection.send(
        encodeSafekeeperMessage({
          kind: 'greeting',
          protocolVersion: SAFEKEEPER_PROTOCOL_VERSION,
          projectId,
          timelineId,
          systemIdentifier,
          pgMajorVersion: 18,
          segmentSize: WAL_SEGMENT_SIZE,
        }),
      )
    })
  } finally {
    timeout?.cancel()
    connection.destroy()
  }
}
