import { type PollReply, pollForever } from './long-poll.ts'
import type { StackClient, StackInfo, StorageStatus } from './stack-client.ts'
import {
  CALL_TIMEOUT_MS,
  POLL_WAIT_MS,
  STOP_TIMEOUT_MS,
  type SupervisorAddress,
  supervisorCall,
} from './supervisor-call.ts'

export interface StackReply extends PollReply {
  readonly stack: StackInfo
}

/** The supervisor of a local stack over HTTP: docs/operations.md lists the calls. */
export function openHttpStackClient(options: SupervisorAddress): StackClient {
  const call = supervisorCall(options)

  // The replies are made by the server of the same version from values of these types.
  return {
    async stack() {
      return (await call('GET', '/stack-info')) as StackInfo
    },

    async storageStatus() {
      return (await call('GET', '/storage-status')) as StorageStatus
    },

    async processAction(name, action) {
      await call('POST', `/processes/${encodeURIComponent(name)}/${action}`, { timeoutMs: STOP_TIMEOUT_MS })
    },

    async forgetTimeline(projectId, timelineId) {
      const path = `/timelines/${projectId}/${timelineId}`
      return (await call('DELETE', path, { timeoutMs: STOP_TIMEOUT_MS })) as { found: boolean }
    },

    async cutLink(computeId, safekeeperIds, cut) {
      await call('POST', `/computes/${encodeURIComponent(computeId)}/links`, { body: { safekeeperIds, cut } })
    },

    watch(onChange, { signal }) {
      return pollForever<StackReply>({
        signal,
        ask: async (last) => {
          const after = last ? `&epoch=${last.epoch}&after=${last.revision}` : ''
          const path = `/stack-watch?waitMs=${POLL_WAIT_MS}${after}`
          return (await call('GET', path, { signal, timeoutMs: POLL_WAIT_MS + CALL_TIMEOUT_MS })) as StackReply
        },
        onReply: (reply, isFirst) => {
          if (isFirst || reply.revision > 0) onChange(reply.stack)
        },
      })
    },
  }
}
