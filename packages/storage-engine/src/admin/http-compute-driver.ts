import { StorageError } from '../base/errors.ts'
import { callJson } from '../io/http-client.ts'
import type { ComputeActivity, ComputeDriver, ComputeInfo } from './compute-driver.ts'
import { type PollReply, pollForever } from './long-poll.ts'

const CALL_TIMEOUT_MS = 10_000
/** The node agent gives a start up after two minutes by itself. */
const START_TIMEOUT_MS = 150_000
const STOP_TIMEOUT_MS = 60_000
/** How long the node agent holds a poll open. */
export const POLL_WAIT_MS = 20_000

/** A poll's answer: all computes when `isFull`, else those that changed. */
export interface ComputesReply extends PollReply {
  readonly isFull: boolean
  readonly computes: readonly ComputeInfo[]
}

/** The compute driver of a node agent (the supervisor of a local stack) over HTTP: docs/operations.md lists the calls. */
export function openHttpComputeDriver(options: { readonly url: string; readonly token: string }): ComputeDriver {
  const base = options.url.replace(/\/$/, '')
  const call = (
    method: string,
    path: string,
    more: { body?: unknown; timeoutMs?: number; signal?: AbortSignal } = {},
  ) =>
    callJson(`${base}${path}`, {
      method,
      token: options.token,
      timeoutMs: more.timeoutMs ?? CALL_TIMEOUT_MS,
      ...(more.body === undefined ? {} : { body: more.body }),
      ...(more.signal === undefined ? {} : { signal: more.signal }),
    })
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
