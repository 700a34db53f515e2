import { StorageError } from '../base/errors.ts'
import type { ComputeActivity, ComputeDriver, ComputeInfo } from './compute-driver.ts'
import { type PollReply, pollForever } from './long-poll.ts'
import {
  CALL_TIMEOUT_MS,
  POLL_WAIT_MS,
  STOP_TIMEOUT_MS,
  type SupervisorAddress,
  supervisorCall,
} from './supervisor-call.ts'

/** The node agent gives a start up after two minutes by itself. */
const START_TIMEOUT_MS = 150_000

/** A poll's answer: all computes when `isFull`, else those that changed. */
export interface ComputesReply extends PollReply {
  readonly isFull: boolean
  readonly computes: readonly ComputeInfo[]
}

/** The compute driver of a node agent (the supervisor of a local stack) over HTTP: docs/operations.md lists the calls. */
export function openHttpComputeDriver(options: SupervisorAddress): ComputeDriver {
  const call = supervisorCall(options)
  const pathOf = (computeId: string) => `/computes/${encodeURIComponent(computeId)}`

  // The replies are made by the server of the same version from values of these types.
  return {
    async startCompute(spec, { signal } = {}) {
      return (await call('PUT', pathOf(spec.computeId), {
        body: spec,
        timeoutMs: START_TIMEOUT_MS,
        ...(signal === undefined ? {} : { signal }),
      })) as ComputeInfo
    },

    async stopCompute(computeId, how) {
      await call('DELETE', `${pathOf(computeId)}?how=${how}`, { timeoutMs: STOP_TIMEOUT_MS })
    },

    async getCompute(computeId) {
      return (await call('GET', pathOf(computeId))) as ComputeInfo
    },

    async listComputes() {
      const computes = await call('GET', '/computes')
      if (!Array.isArray(computes)) throw new StorageError('unavailable', 'reply is not a list')
      return computes as ComputeInfo[]
    },

    async computeActivity(computeId) {
      return (await call('GET', `${pathOf(computeId)}/activity`)) as ComputeActivity
    },

    watchComputes(onChange, { signal, onList }) {
      return pollForever<ComputesReply>({
        signal,
        ask: async (last) => {
          const after = last ? `&epoch=${last.epoch}&after=${last.revision}` : ''
          const path = `/computes-watch?waitMs=${POLL_WAIT_MS}${after}`
          return (await call('GET', path, { signal, timeoutMs: POLL_WAIT_MS + CALL_TIMEOUT_MS })) as ComputesReply
        },
        onReply: (reply) => {
          if (reply.isFull) onList?.(reply.computes)
          for (const info of reply.computes) onChange(info)
        },
      })
    },
  }
}
