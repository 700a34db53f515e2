import { StorageError } from '../base/errors.ts'
import type { Env } from '../io/env.ts'
import type { Address } from '../io/network.ts'
import {
  decodeAcceptorMessage,
  encodeSafekeeperMessage,
  greetingOf,
  SAFEKEEPER_PAYLOAD_BYTES_MAX,
  type VoteResponse,
} from '../protocol/safekeeper-messages.ts'
import { askOnce } from './ask-once.ts'
import type { TimelineIdentity } from './timeline-identity.ts'

const PROBE_TIMEOUT_MS = 3000

/**
 * The term, log end and term history of a timeline on another SafeKeeper: the answer to a vote request for term 0, which
 * nobody grants and which changes nothing.
 */
export function probeLog(
  env: Pick<Env, 'network' | 'clock'>,
  address: Address,
  identity: Omit<TimelineIdentity, 'startLsn'>,
): Promise<VoteResponse> {
  return askOnce<VoteResponse>(env, address, {
    timeoutMs: PROBE_TIMEOUT_MS,
    payloadBytesMax: SAFEKEEPER_PAYLOAD_BYTES_MAX,
    opening: encodeSafekeeperMessage(greetingOf(identity)),
    onFrame(type, payload, { answer, connection }) {
      const message = decodeAcceptorMessage(type, payload)
      if (message.kind === 'greeting-response') {
        connection.send(encodeSafekeeperMessage({ kind: 'vote-request', term: 0 }))
      } else if (message.kind === 'vote-response') answer(message)
      else if (message.kind === 'refusal') throw new StorageError(message.code, message.message)
    },
  })
}
